// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The end of a file that was shorter in the parent, within an extent that is the same.
 *
 * A file cut short keeps its last extent as it is, with the bytes after the new end still in its
 * last sector. Where the subvolume is the older of the two, or comes from an older one, the extent
 * has not changed and yet has contents the receiver never had.
 */
#include "send/engine_private.h"
#include "send/extent.h"
#include "send/finish.h"

/* 1: the parent has the item under @cursor byte for byte. */
static int same_item(struct scp_engine *engine, struct scp_cursor *cursor)
{
	struct scp_key key = scp_cursor_key(cursor);
	const void *now;
	const void *old;
	u32 now_size;
	u32 old_size;
	int err = scp_search_exact(&engine->parent_cursor, &key);

	if (err)
		return err == -ENOENT ? 0 : err;
	now = scp_cursor_item(cursor, &now_size);
	old = scp_cursor_item(&engine->parent_cursor, &old_size);
	return now_size == old_size && !memcmp(now, old, now_size);
}

/* 1: the changes have passed over @extent, under the item cursor, as one the parent has too. */
static int was_left_out(struct scp_engine *engine, const struct scp_extent *extent)
{
	int same = same_item(engine, &engine->item_cursor);

	return same ? same : scp_is_unchanged(engine, extent);
}

/* The extent that has the old end of the file; 0: none that has contents after it. */
static int extent_at(struct scp_engine *engine, u64 old_size, struct scp_extent *extent)
{
	int err = scp_extent_find(&engine->item_cursor, engine->state.ino, old_size, extent);

	if (err)
		return err == -ENOENT ? 0 : err;
	return !scp_extent_is_implied(extent) &&
	       scp_extent_end(extent, engine->volume->sectorsize) > old_size;
}

int scp_finish_tail(struct scp_engine *engine)
{
	struct scp_state *state = &engine->state;
	struct scp_extent extent;
	struct scp_inode old;
	u64 from;
	int ret;

	state->phase = SCP_PHASE_FINISH_HOLE;
	if (!S_ISREG(state->mode) || state->kind != SCP_KIND_CHANGED)
		return 0;
	ret = scp_old_inode(engine, &old);
	if (ret)
		return ret;
	if (old.size >= state->size || scp_is_aligned(old.size, engine->volume->sectorsize))
		return 0;
	ret = extent_at(engine, old.size, &extent);
	if (ret > 0)
		ret = was_left_out(engine, &extent);
	if (ret <= 0)
		return ret;
	state->item = scp_cursor_key(&engine->item_cursor);
	from = old.size - (old.size & (engine->volume->sectorsize - 1));
	scp_write_extent_end(engine, &extent, from, SCP_PHASE_FINISH_HOLE);
	return 0;
}
