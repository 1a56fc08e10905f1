// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Cloning a range: along the source file's items, each part that has the same bytes in the same
 * extent is cloned, everything else is written.
 *
 * One item of the source is looked at per step, so that each step makes at most one command, and
 * what is left is in state.range.
 */
#include "send/engine_private.h"
#include "send/path.h"
#include "send/range.h"

/* Receivers of any sector size up to this must be able to clone what ends at the source's end. */
#define CLONE_ALIGN 65536u

/* The part of the source that one of its items covers. */
struct source_part {
	struct sendcp_extent extent;
	u64 length;
	/* The source file ends within the item. */
	bool crosses_end;
	u64 source_size;
};

static void write_part(struct sendcp_data_range *range, u64 length)
{
	range->write_end = range->offset + length;
	range->clone_offset += length;
	range->extent_offset += length;
}

/* Puts @cursor on the next item of the source file; -ENOENT if there is none. */
static int next_item(struct sendcp_cursor *cursor, const struct sendcp_data_range *range,
		     struct sendcp_extent *extent)
{
	u64 from = range->clone_next;
	int err;

	if (!range->clone_started) {
		from = range->clone_offset;
		err = sendcp_extent_find(cursor, range->clone_ino, from, extent);
		if (err != -ENOENT)
			return err;
	}
	return sendcp_extent_find_next(cursor, range->clone_ino, from, ~0ULL, extent);
}

static int send_clone(struct sendcp_engine *engine, struct sendcp_data_range *range,
		      struct sendcp_clone_root *root, u64 length)
{
	const struct sendcp_root_info *info = &root->tree.info;
	struct sendcp_inode inode;
	int err = sendcp_current_path(engine, &engine->path_a);

	if (!err)
		err = sendcp_inode_get(&root->tree, range->clone_ino, &inode);
	if (err)
		return err == -ENOENT ? sendcp_send_fail(engine, SENDCP_ERR_INCONSISTENT) : err;
	if (root->is_send_root)
		err = sendcp_path_of(engine, range->clone_ino, inode.generation, &engine->path_b);
	else
		err = sendcp_path_in_tree(engine, &root->tree, range->clone_ino, &engine->path_b);
	if (err)
		return err;
	sendcp_command_begin(&engine->encoder, SENDCP_C_CLONE);
	sendcp_put_u64(&engine->encoder, SENDCP_A_FILE_OFFSET, range->offset);
	sendcp_put_u64(&engine->encoder, SENDCP_A_CLONE_LEN, length);
	sendcp_put_path(&engine->encoder, SENDCP_A_PATH, &engine->path_a);
	sendcp_put_bytes(&engine->encoder, SENDCP_A_CLONE_UUID, sendcp_sent_uuid(info),
			 SENDCP_UUID_SIZE);
	sendcp_put_u64(&engine->encoder, SENDCP_A_CLONE_CTRANSID, info->ctransid);
	sendcp_put_path(&engine->encoder, SENDCP_A_CLONE_PATH, &engine->path_b);
	sendcp_put_u64(&engine->encoder, SENDCP_A_CLONE_OFFSET, range->clone_offset);
	return sendcp_command_end(&engine->encoder);
}

/*
 * The kernel writes what rounding left over even if that is nothing, which shows without file data:
 * an update of no bytes.
 */
static int send_leftover(struct sendcp_engine *engine, const struct sendcp_data_range *range,
			 u64 cloned, u64 length)
{
	if (cloned < length || !(engine->flags & SENDCP_SEND_NO_FILE_DATA))
		return 0;
	return sendcp_send_update_extent(engine, range->offset + length, 0);
}

/* The item has the wanted bytes of the wanted extent: clone @length of them. */
static int clone_part(struct sendcp_engine *engine, struct sendcp_data_range *range,
		      struct sendcp_clone_root *root, u64 source_size, u64 length)
{
	u64 source_end = range->clone_offset + length;
	bool round = source_end == source_size && !sendcp_is_aligned(source_end, CLONE_ALIGN) &&
		     range->offset + length < engine->state.size;
	u64 cloned = round ? sendcp_round_down(length, CLONE_ALIGN) : length;
	int err = 0;

	if (cloned)
		err = send_clone(engine, range, root, cloned);
	if (!err && round)
		err = send_leftover(engine, range, cloned, length);
	range->write_end = range->offset + length;
	range->offset += cloned;
	range->clone_offset += length;
	range->extent_offset += length;
	return err;
}

/* Is the position in the source part that has the bytes that the range wants? May move it. */
static bool align_to_part(struct sendcp_data_range *range, struct source_part *part,
			  u64 disk_bytenr)
{
	u64 begin = part->extent.extent_offset;
	u64 skip;

	if (part->extent.type == SENDCP_EXTENT_INLINE || part->extent.disk_bytenr != disk_bytenr)
		return false;
	range->clone_offset = part->extent.file_offset;
	if (begin < range->extent_offset && range->extent_offset - begin < part->length) {
		skip = range->extent_offset - begin;
		part->length -= skip;
		range->clone_offset += skip;
		begin = range->extent_offset;
	}
	return begin == range->extent_offset;
}

/*
 * Measures the part up to the end of the item, or of the file within it. Inline items count as
 * whole sectors. 0: the item begins after the file's end.
 */
static bool measure_part(struct sendcp_engine *engine, struct source_part *part)
{
	const struct sendcp_extent *extent = &part->extent;
	u64 end = sendcp_extent_end(extent, engine->volume->sectorsize);

	if (extent->file_offset >= part->source_size)
		return false;
	part->crosses_end = end > part->source_size;
	part->length = sendcp_min(end, part->source_size) - extent->file_offset;
	return true;
}

/* Has what follows in the source, the file being sent itself, not been sent yet? */
static bool source_is_ahead(const struct sendcp_engine *engine,
			    const struct sendcp_data_range *range,
			    const struct sendcp_clone_root *root)
{
	return root->is_send_root && range->clone_ino == engine->state.ino &&
	       range->clone_offset >= engine->state.next_write_offset;
}

static int use_part(struct sendcp_engine *engine, struct sendcp_data_range *range,
		    struct sendcp_clone_root *root, struct source_part *part, u64 disk_bytenr)
{
	u64 remaining = range->end - range->offset;
	bool usable = align_to_part(range, part, disk_bytenr);
	u64 length = sendcp_min(part->length, remaining);
	int err = 0;

	range->clone_next = part->extent.file_offset + 1;
	if (!usable && part->crosses_end && length < remaining) {
		range->cloning = false;
		return 0;
	}
	if (usable)
		err = clone_part(engine, range, root, part->source_size, length);
	else
		write_part(range, length);
	if (source_is_ahead(engine, range, root))
		range->cloning = false;
	return err;
}

/* Judges the item @part by the position of the range in the source. */
static int judge_part(struct sendcp_engine *engine, struct sendcp_data_range *range,
		      struct sendcp_clone_root *root, struct source_part *part, u64 disk_bytenr)
{
	u64 remaining = range->end - range->offset;
	u64 begin = part->extent.file_offset;

	range->clone_started = true;
	if (sendcp_extent_end(&part->extent, engine->volume->sectorsize) <= range->clone_offset) {
		range->clone_next = begin + 1;
		return 0;
	}
	range->clone_next = begin;
	if (begin > range->clone_offset) {
		write_part(range, sendcp_min(begin - range->clone_offset, remaining));
		return 0;
	}
	if (begin >= range->clone_offset + remaining || !measure_part(engine, part)) {
		range->cloning = false;
		return 0;
	}
	return use_part(engine, range, root, part, disk_bytenr);
}

/* The extent being sent, as its item says now: it may have been relocated since. */
static int sent_bytenr(struct sendcp_engine *engine, u64 *bytenr)
{
	struct sendcp_extent extent;
	int err = sendcp_cursor_to_item(engine);

	if (!err)
		err = sendcp_extent_parse(&engine->item_cursor, &extent);
	if (!err)
		*bytenr = extent.disk_bytenr;
	return err;
}

int sendcp_step_clone(struct sendcp_engine *engine, struct sendcp_data_range *range)
{
	int index = sendcp_clone_root_index(&engine->clones, range->clone_root);
	struct source_part part = { 0 };
	struct sendcp_clone_root *root;
	struct sendcp_cursor cursor;
	struct sendcp_inode inode;
	u64 bytenr = 0;
	int err;

	/* Only a forged checkpoint names one that is none. */
	if (index < 0)
		return sendcp_send_fail(engine, SENDCP_ERR_CHECKPOINT_FORMAT);
	root = &engine->roots[index];
	err = sent_bytenr(engine, &bytenr);
	if (err)
		return err;
	err = sendcp_inode_get(&root->tree, range->clone_ino, &inode);
	if (err)
		return err == -ENOENT ? sendcp_send_fail(engine, SENDCP_ERR_INCONSISTENT) : err;
	part.source_size = inode.size;
	sendcp_cursor_init(&cursor, &root->tree);
	err = next_item(&cursor, range, &part.extent);
	if (!err) {
		err = judge_part(engine, range, root, &part, bytenr);
	} else if (err == -ENOENT) {
		range->cloning = false;
		err = 0;
	}
	sendcp_cursor_release(&cursor);
	return err;
}
