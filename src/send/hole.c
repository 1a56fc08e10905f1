// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Holes of changed files where the parent has data.
 *
 * Files on filesystems without explicit hole items just lack items there, so holes are found by
 * remembering where the last extent ended. The comparison passes over shared leaves, extents in
 * them included, so at the beginning of a leaf that is looked up again.
 */
#include "send/engine_private.h"
#include "send/hole.h"
#include "send/step.h"

int sendcp_extent_end_before(struct sendcp_engine *engine, u64 offset, u64 *end)
{
	struct sendcp_extent extent;
	int err;

	err = sendcp_extent_find(&engine->item_cursor, engine->state.ino, offset, &extent);
	*end = 0;
	if (!err)
		*end = sendcp_extent_end(&extent, engine->volume->sectorsize);
	return err == -ENOENT ? 0 : err;
}

/* Is it something else than zeros, or may it be? */
static bool has_data(const struct sendcp_extent *extent)
{
	return extent->type == SENDCP_EXTENT_INLINE || extent->disk_bytenr;
}

/* 1: the parent has data somewhere in [begin, end) of the current inode. */
static int parent_has_data(struct sendcp_engine *engine, u64 begin, u64 end)
{
	struct sendcp_cursor *cursor = &engine->parent_cursor;
	u32 sectorsize = engine->volume->sectorsize;
	u64 ino = engine->state.ino;
	struct sendcp_extent extent;
	int err;

	/* The last one that begins before the range may reach into it. */
	err = sendcp_extent_find(cursor, ino, begin, &extent);
	if (err == -ENOENT)
		err = sendcp_extent_find_next(cursor, ino, begin, end, &extent);
	while (!err) {
		if (has_data(&extent) && sendcp_extent_end(&extent, sectorsize) > begin)
			return 1;
		err = sendcp_extent_find_next(cursor, ino, extent.file_offset + 1, end, &extent);
	}
	return err == -ENOENT ? 0 : err;
}

static void start_range(struct sendcp_engine *engine, u64 end, enum sendcp_phase then)
{
	struct sendcp_data_range *range = &engine->state.range;

	memset(range, 0, sizeof(*range));
	range->kind = SENDCP_RANGE_HOLE;
	range->then = then;
	range->offset = engine->state.last_extent_end;
	range->end = end;
	range->write_end = end;
	engine->state.phase = SENDCP_PHASE_RANGE;
}

int sendcp_start_hole(struct sendcp_engine *engine, u64 end, enum sendcp_phase then)
{
	struct sendcp_state *state = &engine->state;
	int ret = parent_has_data(engine, state->last_extent_end, end);

	if (ret <= 0)
		return ret;
	/* Protocol 1 writes zeros, and never after the file's end. */
	if (engine->encoder.protocol < 2)
		end = sendcp_min(end, state->size);
	if (state->last_extent_end < end)
		start_range(engine, end, then);
	return 0;
}

/*
 * The item at state.item was looked at, and sent if it had to be: sends a hole before it, if any.
 */
int sendcp_step_hole(struct sendcp_engine *engine)
{
	struct sendcp_state *state = &engine->state;
	u64 offset = state->item.offset;
	struct sendcp_extent extent;
	u64 end;
	int err = sendcp_to_change(engine);

	if (!err)
		err = sendcp_extent_parse(&engine->compare.left.cursor, &extent);
	if (err)
		return err;
	end = sendcp_extent_end(&extent, engine->volume->sectorsize);
	state->phase = SENDCP_PHASE_CHANGE;
	if (state->last_extent_end == SENDCP_UNKNOWN ||
	    (!engine->compare.left.cursor.slot[0] && state->last_extent_end < offset))
		err = sendcp_extent_end_before(engine, offset - 1, &state->last_extent_end);
	if (!err && state->last_extent_end < offset)
		err = sendcp_start_hole(engine, offset, SENDCP_PHASE_CHANGE);
	state->last_extent_end = end;
	return err;
}
