// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * An EXTENT_DATA change: nothing, or a range that is written or cloned.
 *
 * The decision is made once, here, and stored in state.range, for it may not come out the same
 * again: the search looks at other subvolumes, and its backref cache changes with each search. So
 * there is one search for each extent that native send searches for, and none for any other.
 */
#include "send/attributes.h"
#include "send/contents.h"
#include "send/engine_private.h"
#include "send/extent.h"

bool sendcp_extent_is_implied(const struct sendcp_extent *extent)
{
	return extent->type == SENDCP_EXTENT_PREALLOC || sendcp_extent_is_hole(extent);
}

static int find_source(struct sendcp_engine *engine, const struct sendcp_extent *extent,
		       u64 leaf_owner, struct sendcp_clone_source *source)
{
	const struct sendcp_state *state = &engine->state;
	struct sendcp_clone_wanted wanted = {
		.extent = extent,
		.leaf_owner = leaf_owner,
		.ino = state->ino,
		.inode_size = state->size,
		.next_write_offset = state->next_write_offset,
	};

	if (extent->type == SENDCP_EXTENT_INLINE || !extent->disk_bytenr)
		return 0;
	return sendcp_clone_find(&engine->clones, &wanted, source);
}

/*
 * A range that ends within a sector can only be cloned from where its source ends too, since file
 * systems clone whole sectors except at the end of both files. 1: so it is.
 */
static int ends_together(struct sendcp_engine *engine, const struct sendcp_clone_source *source,
			 u64 length)
{
	struct sendcp_inode inode;
	int err = sendcp_inode_get(&engine->roots[source->root].tree, source->ino, &inode);

	if (err)
		return err == -ENOENT ? sendcp_send_fail(engine, SENDCP_ERR_INCONSISTENT) : err;
	return source->offset + length == inode.size;
}

/* 1: the range [offset, end) can be cloned from @source, seen from where it ends. */
static int may_clone(struct sendcp_engine *engine, const struct sendcp_clone_source *source,
		     u64 offset, u64 end)
{
	int ret;

	if (sendcp_is_aligned(end, engine->volume->sectorsize))
		return 1;
	if (end != engine->state.size)
		return 0;
	ret = ends_together(engine, source, end - offset);
	if (ret <= 0 || !engine->parent)
		return ret;
	/* Contents of the old file after the range would be in the way of its unaligned end. */
	ret = sendcp_send_truncate(engine, offset);
	return ret ? ret : 1;
}

/*
 * Damaged contents of this subvolume were replaced where the receiver would clone them from, and
 * the marks say so of that place only. So they are written, and marked here, too. 1: all can be
 * read.
 */
static int source_is_whole(struct sendcp_engine *engine, const struct sendcp_clone_source *source,
			   u64 offset, u64 end)
{
	if (!sendcp_replaces_damage(engine) || engine->measuring ||
	    !engine->roots[source->root].is_send_root)
		return 1;
	return sendcp_contents_are_readable(engine, offset, end);
}

static void start_range(struct sendcp_engine *engine, const struct sendcp_extent *extent, u64 end,
			const struct sendcp_clone_source *source, enum sendcp_phase then)
{
	struct sendcp_data_range *range = &engine->state.range;

	memset(range, 0, sizeof(*range));
	range->kind = SENDCP_RANGE_DATA;
	range->then = then;
	range->offset = extent->file_offset;
	range->end = end;
	range->extent_offset = extent->extent_offset;
	if (source) {
		range->cloning = true;
		range->clone_root = engine->roots[source->root].tree.id;
		range->clone_ino = source->ino;
		range->clone_offset = source->offset;
	} else {
		range->write_end = end;
	}
	engine->state.phase = SENDCP_PHASE_RANGE;
}

/* @extent is in a leaf of @leaf_owner: writes or clones the part of it that is in the file. */
static int send_extent(struct sendcp_engine *engine, const struct sendcp_extent *extent,
		       u64 leaf_owner, enum sendcp_phase then)
{
	struct sendcp_clone_source source;
	u32 sectorsize = engine->volume->sectorsize;
	u64 end = sendcp_min(sendcp_extent_end(extent, sectorsize), engine->state.size);
	bool clone;
	int ret;

	engine->state.phase = then;
	if (end <= extent->file_offset)
		return 0;
	ret = find_source(engine, extent, leaf_owner, &source);
	if (ret > 0)
		ret = source_is_whole(engine, &source, extent->file_offset, end);
	if (ret > 0)
		ret = may_clone(engine, &source, extent->file_offset, end);
	if (ret < 0)
		return ret;
	/* The kernel clones no sector from a file's beginning. */
	clone = ret && (source.offset || end - extent->file_offset != sectorsize);
	start_range(engine, extent, end, clone ? &source : NULL, then);
	return 0;
}

int sendcp_send_extent(struct sendcp_engine *engine, enum sendcp_phase then)
{
	struct sendcp_extent extent;
	int err;

	if (S_ISLNK(engine->state.mode))
		return 0;
	err = sendcp_extent_parse(&engine->item_cursor, &extent);
	if (err || sendcp_extent_is_implied(&extent))
		return err;
	return send_extent(engine, &extent, engine->item_cursor.path[0]->owner, then);
}

void sendcp_write_extent_end(struct sendcp_engine *engine, const struct sendcp_extent *extent,
			     u64 from, enum sendcp_phase then)
{
	struct sendcp_data_range *range = &engine->state.range;
	u64 end = sendcp_extent_end(extent, engine->volume->sectorsize);

	start_range(engine, extent, sendcp_min(end, engine->state.size), NULL, then);
	range->extent_offset += from - range->offset;
	range->offset = from;
}

/* Of an inode the parent has too: extents that are not the same there, and holes. */
static int handle_changed(struct sendcp_engine *engine)
{
	struct sendcp_state *state = &engine->state;
	struct sendcp_cursor *cursor = &engine->compare.left.cursor;
	enum sendcp_phase then = S_ISREG(state->mode) ? SENDCP_PHASE_HOLE : SENDCP_PHASE_CHANGE;
	struct sendcp_extent extent;
	int ret;

	state->phase = then;
	if (state->at.result == SENDCP_COMPARE_SAME)
		return 0;
	ret = sendcp_extent_parse(cursor, &extent);
	if (!ret)
		ret = sendcp_is_unchanged(engine, &extent);
	if (ret)
		return ret < 0 ? ret : 0;
	return send_extent(engine, &extent, cursor->path[0]->owner, then);
}

int sendcp_handle_extent(struct sendcp_engine *engine)
{
	struct sendcp_state *state = &engine->state;
	struct sendcp_cursor *cursor = &engine->compare.left.cursor;
	struct sendcp_extent extent;
	int err;

	if (state->at.result == SENDCP_COMPARE_DELETED || S_ISLNK(state->mode))
		return 0;
	state->item = state->at.key;
	if (state->kind == SENDCP_KIND_CHANGED)
		return handle_changed(engine);
	err = sendcp_extent_parse(cursor, &extent);
	if (err || sendcp_extent_is_implied(&extent))
		return err;
	return send_extent(engine, &extent, cursor->path[0]->owner, SENDCP_PHASE_CHANGE);
}
