// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The chunk map: CHUNK_ITEMs checked, kept sorted, looked up by logical address.
 */
#include "format/key.h"
#include "volume/internal.h"

/* Addresses and lengths below this can be added up without overflow. No device gets there. */
#define SENDCP_CHUNK_LIMIT		(1ULL << 62)
/* Far more than a filesystem of a pebibyte has; memory must not depend on a damaged tree. */
#define SENDCP_CHUNKS_MAX		(1u << 22)
/* Beyond this the coefficients of Q repeat and nothing could be rebuilt. */
#define SENDCP_RAID6_STRIPES_MAX	257u

void sendcp_chunk_map_release(struct sendcp_chunk_map *map)
{
	u32 i;

	for (i = 0; i < map->count; i++)
		sendcp_free(map->chunks[i].stripes);
	sendcp_free(map->chunks);
	memset(map, 0, sizeof(*map));
}

static int fail_chunk(struct sendcp_volume *volume, u64 start, const char *detail)
{
	sendcp_fail_detail(volume, SENDCP_ERR_CHUNK_FORMAT, detail);
	volume->error.bytenr = start;
	return volume->error.err;
}

static bool profile_ok(const struct sendcp_chunk *chunk)
{
	u32 n = chunk->num_stripes;

	switch (chunk->type & SENDCP_CHUNK_PROFILES) {
	case 0:
		return n == 1;
	case SENDCP_CHUNK_RAID0:
		return n >= 1;
	case SENDCP_CHUNK_RAID1:
	case SENDCP_CHUNK_DUP:
		return n == 2;
	case SENDCP_CHUNK_RAID1C3:
		return n == 3;
	case SENDCP_CHUNK_RAID1C4:
		return n == 4;
	case SENDCP_CHUNK_RAID10:
		return n >= 2 && !(n & 1) && chunk->sub_stripes == 2;
	case SENDCP_CHUNK_RAID5:
		return n >= 2;
	case SENDCP_CHUNK_RAID6:
		return n >= 3 && n <= SENDCP_RAID6_STRIPES_MAX;
	}
	/* Two profiles at once. */
	return false;
}

/* The fault of the chunk; NULL: none. */
static const char *chunk_fault(const struct sendcp_volume *volume, const struct sendcp_chunk *chunk)
{
	const u64 blocks = SENDCP_CHUNK_DATA | SENDCP_CHUNK_SYSTEM | SENDCP_CHUNK_METADATA;

	if (!chunk->length || chunk->length >= SENDCP_CHUNK_LIMIT ||
	    chunk->start >= SENDCP_CHUNK_LIMIT)
		return "length";
	if (!sendcp_is_aligned(chunk->start | chunk->length, volume->sectorsize))
		return "alignment";
	if (!(chunk->type & blocks) || (chunk->type & ~(blocks | SENDCP_CHUNK_PROFILES)))
		return "type";
	if (chunk->num_stripes > SENDCP_MAX_STRIPES || !profile_ok(chunk))
		return "number of stripes";
	return NULL;
}

static int chunk_read_stripes(struct sendcp_volume *volume, struct sendcp_chunk *chunk,
			      const struct sendcp_disk_chunk *disk)
{
	u32 i;

	chunk->stripes = sendcp_alloc(chunk->num_stripes * sizeof(*chunk->stripes));
	if (!chunk->stripes)
		return sendcp_fail_detail(volume, SENDCP_ERR_NO_MEMORY, NULL);
	for (i = 0; i < chunk->num_stripes; i++) {
		struct sendcp_chunk_stripe *stripe = &chunk->stripes[i];

		stripe->devid = le64_to_cpu(disk->stripes[i].devid);
		stripe->offset = le64_to_cpu(disk->stripes[i].offset);
		memcpy(stripe->dev_uuid, disk->stripes[i].dev_uuid, SENDCP_UUID_SIZE);
		stripe->device = sendcp_device_find(volume, stripe->devid, stripe->dev_uuid);
		if (stripe->offset >= SENDCP_CHUNK_LIMIT ||
		    !sendcp_is_aligned(stripe->offset, SENDCP_SECTORSIZE_MIN)) {
			sendcp_free(chunk->stripes);
			return fail_chunk(volume, chunk->start, "stripe offset");
		}
	}
	return 0;
}

/* Index of the first chunk that ends after @logical; map->count if none does. */
static u32 chunk_map_find(const struct sendcp_chunk_map *map, u64 logical)
{
	u32 low = 0, high = map->count;

	while (low < high) {
		u32 middle = low + (high - low) / 2;
		const struct sendcp_chunk *chunk = &map->chunks[middle];

		if (chunk->start + chunk->length <= logical)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static int chunk_map_grow(struct sendcp_volume *volume, struct sendcp_chunk_map *map)
{
	u32 capacity = map->capacity ? map->capacity * 2 : 64;
	void *chunks;

	if (map->count < map->capacity)
		return 0;
	if (capacity > SENDCP_CHUNKS_MAX)
		return sendcp_fail_detail(volume, SENDCP_ERR_CHUNK_FORMAT, "too many chunks");
	chunks = sendcp_realloc(map->chunks, map->capacity * sizeof(*map->chunks),
				capacity * sizeof(*map->chunks));
	if (!chunks)
		return sendcp_fail_detail(volume, SENDCP_ERR_NO_MEMORY, NULL);
	map->chunks = chunks;
	map->capacity = capacity;
	return 0;
}

/* Takes over chunk->stripes if it succeeds. */
static int chunk_map_insert(struct sendcp_volume *volume, struct sendcp_chunk_map *map,
			    const struct sendcp_chunk *chunk)
{
	u32 at = chunk_map_find(map, chunk->start);
	int ret;

	if (at < map->count && map->chunks[at].start < chunk->start + chunk->length)
		return fail_chunk(volume, chunk->start, "overlap");
	ret = chunk_map_grow(volume, map);
	if (ret)
		return ret;
	memmove(&map->chunks[at + 1], &map->chunks[at], (map->count - at) * sizeof(*chunk));
	map->chunks[at] = *chunk;
	map->count++;
	return 0;
}

int sendcp_chunk_map_add(struct sendcp_volume *volume, struct sendcp_chunk_map *map, u64 start,
			 const void *item, u32 size)
{
	const struct sendcp_disk_chunk *disk = item;
	struct sendcp_chunk chunk = { .start = start };
	const char *fault;
	int ret;

	if (size < sizeof(*disk))
		return fail_chunk(volume, start, "item size");
	chunk.length = le64_to_cpu(disk->length);
	chunk.type = le64_to_cpu(disk->type);
	chunk.num_stripes = le16_to_cpu(disk->num_stripes);
	chunk.sub_stripes = le16_to_cpu(disk->sub_stripes);
	fault = chunk_fault(volume, &chunk);
	if (fault)
		return fail_chunk(volume, start, fault);
	if (le64_to_cpu(disk->stripe_len) != SENDCP_STRIPE_LEN)
		return fail_chunk(volume, start, "stripe length");
	if (size - sizeof(*disk) < chunk.num_stripes * sizeof(disk->stripes[0]))
		return fail_chunk(volume, start, "item size");
	ret = chunk_read_stripes(volume, &chunk, disk);
	if (ret)
		return ret;
	ret = chunk_map_insert(volume, map, &chunk);
	if (ret)
		sendcp_free(chunk.stripes);
	return ret;
}

int sendcp_chunk_map_bootstrap(struct sendcp_volume *volume, const struct sendcp_disk_super *super,
			       struct sendcp_chunk_map *map)
{
	const u8 *at = super->sys_chunk_array;
	u32 left = le32_to_cpu(super->sys_chunk_array_size);
	const struct sendcp_disk_chunk *disk;
	struct sendcp_key key;
	u32 size;
	int ret;

	while (left) {
		if (left < sizeof(struct sendcp_disk_key) + sizeof(*disk))
			return sendcp_fail_detail(volume, SENDCP_ERR_CHUNK_FORMAT,
						  "superblock's chunks");
		key = sendcp_key_from_disk((const struct sendcp_disk_key *)at);
		at += sizeof(struct sendcp_disk_key);
		left -= sizeof(struct sendcp_disk_key);
		if (key.objectid != SENDCP_FIRST_CHUNK_ID || key.type != SENDCP_CHUNK_ITEM)
			return sendcp_fail_detail(volume, SENDCP_ERR_CHUNK_FORMAT,
						  "superblock's chunks");
		ret = sendcp_chunk_map_add(volume, map, key.offset, at, left);
		if (ret)
			return ret;
		disk = (const struct sendcp_disk_chunk *)at;
		size = sizeof(*disk) + le16_to_cpu(disk->num_stripes) * sizeof(disk->stripes[0]);
		at += size;
		left -= size;
	}
	return 0;
}

const struct sendcp_chunk *sendcp_chunk_find(const struct sendcp_volume *volume, u64 logical)
{
	const struct sendcp_chunk_map *map = &volume->chunks;
	u32 at;

	if (logical >= 2 * SENDCP_CHUNK_LIMIT)
		return NULL;
	at = chunk_map_find(map, logical);
	if (at == map->count || map->chunks[at].start > logical)
		return NULL;
	return &map->chunks[at];
}
