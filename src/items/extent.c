// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * EXTENT_DATA: the place of a file's bytes.
 *
 * The checks are such that the user of an item can add its numbers up without looking: no sum
 * wraps, no range is empty, and every part is within the extent it is a part of.
 */
#include "items/items.h"

/* Unsigned, so that wrapping is defined, and seen by the sum being smaller than its parts. */
static bool sum_overflows(u64 a, u64 b)
{
	return a + b < a;
}

/* Encryption was never assigned a meaning; other_encoding was not either, but is only compared. */
static bool header_valid(const struct scp_extent *extent)
{
	return extent->type <= SCP_EXTENT_PREALLOC && extent->compression <= SCP_COMPRESS_ZSTD &&
	       !extent->encryption;
}

/* Uncompressed data has its own length, and inline items are at the beginning of their file. */
static bool inline_valid(const struct scp_extent *extent)
{
	if (extent->file_offset)
		return false;
	if (extent->compression)
		return extent->ram_bytes <= SCP_COMPRESSED_MAX;
	return extent->ram_bytes == extent->inline_size;
}

/* ram_bytes is left out: of plain extents, old kernels did not keep it right. */
static bool sectors_aligned(const struct scp_extent *extent, u32 sectorsize)
{
	u64 all = extent->file_offset | extent->disk_bytenr | extent->disk_num_bytes |
		  extent->extent_offset | extent->num_bytes;

	return scp_is_aligned(all, sectorsize);
}

static bool range_within_disk(const struct scp_extent *extent)
{
	u64 end = extent->extent_offset + extent->num_bytes;

	/* A hole: the other numbers mean nothing. */
	if (!extent->disk_bytenr)
		return true;
	/*
	 * A preallocated range is never stored compressed, even if its compression field says so.
	 */
	if (!extent->compression || extent->type == SCP_EXTENT_PREALLOC)
		return end <= extent->disk_num_bytes;
	return end <= extent->ram_bytes && extent->ram_bytes <= SCP_COMPRESSED_MAX &&
	       extent->disk_num_bytes <= SCP_COMPRESSED_MAX && extent->disk_num_bytes;
}

static bool range_valid(const struct scp_extent *extent, u32 sectorsize)
{
	return extent->num_bytes && sectors_aligned(extent, sectorsize) &&
	       !sum_overflows(extent->file_offset, extent->num_bytes) &&
	       !sum_overflows(extent->disk_bytenr, extent->disk_num_bytes) &&
	       !sum_overflows(extent->extent_offset, extent->num_bytes) &&
	       range_within_disk(extent);
}

static int parse_inline(struct scp_cursor *cursor, const struct scp_disk_extent_data *disk,
			u32 size, struct scp_extent *extent)
{
	extent->disk_bytenr = 0;
	extent->disk_num_bytes = 0;
	extent->extent_offset = 0;
	extent->num_bytes = extent->ram_bytes;
	extent->inline_data = (const u8 *)disk + SCP_EXTENT_INLINE_HEADER;
	extent->inline_size = size - SCP_EXTENT_INLINE_HEADER;
	return inline_valid(extent) ? 0 : scp_cursor_fail(cursor, SCP_ITEM_FORMAT);
}

static int parse_range(struct scp_cursor *cursor, const struct scp_disk_extent_data *disk,
		       u32 size, struct scp_extent *extent)
{
	if (size < sizeof(*disk))
		return scp_cursor_fail(cursor, SCP_ITEM_FORMAT);
	extent->disk_bytenr = le64_to_cpu(disk->disk_bytenr);
	extent->disk_num_bytes = le64_to_cpu(disk->disk_num_bytes);
	extent->extent_offset = le64_to_cpu(disk->offset);
	extent->num_bytes = le64_to_cpu(disk->num_bytes);
	extent->inline_data = NULL;
	extent->inline_size = 0;
	/* The only place where an item's numbers and the volume's geometry meet. */
	if (!range_valid(extent, cursor->tree->volume->sectorsize))
		return scp_cursor_fail(cursor, SCP_ITEM_FORMAT);
	return 0;
}

int scp_extent_parse(struct scp_cursor *cursor, struct scp_extent *extent)
{
	const struct scp_disk_extent_data *disk;
	struct scp_key key = scp_cursor_key(cursor);
	const void *item;
	u32 size;
	int err;

	err = scp_cursor_item_least(cursor, SCP_EXTENT_INLINE_HEADER, &item, &size);
	if (err)
		return err;
	disk = item;
	extent->ino = key.objectid;
	extent->file_offset = key.offset;
	extent->generation = le64_to_cpu(disk->generation);
	extent->ram_bytes = le64_to_cpu(disk->ram_bytes);
	extent->compression = disk->compression;
	extent->encryption = disk->encryption;
	extent->other_encoding = le16_to_cpu(disk->other_encoding);
	extent->type = disk->type;
	if (!header_valid(extent))
		return scp_cursor_fail(cursor, SCP_ITEM_FORMAT);
	if (extent->type == SCP_EXTENT_INLINE)
		return parse_inline(cursor, disk, size, extent);
	return parse_range(cursor, disk, size, extent);
}

/* An inline item's file range reaches to the end of its sector: nothing else can be there. */
u64 scp_extent_end(const struct scp_extent *extent, u32 sectorsize)
{
	u64 end = extent->file_offset + extent->num_bytes;

	return extent->type == SCP_EXTENT_INLINE ? scp_round_up(end, sectorsize) : end;
}

bool scp_extent_is_hole(const struct scp_extent *extent)
{
	return extent->type == SCP_EXTENT_REGULAR && !extent->disk_bytenr;
}

int scp_extent_find(struct scp_cursor *cursor, u64 ino, u64 offset, struct scp_extent *extent)
{
	struct scp_key key = { .objectid = ino, .type = SCP_EXTENT_DATA, .offset = offset };
	int err;

	err = scp_search_last(cursor, &key);
	if (err)
		return err;
	key = scp_cursor_key(cursor);
	if (key.objectid != ino || key.type != SCP_EXTENT_DATA)
		return -ENOENT;
	return scp_extent_parse(cursor, extent);
}

int scp_extent_find_next(struct scp_cursor *cursor, u64 ino, u64 from, u64 end,
			 struct scp_extent *extent)
{
	struct scp_key key = { .objectid = ino, .type = SCP_EXTENT_DATA, .offset = from };
	int err = scp_item_find(cursor, &key);

	if (err)
		return err;
	if (scp_cursor_key(cursor).offset >= end)
		return -ENOENT;
	return scp_extent_parse(cursor, extent);
}

int scp_extent_get(struct scp_cursor *cursor, u64 ino, u64 offset, struct scp_extent *extent)
{
	struct scp_key key = { .objectid = ino, .type = SCP_EXTENT_DATA, .offset = offset };
	int err = scp_search_exact(cursor, &key);

	return err ? err : scp_extent_parse(cursor, extent);
}
