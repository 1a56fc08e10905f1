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

/* The last sector of the longest file ends after its last byte. */
static bool beyond_files(const struct sendcp_extent *extent)
{
	return sum_overflows(extent->file_offset, extent->num_bytes) ||
	       extent->file_offset + extent->num_bytes > SENDCP_FILE_SIZE_MAX + 1;
}

/* Encryption was never assigned a meaning; other_encoding was not either, but is only compared. */
static bool header_valid(const struct sendcp_extent *extent)
{
	return extent->type <= SENDCP_EXTENT_PREALLOC &&
	       extent->compression <= SENDCP_COMPRESS_ZSTD && !extent->encryption;
}

/* Uncompressed data has its own length, and inline items are at the beginning of their file. */
static bool inline_valid(const struct sendcp_extent *extent)
{
	if (extent->file_offset)
		return false;
	if (extent->compression)
		return extent->ram_bytes <= SENDCP_COMPRESSED_MAX;
	return extent->ram_bytes == extent->inline_size;
}

/* ram_bytes is left out: of plain extents, old kernels did not keep it right. */
static bool sectors_aligned(const struct sendcp_extent *extent, u32 sectorsize)
{
	u64 all = extent->file_offset | extent->disk_bytenr | extent->disk_num_bytes |
		  extent->extent_offset | extent->num_bytes;

	return sendcp_is_aligned(all, sectorsize);
}

static bool range_within_disk(const struct sendcp_extent *extent)
{
	u64 end = extent->extent_offset + extent->num_bytes;

	/* A hole: the other numbers mean nothing. */
	if (!extent->disk_bytenr)
		return true;
	/*
	 * A preallocated range is never stored compressed, even if its compression field says so.
	 */
	if (!extent->compression || extent->type == SENDCP_EXTENT_PREALLOC)
		return end <= extent->disk_num_bytes;
	return end <= extent->ram_bytes && extent->ram_bytes <= SENDCP_COMPRESSED_MAX &&
	       extent->disk_num_bytes <= SENDCP_COMPRESSED_MAX && extent->disk_num_bytes;
}

static bool range_valid(const struct sendcp_extent *extent, u32 sectorsize)
{
	return extent->num_bytes && sectors_aligned(extent, sectorsize) &&
	       !beyond_files(extent) &&
	       !sum_overflows(extent->disk_bytenr, extent->disk_num_bytes) &&
	       !sum_overflows(extent->extent_offset, extent->num_bytes) &&
	       range_within_disk(extent);
}

static int parse_inline(struct sendcp_cursor *cursor, const struct sendcp_disk_extent_data *disk,
			u32 size, struct sendcp_extent *extent)
{
	extent->disk_bytenr = 0;
	extent->disk_num_bytes = 0;
	extent->extent_offset = 0;
	extent->num_bytes = extent->ram_bytes;
	extent->inline_data = (const u8 *)disk + SENDCP_EXTENT_INLINE_HEADER;
	extent->inline_size = size - SENDCP_EXTENT_INLINE_HEADER;
	return inline_valid(extent) ? 0 : sendcp_cursor_fail(cursor, SENDCP_ERR_ITEM_FORMAT);
}

static int parse_range(struct sendcp_cursor *cursor, const struct sendcp_disk_extent_data *disk,
		       u32 size, struct sendcp_extent *extent)
{
	if (size < sizeof(*disk))
		return sendcp_cursor_fail(cursor, SENDCP_ERR_ITEM_FORMAT);
	extent->disk_bytenr = le64_to_cpu(disk->disk_bytenr);
	extent->disk_num_bytes = le64_to_cpu(disk->disk_num_bytes);
	extent->extent_offset = le64_to_cpu(disk->offset);
	extent->num_bytes = le64_to_cpu(disk->num_bytes);
	extent->inline_data = NULL;
	extent->inline_size = 0;
	/* The only place where an item's numbers and the volume's geometry meet. */
	if (!range_valid(extent, cursor->tree->volume->sectorsize))
		return sendcp_cursor_fail(cursor, SENDCP_ERR_ITEM_FORMAT);
	return 0;
}

int sendcp_extent_parse(struct sendcp_cursor *cursor, struct sendcp_extent *extent)
{
	const struct sendcp_disk_extent_data *disk;
	struct sendcp_key key = sendcp_cursor_key(cursor);
	const void *item;
	u32 size;
	int err;

	err = sendcp_cursor_item_least(cursor, SENDCP_EXTENT_INLINE_HEADER, &item, &size);
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
		return sendcp_cursor_fail(cursor, SENDCP_ERR_ITEM_FORMAT);
	if (extent->type == SENDCP_EXTENT_INLINE)
		return parse_inline(cursor, disk, size, extent);
	return parse_range(cursor, disk, size, extent);
}

/* An inline item's file range reaches to the end of its sector: nothing else can be there. */
u64 sendcp_extent_end(const struct sendcp_extent *extent, u32 sectorsize)
{
	u64 end = extent->file_offset + extent->num_bytes;

	return extent->type == SENDCP_EXTENT_INLINE ? sendcp_round_up(end, sectorsize) : end;
}

bool sendcp_extent_is_hole(const struct sendcp_extent *extent)
{
	return extent->type == SENDCP_EXTENT_REGULAR && !extent->disk_bytenr;
}

int sendcp_extent_find(struct sendcp_cursor *cursor, u64 ino, u64 offset,
		       struct sendcp_extent *extent)
{
	struct sendcp_key key = { .objectid = ino, .type = SENDCP_EXTENT_DATA, .offset = offset };
	int err;

	err = sendcp_search_last(cursor, &key);
	if (err)
		return err;
	key = sendcp_cursor_key(cursor);
	if (key.objectid != ino || key.type != SENDCP_EXTENT_DATA)
		return -ENOENT;
	return sendcp_extent_parse(cursor, extent);
}

int sendcp_extent_find_next(struct sendcp_cursor *cursor, u64 ino, u64 from, u64 end,
			    struct sendcp_extent *extent)
{
	struct sendcp_key key = { .objectid = ino, .type = SENDCP_EXTENT_DATA, .offset = from };
	int err = sendcp_item_find(cursor, &key);

	if (err)
		return err;
	if (sendcp_cursor_key(cursor).offset >= end)
		return -ENOENT;
	return sendcp_extent_parse(cursor, extent);
}

int sendcp_extent_get(struct sendcp_cursor *cursor, u64 ino, u64 offset,
		      struct sendcp_extent *extent)
{
	struct sendcp_key key = { .objectid = ino, .type = SENDCP_EXTENT_DATA, .offset = offset };
	int err = sendcp_search_exact(cursor, &key);

	return err ? err : sendcp_extent_parse(cursor, extent);
}
