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
static int same_item(struct sendcp_engine *engine, struct sendcp_cursor *cursor)
{
	struct sendcp_key key = sendcp_cursor_key(cursor);
	const void *now;
	const void *old;
	u32 now_size;
	u32 old_size;
	int err = sendcp_search_exact(&engine->parent_cursor, &key);

	if (err)
		return err == -ENOENT ? 0 : err;
	now = sendcp_cursor_item(cursor, &now_size);
	old = sendcp_cursor_item(&engine->parent_cursor, &old_size);
	return now_size == old_size && !memcmp(now, old, now_size);
}

/* 1: the changes have passed over @extent, under the item cursor, as one the parent has too. */
static int was_left_out(struct sendcp_engine *engine, const struct sendcp_extent *extent)
{
	int same = same_item(engine, &engine->item_cursor);

	return same ? same : sendcp_is_unchanged(engine, extent);
}

/* The extent that has the old end of the file; 0: none that has contents after it. */
static int extent_at(struct sendcp_engine *engine, u64 old_size, struct sendcp_extent *extent)
{
	int err = sendcp_extent_find(&engine->item_cursor, engine->state.ino, old_size, extent);

	if (err)
		return err == -ENOENT ? 0 : err;
	return !sendcp_extent_is_implied(extent) &&
	       sendcp_extent_end(extent, engine->volume->sectorsize) > old_size;
}

int sendcp_finish_tail(struct sendcp_engine *engine)
{
	struct sendcp_state *state = &engine->state;
	struct sendcp_extent extent;
	struct sendcp_inode old;
	u64 from;
	int ret;

	state->phase = SENDCP_PHASE_FINISH_HOLE;
	if (!S_ISREG(state->mode) || state->kind != SENDCP_KIND_CHANGED)
		return 0;
	ret = sendcp_old_inode(engine, &old);
	if (ret)
		return ret;
	if (old.size >= state->size || sendcp_is_aligned(old.size, engine->volume->sectorsize))
		return 0;
	ret = extent_at(engine, old.size, &extent);
	if (ret > 0)
		ret = was_left_out(engine, &extent);
	if (ret <= 0)
		return ret;
	state->item = sendcp_cursor_key(&engine->item_cursor);
	from = old.size - (old.size & (engine->volume->sectorsize - 1));
	sendcp_write_extent_end(engine, &extent, from, SENDCP_PHASE_FINISH_HOLE);
	return 0;
}
