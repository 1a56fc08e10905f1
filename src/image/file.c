// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * File contents from extent items.
 *
 * A send reads files in order, in pieces smaller than their extents. So two things are kept
 * between calls: the extent decompressed last, and a window of stored bytes read ahead. Both are
 * named by disk address, which is sound because an image does not change while it is read.
 */
#include <sendcp/file.h>

#include "data/data.h"
#include "items/items.h"

#define WINDOW_SIZE (512u << 10)

struct sendcp_file_reader {
	struct sendcp_volume *volume;
	/* Of the file read last; ->tree.volume is NULL before. */
	struct sendcp_tree tree;
	/* Stored bytes [window_start, + window_length). */
	u8 *window;
	u64 window_start;
	u32 window_length;
	/* The end of the last uncompressed read: one that begins there gets the window. */
	u64 next_logical;
	/* A compressed extent, as stored and expanded; the latter if plain_length is not 0. */
	u8 *stored;
	u8 *plain;
	u64 plain_bytenr;
	u64 plain_stored_length;
	u32 plain_length;
	u8 plain_compression;
};

/* One call: which part of the file is to be filled next. */
struct file_read {
	struct sendcp_file_reader *reader;
	struct sendcp_volume *volume;
	const struct sendcp_file_range *range;
	struct sendcp_cursor cursor;
	u64 position;
	u64 end;
	u8 *out;
};

struct sendcp_file_reader *sendcp_file_reader_open(struct sendcp_volume *volume)
{
	struct sendcp_file_reader *reader = sendcp_zalloc(sizeof(*reader));

	if (!reader)
		return NULL;
	reader->volume = volume;
	reader->window = sendcp_alloc_aligned(WINDOW_SIZE);
	reader->stored = sendcp_alloc_aligned(SENDCP_COMPRESSED_MAX);
	reader->plain = sendcp_alloc_aligned(SENDCP_COMPRESSED_MAX);
	reader->next_logical = SENDCP_NOWHERE;
	if (reader->window && reader->stored && reader->plain)
		return reader;
	sendcp_file_reader_close(reader);
	return NULL;
}

void sendcp_file_reader_close(struct sendcp_file_reader *reader)
{
	if (!reader)
		return;
	sendcp_free_aligned(reader->window, WINDOW_SIZE);
	sendcp_free_aligned(reader->stored, SENDCP_COMPRESSED_MAX);
	sendcp_free_aligned(reader->plain, SENDCP_COMPRESSED_MAX);
	sendcp_free(reader);
}

/* Like sendcp_fail(), with the place in the file. */
static int fail_at(struct file_read *file, enum sendcp_reason reason, u64 bytenr)
{
	return sendcp_fail(file->volume, reason, 0, &(struct sendcp_place){
		.bytenr = bytenr,
		.root = file->range->root,
		.inode = file->range->inode,
		.offset = file->position,
	});
}

static void advance(struct file_read *file, u64 length)
{
	file->position += length;
	file->out += length;
}

/* @until may be after the end of the request. */
static void fill_zeros(struct file_read *file, u64 until)
{
	u64 length = sendcp_min(until, file->end) - file->position;

	memset(file->out, 0, length);
	advance(file, length);
}

/* Serves what the window has of [@logical, + @length) from its beginning on; 0: nothing. */
static u32 copy_from_window(struct sendcp_file_reader *reader, u64 logical, u32 length, u8 *out)
{
	u64 window_end = reader->window_start + reader->window_length;
	u32 run;

	if (logical < reader->window_start || logical >= window_end)
		return 0;
	run = (u32)sendcp_min(length, window_end - logical);
	memcpy(out, reader->window + (logical - reader->window_start), run);
	return run;
}

/*
 * Reads ahead up to @limit. Failing is no error: the bad sector may be one that nobody asks for,
 * and if it is not, reading it alone gives the error with the right place.
 */
static bool fill_window(struct file_read *file, u64 logical, u64 limit)
{
	struct sendcp_file_reader *reader = file->reader;
	u64 start = sendcp_round_down(logical, file->volume->sectorsize);
	u32 want = (u32)sendcp_min(WINDOW_SIZE, limit - start);

	reader->window_length = 0;
	if (sendcp_volume_read_data(file->volume, start, want, reader->window))
		return false;
	reader->window_start = start;
	reader->window_length = want;
	return true;
}

/* Copies stored bytes [@logical, + @length); the extent they are part of ends at @limit. */
static int read_stored(struct file_read *file, u64 logical, u32 length, u64 limit)
{
	struct sendcp_file_reader *reader = file->reader;
	bool in_order = logical == reader->next_logical;
	u8 *out = file->out;
	u64 at = logical;
	u32 left = length;
	u32 run;

	run = copy_from_window(reader, at, left, out);
	if (run < left && in_order && limit - (at + run) > left - run &&
	    fill_window(file, at + run, limit)) {
		at += run;
		out += run;
		left -= run;
		run = copy_from_window(reader, at, left, out);
	}
	reader->next_logical = logical + length;
	if (run == left)
		return 0;
	return sendcp_volume_read_data(file->volume, at + run, left - run, out + run);
}

/*
 * An uncompressed extent. The parser has checked that the item fits its disk range; it is checked
 * here again because a wrong @length would write over the caller's memory.
 */
static int copy_regular(struct file_read *file, const struct sendcp_extent *extent, u32 length)
{
	u64 into = extent->extent_offset + (file->position - extent->file_offset);
	u64 logical = extent->disk_bytenr + into;
	int ret;

	if (into > extent->disk_num_bytes || extent->disk_num_bytes - into < length ||
	    extent->disk_bytenr + extent->disk_num_bytes < extent->disk_bytenr)
		return sendcp_cursor_fail(&file->cursor, SENDCP_ERR_ITEM_FORMAT);
	ret = read_stored(file, logical, length, extent->disk_bytenr + extent->disk_num_bytes);
	if (ret) {
		u64 bad = file->volume->error.bytenr;

		/* Name the bad sector's place in the file where the address gives it. */
		if (bad != SENDCP_NOWHERE && bad > logical && bad - logical < length)
			advance(file, bad - logical);
		return ret;
	}
	advance(file, length);
	return 0;
}

/*
 * Is reader->plain that extent? All of these must agree: two items may name the same bytes on the
 * disk with different sizes, and both be what somebody wrote there on purpose.
 */
static bool is_expanded(const struct sendcp_file_reader *reader, const struct sendcp_extent *extent)
{
	return reader->plain_length && reader->plain_bytenr == extent->disk_bytenr &&
	       reader->plain_stored_length == extent->disk_num_bytes &&
	       reader->plain_length == extent->ram_bytes &&
	       reader->plain_compression == extent->compression;
}

/* Expands @stored, all of @extent's bytes, from @bytenr (0: inline), into reader->plain. */
static int decompress(struct file_read *file, const struct sendcp_extent *extent, const u8 *stored,
		      u32 size, u64 bytenr)
{
	const struct sendcp_host *host = file->volume->host;
	int ret = host->ops->decompress(host->private, extent->compression,
					file->volume->sectorsize, stored, size,
					file->reader->plain, (u32)extent->ram_bytes);

	if (ret == -ENOMEM)
		return fail_at(file, SENDCP_ERR_NO_MEMORY, 0);
	return ret ? fail_at(file, SENDCP_ERR_DATA_DECOMPRESS, bytenr) : 0;
}

/* Makes reader->plain the expanded form of @extent. */
static int expand_extent(struct file_read *file, const struct sendcp_extent *extent)
{
	struct sendcp_file_reader *reader = file->reader;
	int ret;

	if (is_expanded(reader, extent))
		return 0;
	reader->plain_length = 0;
	if (extent->disk_num_bytes > SENDCP_COMPRESSED_MAX ||
	    extent->ram_bytes > SENDCP_COMPRESSED_MAX)
		return sendcp_cursor_fail(&file->cursor, SENDCP_ERR_ITEM_FORMAT);
	ret = sendcp_volume_read_data(file->volume, extent->disk_bytenr,
				      (u32)extent->disk_num_bytes, reader->stored);
	if (!ret)
		ret = decompress(file, extent, reader->stored, (u32)extent->disk_num_bytes,
				 extent->disk_bytenr);
	if (ret)
		return ret;
	reader->plain_bytenr = extent->disk_bytenr;
	reader->plain_stored_length = extent->disk_num_bytes;
	reader->plain_length = (u32)extent->ram_bytes;
	reader->plain_compression = extent->compression;
	return 0;
}

/* Copies from @bytes, which hold the file from @start on; after them the file reads as zeros. */
static void copy_bytes(struct file_read *file, const u8 *bytes, u64 size, u64 start, u32 length)
{
	u64 into = file->position - start;
	u64 there = into < size ? sendcp_min(size - into, length) : 0;

	if (there)
		memcpy(file->out, bytes + into, there);
	memset(file->out + there, 0, length - there);
	advance(file, length);
}

/* Whole extents are expanded, since none of the formats can begin in the middle. */
static int copy_compressed(struct file_read *file, const struct sendcp_extent *extent, u32 length)
{
	u64 into = extent->extent_offset + (file->position - extent->file_offset);
	int ret;

	ret = expand_extent(file, extent);
	if (ret)
		return ret;
	if (into > extent->ram_bytes || extent->ram_bytes - into < length)
		return sendcp_cursor_fail(&file->cursor, SENDCP_ERR_ITEM_FORMAT);
	copy_bytes(file, file->reader->plain + into, length, file->position, length);
	return 0;
}

/* Inline data of any kind ends where the file does; the rest of its sector reads as zeros. */
static int copy_inline(struct file_read *file, const struct sendcp_extent *extent, u32 length)
{
	struct sendcp_file_reader *reader = file->reader;
	int ret;

	if (extent->compression == SENDCP_COMPRESS_NONE) {
		copy_bytes(file, extent->inline_data, extent->inline_size, extent->file_offset,
			   length);
		return 0;
	}
	reader->plain_length = 0;
	if (extent->ram_bytes > SENDCP_COMPRESSED_MAX)
		return sendcp_cursor_fail(&file->cursor, SENDCP_ERR_ITEM_FORMAT);
	ret = decompress(file, extent, extent->inline_data, extent->inline_size, 0);
	if (ret)
		return ret;
	copy_bytes(file, reader->plain, extent->ram_bytes, extent->file_offset, length);
	return 0;
}

/* Fills from the position to the end of @extent, which covers the position. */
static int copy_extent(struct file_read *file, const struct sendcp_extent *extent)
{
	u64 extent_end = sendcp_extent_end(extent, file->volume->sectorsize);
	u32 length = (u32)(sendcp_min(extent_end, file->end) - file->position);

	if (extent->encryption || extent->other_encoding)
		return sendcp_cursor_fail(&file->cursor, SENDCP_ERR_ITEM_FORMAT);
	if (extent->type == SENDCP_EXTENT_INLINE)
		return copy_inline(file, extent, length);
	if (extent->type == SENDCP_EXTENT_PREALLOC || sendcp_extent_is_hole(extent)) {
		fill_zeros(file, extent_end);
		return 0;
	}
	if (extent->compression != SENDCP_COMPRESS_NONE)
		return copy_compressed(file, extent, length);
	return copy_regular(file, extent, length);
}

/* Parses the item under the cursor: 1 if it is an extent of the file, 0 if the file has no more. */
static int parse_extent(struct file_read *file, int found, struct sendcp_extent *extent)
{
	struct sendcp_key key;
	int ret;

	if (found == -ENOENT)
		return 0;
	if (found < 0)
		return found;
	key = sendcp_cursor_key(&file->cursor);
	if (key.objectid != file->range->inode || key.type != SENDCP_EXTENT_DATA)
		return 0;
	ret = sendcp_extent_parse(&file->cursor, extent);
	return ret ? ret : 1;
}

/* The first extent that ends after the position: 1, or 0 if there is none. */
static int first_extent(struct file_read *file, struct sendcp_extent *extent)
{
	const struct sendcp_key key = {
		.objectid = file->range->inode,
		.type = SENDCP_EXTENT_DATA,
		.offset = file->position,
	};
	int ret;

	ret = sendcp_extent_find(&file->cursor, key.objectid, key.offset, extent);
	if (ret == -ENOENT)
		return parse_extent(file, sendcp_search(&file->cursor, &key), extent);
	if (ret)
		return ret;
	if (sendcp_extent_end(extent, file->volume->sectorsize) > file->position)
		return 1;
	return parse_extent(file, sendcp_next(&file->cursor), extent);
}

/*
 * Walks the items in key order. Gaps between them, and after the last, are holes. Every item moves
 * the position forward or ends the walk, so that no tree can make it endless.
 */
static int read_extents(struct file_read *file)
{
	struct sendcp_extent extent;
	int ret;

	ret = first_extent(file, &extent);
	while (ret > 0 && file->position < file->end) {
		if (extent.file_offset > file->position)
			fill_zeros(file, extent.file_offset);
		if (file->position == file->end)
			break;
		if (sendcp_extent_end(&extent, file->volume->sectorsize) <= file->position)
			return sendcp_cursor_fail(&file->cursor, SENDCP_ERR_ITEM_FORMAT);
		ret = copy_extent(file, &extent);
		if (ret)
			return ret;
		ret = parse_extent(file, sendcp_next(&file->cursor), &extent);
	}
	if (ret < 0)
		return ret;
	fill_zeros(file, file->end);
	return 0;
}

/* Copies the volume's error, with the place in the file added. */
static int place_error(const struct file_read *file, int err, struct sendcp_error *error)
{
	*error = file->volume->error;
	if (error->reason == SENDCP_ERR_NONE) {
		sendcp_error_clear(error);
		error->reason = SENDCP_ERR_DATA_READ;
	}
	error->err = err;
	error->root = file->range->root;
	error->inode = file->range->inode;
	error->offset = file->position;
	return err;
}

/* The tree of @root is looked up once: files of one subvolume are read one after the other. */
static int open_tree(struct sendcp_file_reader *reader, u64 root)
{
	int ret;

	if (reader->tree.volume && reader->tree.id == root)
		return 0;
	ret = sendcp_tree_open(reader->volume, root, false, &reader->tree);
	if (ret)
		reader->tree.volume = NULL;
	return ret;
}

int sendcp_file_read(struct sendcp_file_reader *reader, const struct sendcp_file_range *range,
		     void *buffer, struct sendcp_error *error)
{
	struct file_read file = {
		.reader = reader,
		.volume = reader->volume,
		.range = range,
		.position = range->offset,
		.end = range->offset + range->length,
		.out = buffer,
	};
	int ret = open_tree(reader, range->root);

	if (ret)
		return place_error(&file, ret, error);
	sendcp_cursor_init(&file.cursor, &reader->tree);
	ret = read_extents(&file);
	sendcp_cursor_release(&file.cursor);
	return ret ? place_error(&file, ret, error) : 0;
}
