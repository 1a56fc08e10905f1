// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The cache of verified tree blocks: found by address, bounded in bytes, least recently used goes
 * first.
 *
 * A block in use is counted but never given up, so the bound may be exceeded by the blocks that
 * callers hold (a handful of paths). Address and generation together name a block's content for
 * ever, hence nothing is ever invalid; a block that moved just ages.
 */
#include "format/hash.h"
#include "tree/internal.h"

#define SENDCP_HASH_BITS_MAX	14
#define SENDCP_REPAIRS_NOTED	256u
/* Fewer than a few paths' worth would only thrash. */
#define SENDCP_CACHE_LEAST		32u

struct sendcp_node_cache {
	struct sendcp_node **buckets;
	u32 hash_bits;
	/* Blocks in the cache, those in use included, and how many are wanted at most. */
	u32 count;
	u32 limit;
	/* Unused blocks, most recently used first. */
	struct sendcp_node *newest;
	struct sendcp_node *oldest;
	u64 repaired[SENDCP_REPAIRS_NOTED];
	struct sendcp_prefetch prefetch;
};

/* Addresses are multiples of 4096. */
static u32 hash_bytenr(u64 bytenr, u32 bits)
{
	return sendcp_hash64(bytenr >> 12) >> (32 - bits);
}

static struct sendcp_node **cache_bucket(const struct sendcp_node_cache *cache, u64 bytenr)
{
	return &cache->buckets[hash_bytenr(bytenr, cache->hash_bits)];
}

int sendcp_cache_create(struct sendcp_volume *volume)
{
	size_t size = volume->host->cache_size ? volume->host->cache_size : SENDCP_CACHE_DEFAULT;
	struct sendcp_node_cache *cache = sendcp_zalloc(sizeof(*cache));

	if (!cache)
		return sendcp_fail_detail(volume, SENDCP_ERR_NO_MEMORY, NULL);
	size /= volume->nodesize;
	cache->limit = (u32)sendcp_min(sendcp_max(size, SENDCP_CACHE_LEAST), 1u << 30);
	cache->hash_bits = 6;
	while (cache->hash_bits < SENDCP_HASH_BITS_MAX && 1u << cache->hash_bits < cache->limit)
		cache->hash_bits++;
	/* NOLINTNEXTLINE(bugprone-sizeof-expression): an array of pointers. */
	cache->buckets = sendcp_zalloc(sizeof(*cache->buckets) << cache->hash_bits);
	if (!cache->buckets) {
		sendcp_free(cache);
		return sendcp_fail_detail(volume, SENDCP_ERR_NO_MEMORY, NULL);
	}
	volume->cache = cache;
	return 0;
}

void sendcp_cache_destroy(struct sendcp_volume *volume)
{
	struct sendcp_node_cache *cache = volume->cache;
	struct sendcp_node *node;
	u32 i;

	if (!cache)
		return;
	for (i = 0; i < 1u << cache->hash_bits; i++) {
		while ((node = cache->buckets[i])) {
			cache->buckets[i] = node->hash_next;
			sendcp_node_free(volume, node);
		}
	}
	sendcp_free(cache->buckets);
	sendcp_free(cache);
	volume->cache = NULL;
}

struct sendcp_node *sendcp_node_alloc(const struct sendcp_volume *volume)
{
	struct sendcp_node *node = sendcp_zalloc(sizeof(*node));

	if (!node)
		return NULL;
	node->data = sendcp_alloc_aligned(volume->nodesize);
	if (!node->data) {
		sendcp_free(node);
		return NULL;
	}
	node->users = 1;
	return node;
}

void sendcp_node_free(const struct sendcp_volume *volume, struct sendcp_node *node)
{
	sendcp_free_aligned(node->data, volume->nodesize);
	sendcp_free(node);
}

static void lru_remove(struct sendcp_node_cache *cache, struct sendcp_node *node)
{
	if (node->lru_prev)
		node->lru_prev->lru_next = node->lru_next;
	else
		cache->newest = node->lru_next;
	if (node->lru_next)
		node->lru_next->lru_prev = node->lru_prev;
	else
		cache->oldest = node->lru_prev;
	node->lru_prev = NULL;
	node->lru_next = NULL;
}

static void lru_push(struct sendcp_node_cache *cache, struct sendcp_node *node)
{
	node->lru_prev = NULL;
	node->lru_next = cache->newest;
	if (cache->newest)
		cache->newest->lru_prev = node;
	else
		cache->oldest = node;
	cache->newest = node;
}

static void cache_drop(struct sendcp_volume *volume, struct sendcp_node *node)
{
	struct sendcp_node **at = cache_bucket(volume->cache, node->bytenr);

	while (*at != node)
		at = &(*at)->hash_next;
	*at = node->hash_next;
	lru_remove(volume->cache, node);
	volume->cache->count--;
	sendcp_node_free(volume, node);
}

static void cache_trim(struct sendcp_volume *volume)
{
	while (volume->cache->count > volume->cache->limit && volume->cache->oldest)
		cache_drop(volume, volume->cache->oldest);
}

static struct sendcp_node *cache_find(const struct sendcp_node_cache *cache, u64 bytenr,
				      u64 generation)
{
	struct sendcp_node *node = *cache_bucket(cache, bytenr);

	while (node && (node->bytenr != bytenr || (generation && node->generation != generation)))
		node = node->hash_next;
	return node;
}

bool sendcp_cache_has(const struct sendcp_volume *volume, u64 bytenr, u64 generation)
{
	return cache_find(volume->cache, bytenr, generation);
}

struct sendcp_node *sendcp_cache_get(struct sendcp_volume *volume, u64 bytenr, u64 generation)
{
	struct sendcp_node *node = cache_find(volume->cache, bytenr, generation);

	if (node)
		sendcp_node_hold(node);
	/* Only unused blocks are in the list that is evicted from. */
	if (node && node->users == 1)
		lru_remove(volume->cache, node);
	return node;
}

void sendcp_cache_add(struct sendcp_volume *volume, struct sendcp_node *node)
{
	struct sendcp_node **bucket = cache_bucket(volume->cache, node->bytenr);

	node->hash_next = *bucket;
	*bucket = node;
	volume->cache->count++;
	cache_trim(volume);
}

void sendcp_node_hold(struct sendcp_node *node)
{
	node->users++;
}

void sendcp_node_put(struct sendcp_volume *volume, struct sendcp_node *node)
{
	if (!node || --node->users)
		return;
	lru_push(volume->cache, node);
	cache_trim(volume);
}

u32 sendcp_cache_prefetch_limit(const struct sendcp_volume *volume)
{
	return (u32)sendcp_min(SENDCP_PREFETCH_MAX, volume->cache->limit / 4);
}

struct sendcp_prefetch *sendcp_cache_prefetch_room(struct sendcp_volume *volume)
{
	return &volume->cache->prefetch;
}

bool sendcp_cache_note_repair(struct sendcp_volume *volume, u64 bytenr)
{
	u64 *noted = &volume->cache->repaired[hash_bytenr(bytenr, 8) % SENDCP_REPAIRS_NOTED];

	if (*noted == bytenr)
		return false;
	*noted = bytenr;
	return true;
}
