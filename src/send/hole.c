// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Holes of changed files where the parent has data.
 *
 * Files on filesystems without explicit hole items just lack items there, so holes are found by
 * remembering where the last extent ended. The comparison passes over shared leaves, extents in
 * them included, so at the beginning of a leaf that is looked up anew.
 */
#include "send/engine_private.h"
#include "send/hole.h"
#include "send/step.h"

int scp_extent_end_before(struct scp_engine *engine, u64 offset, u64 *end)
{
	struct scp_extent extent;
	int err;

	err = scp_extent_find(&engine->item_cursor, engine->state.ino, offset, &extent);
	*end = 0;
	if (!err)
		*end = scp_extent_end(&extent, engine->volume->sectorsize);
	return err == -ENOENT ? 0 : err;
}

/* Is it something else than zeros, or may it be? */
static bool has_data(const struct scp_extent *extent)
{
	return extent->type == SCP_EXTENT_INLINE || extent->disk_bytenr;
}

/* 1: the parent has data somewhere in [begin, end) of the current inode. */
static int parent_has_data(struct scp_engine *engine, u64 begin, u64 end)
{
	struct scp_cursor *cursor = &engine->parent_cursor;
	u32 sectorsize = engine->volume->sectorsize;
	u64 ino = engine->state.ino;
	struct scp_extent extent;
	int err;

	/* The last one that begins before the range may reach into it. */
	err = scp_extent_find(cursor, ino, begin, &extent);
	if (err == -ENOENT)
		err = scp_extent_find_next(cursor, ino, begin, end, &extent);
	while (!err) {
		if (has_data(&extent) && scp_extent_end(&extent, sectorsize) > begin)
			return 1;
		err = scp_extent_find_next(cursor, ino, extent.file_offset + 1, end, &extent);
	}
	return err == -ENOENT ? 0 : err;
}

static void start_range(struct scp_engine *engine, u64 end, enum scp_phase then)
{
	struct scp_data_range *range = &engine->state.range;

	memset(range, 0, sizeof(*range));
	range->kind = SCP_RANGE_HOLE;
	range->then = then;
	range->offset = engine->state.last_extent_end;
	range->end = end;
	range->write_end = end;
	engine->state.phase = SCP_PHASE_RANGE;
}

int scp_start_hole(struct scp_engine *engine, u64 end, enum scp_phase then)
{
	struct scp_state *state = &engine->state;
	int ret = parent_has_data(engine, state->last_extent_end, end);

	if (ret <= 0)
		return ret;
	/* Protocol 1 writes zeros, and never after the file's end. */
	if (engine->encoder.protocol < 2)
		end = scp_min(end, state->size);
	if (state->last_extent_end < end)
		start_range(engine, end, then);
	return 0;
}

/*
 * The item at state.item was looked at, and sent if it had to be: sends a hole before it, if any.
 */
int scp_step_hole(struct scp_engine *engine)
{
	struct scp_state *state = &engine->state;
	u64 offset = state->item.offset;
	struct scp_extent extent;
	u64 end;
	int err = scp_to_change(engine);

	if (!err)
		err = scp_extent_parse(&engine->compare.left.cursor, &extent);
	if (err)
		return err;
	end = scp_extent_end(&extent, engine->volume->sectorsize);
	state->phase = SCP_PHASE_CHANGE;
	if (state->last_extent_end == SCP_UNKNOWN ||
	    (!engine->compare.left.cursor.slot[0] && state->last_extent_end < offset))
		err = scp_extent_end_before(engine, offset - 1, &state->last_extent_end);
	if (!err && state->last_extent_end < offset)
		err = scp_start_hole(engine, offset, SCP_PHASE_CHANGE);
	state->last_extent_end = end;
	return err;
}
