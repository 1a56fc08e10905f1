// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The chunk map: CHUNK_ITEMs checked, kept sorted, looked up by logical address.
 */
#include "format/key.h"
#include "volume/internal.h"

/* Addresses and lengths below this can be added up without overflow. No device gets there. */
#define SCP_CHUNK_LIMIT		(1ULL << 62)
/* Far more than a filesystem of a pebibyte has; memory must not depend on a damaged tree. */
#define SCP_CHUNKS_MAX		(1u << 22)
/* Beyond this the coefficients of Q repeat and nothing could be rebuilt. */
#define SCP_RAID6_STRIPES_MAX	257u

void scp_chunk_map_release(struct scp_chunk_map *map)
{
	u32 i;

	for (i = 0; i < map->count; i++)
		scp_free(map->chunks[i].stripes);
	scp_free(map->chunks);
	memset(map, 0, sizeof(*map));
}

static int fail_chunk(struct scp_volume *volume, u64 start, const char *detail)
{
	scp_fail_detail(volume, SCP_CHUNK_FORMAT, detail);
	volume->error.bytenr = start;
	return volume->error.err;
}

static bool profile_ok(const struct scp_chunk *chunk)
{
	u32 n = chunk->num_stripes;

	switch (chunk->type & SCP_CHUNK_PROFILES) {
	case 0:
		return n == 1;
	case SCP_CHUNK_RAID0:
		return n >= 1;
	case SCP_CHUNK_RAID1:
	case SCP_CHUNK_DUP:
		return n == 2;
	case SCP_CHUNK_RAID1C3:
		return n == 3;
	case SCP_CHUNK_RAID1C4:
		return n == 4;
	case SCP_CHUNK_RAID10:
		return n >= 2 && !(n & 1) && chunk->sub_stripes == 2;
	case SCP_CHUNK_RAID5:
		return n >= 2;
	case SCP_CHUNK_RAID6:
		return n >= 3 && n <= SCP_RAID6_STRIPES_MAX;
	}
	/* Two profiles at once. */
	return false;
}

/* The fault of the chunk; NULL: none. */
static const char *chunk_fault(const struct scp_volume *volume, const struct scp_chunk *chunk)
{
	const u64 blocks = SCP_CHUNK_DATA | SCP_CHUNK_SYSTEM | SCP_CHUNK_METADATA;

	if (!chunk->length || chunk->length >= SCP_CHUNK_LIMIT || chunk->start >= SCP_CHUNK_LIMIT)
		return "length";
	if (!scp_is_aligned(chunk->start | chunk->length, volume->sectorsize))
		return "alignment";
	if (!(chunk->type & blocks) || (chunk->type & ~(blocks | SCP_CHUNK_PROFILES)))
		return "type";
	if (chunk->num_stripes > SCP_MAX_STRIPES || !profile_ok(chunk))
		return "number of stripes";
	return NULL;
}

static int chunk_read_stripes(struct scp_volume *volume, struct scp_chunk *chunk,
			      const struct scp_disk_chunk *disk)
{
	u32 i;

	chunk->stripes = scp_alloc(chunk->num_stripes * sizeof(*chunk->stripes));
	if (!chunk->stripes)
		return scp_fail_detail(volume, SCP_NO_MEMORY, NULL);
	for (i = 0; i < chunk->num_stripes; i++) {
		struct scp_chunk_stripe *stripe = &chunk->stripes[i];

		stripe->devid = le64_to_cpu(disk->stripes[i].devid);
		stripe->offset = le64_to_cpu(disk->stripes[i].offset);
		memcpy(stripe->dev_uuid, disk->stripes[i].dev_uuid, SCP_UUID_SIZE);
		stripe->device = scp_device_find(volume, stripe->devid, stripe->dev_uuid);
		if (stripe->offset >= SCP_CHUNK_LIMIT ||
		    !scp_is_aligned(stripe->offset, SCP_SECTORSIZE_MIN)) {
			scp_free(chunk->stripes);
			return fail_chunk(volume, chunk->start, "stripe offset");
		}
	}
	return 0;
}

/* Index of the first chunk that ends after @logical; map->count if none does. */
static u32 chunk_map_find(const struct scp_chunk_map *map, u64 logical)
{
	u32 low = 0, high = map->count;

	while (low < high) {
		u32 middle = low + (high - low) / 2;
		const struct scp_chunk *chunk = &map->chunks[middle];

		if (chunk->start + chunk->length <= logical)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static int chunk_map_grow(struct scp_volume *volume, struct scp_chunk_map *map)
{
	u32 capacity = map->capacity ? map->capacity * 2 : 64;
	void *chunks;

	if (map->count < map->capacity)
		return 0;
	if (capacity > SCP_CHUNKS_MAX)
		return scp_fail_detail(volume, SCP_CHUNK_FORMAT, "too many chunks");
	chunks = scp_realloc(map->chunks, map->capacity * sizeof(*map->chunks),
			     capacity * sizeof(*map->chunks));
	if (!chunks)
		return scp_fail_detail(volume, SCP_NO_MEMORY, NULL);
	map->chunks = chunks;
	map->capacity = capacity;
	return 0;
}

/* Takes over chunk->stripes if it succeeds. */
static int chunk_map_insert(struct scp_volume *volume, struct scp_chunk_map *map,
			    const struct scp_chunk *chunk)
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

int scp_chunk_map_add(struct scp_volume *volume, struct scp_chunk_map *map, u64 start,
		      const void *item, u32 size)
{
	const struct scp_disk_chunk *disk = item;
	struct scp_chunk chunk = { .start = start };
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
	if (le64_to_cpu(disk->stripe_len) != SCP_STRIPE_LEN)
		return fail_chunk(volume, start, "stripe length");
	if (size - sizeof(*disk) < chunk.num_stripes * sizeof(disk->stripes[0]))
		return fail_chunk(volume, start, "item size");
	ret = chunk_read_stripes(volume, &chunk, disk);
	if (ret)
		return ret;
	ret = chunk_map_insert(volume, map, &chunk);
	if (ret)
		scp_free(chunk.stripes);
	return ret;
}

int scp_chunk_map_bootstrap(struct scp_volume *volume, const struct scp_disk_super *super,
			    struct scp_chunk_map *map)
{
	const u8 *at = super->sys_chunk_array;
	u32 left = le32_to_cpu(super->sys_chunk_array_size);
	const struct scp_disk_chunk *disk;
	struct scp_key key;
	u32 size;
	int ret;

	while (left) {
		if (left < sizeof(struct scp_disk_key) + sizeof(*disk))
			return scp_fail_detail(volume, SCP_CHUNK_FORMAT, "superblock's chunks");
		key = scp_key_from_disk((const struct scp_disk_key *)at);
		at += sizeof(struct scp_disk_key);
		left -= sizeof(struct scp_disk_key);
		if (key.objectid != SCP_FIRST_CHUNK_ID || key.type != SCP_CHUNK_ITEM)
			return scp_fail_detail(volume, SCP_CHUNK_FORMAT, "superblock's chunks");
		ret = scp_chunk_map_add(volume, map, key.offset, at, left);
		if (ret)
			return ret;
		disk = (const struct scp_disk_chunk *)at;
		size = sizeof(*disk) + le16_to_cpu(disk->num_stripes) * sizeof(disk->stripes[0]);
		at += size;
		left -= size;
	}
	return 0;
}

const struct scp_chunk *scp_chunk_find(const struct scp_volume *volume, u64 logical)
{
	const struct scp_chunk_map *map = &volume->chunks;
	u32 at;

	if (logical >= 2 * SCP_CHUNK_LIMIT)
		return NULL;
	at = chunk_map_find(map, logical);
	if (at == map->count || map->chunks[at].start > logical)
		return NULL;
	return &map->chunks[at];
}
