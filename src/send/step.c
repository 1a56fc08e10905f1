// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * One step of the engine: it takes the next item or finishes something begun, and queues the
 * resulting commands. A step that fails leaves state and queue as they were.
 *
 * For each change the phases are CHANGE (find it), the FINISH ones (what the inodes before it still
 * owe), HANDLE (the change itself), and what that leads to, each step setting the phase of the
 * next. Anything of which there may be many (entries, parts of a range, moves, times) is one a
 * step, which bounds what a step queues, and with it checkpoints.
 */
#include "send/engine_private.h"
#include "send/extent.h"
#include "send/finish.h"
#include "send/hole.h"
#include "send/inode.h"
#include "send/path.h"
#include "send/range.h"
#include "send/refs.h"
#include "send/step.h"
#include "send/utimes.h"
#include "send/xattrs.h"

void scp_walk_off(struct scp_engine *engine)
{
	scp_compare_release(&engine->compare);
	scp_cursor_release(&engine->item_cursor);
	scp_cursor_release(&engine->parent_cursor);
}

int scp_to_change(struct scp_engine *engine)
{
	int err;

	if (engine->parent)
		return scp_compare_restore(&engine->compare, &engine->state.at);
	if (engine->compare.positioned)
		return 0;
	err = scp_search_exact(&engine->compare.left.cursor, &engine->state.at.key);
	if (err == -ENOENT)
		return scp_send_fail(engine, SCP_CHECKPOINT_POSITION);
	engine->compare.positioned = !err;
	return err;
}

struct scp_cursor *scp_change_cursor(struct scp_engine *engine)
{
	return engine->state.at.result == SCP_COMPARE_DELETED ? &engine->compare.right.cursor :
	       &engine->compare.left.cursor;
}

/* The next item of a full send: all of them are new. */
static int next_item(struct scp_engine *engine)
{
	struct scp_cursor *cursor = &engine->compare.left.cursor;
	struct scp_state *state = &engine->state;
	struct scp_key key = state->at.key;
	int ret = -ENOENT;

	if (engine->compare.positioned)
		ret = scp_next(cursor);
	else if (scp_key_increment(&key))
		ret = scp_search(cursor, &key);
	engine->compare.positioned = ret >= 0;
	if (ret < 0)
		return ret;
	state->at.key = scp_cursor_key(cursor);
	state->at.result = SCP_COMPARE_NEW;
	return 0;
}

/*
 * Items that are the same in both trees are mostly no change. Two kinds can be one: names, if their
 * directory is another one under its number, which only its generation shows; and extents of a file
 * that is being changed, since holes are found by where the extents around them end.
 */
static int same_item(struct scp_engine *engine)
{
	struct scp_state *state = &engine->state;
	int ret;

	switch (state->at.key.type) {
	case SCP_INODE_REF:
	case SCP_INODE_EXTREF:
		ret = scp_refs_differ(engine);
		if (ret <= 0)
			return ret;
		state->at.result = SCP_COMPARE_CHANGED;
		state->phase = SCP_PHASE_FINISH;
		return 0;
	case SCP_EXTENT_DATA:
		if (state->kind == SCP_KIND_CHANGED && state->at.key.objectid == state->ino)
			state->phase = SCP_PHASE_HANDLE;
		return 0;
	}
	return 0;
}

/*
 * Changes nothing but the position, so it sets that back by itself: keeping and undoing everything
 * for each of the items that mean nothing would cost more than looking at them.
 */
static int step_change(struct scp_engine *engine)
{
	struct scp_state *state = &engine->state;
	struct scp_position before = state->at;
	int err;

	if (engine->parent)
		err = scp_compare_next(&engine->compare, &state->at);
	else
		err = next_item(engine);
	if (err == -ENOENT) {
		state->at.at_end = true;
		state->phase = SCP_PHASE_FINISH;
		return 0;
	}
	if (!err && state->at.result == SCP_COMPARE_SAME)
		err = same_item(engine);
	else if (!err)
		state->phase = SCP_PHASE_FINISH;
	if (err) {
		state->at = before;
		scp_walk_off(engine);
	}
	return err;
}

/* Names and xattrs of an inode cannot come when another one is current. */
static int check_current(struct scp_engine *engine)
{
	if (engine->state.at.key.objectid == engine->state.ino)
		return 0;
	return scp_cursor_fail(scp_change_cursor(engine), SCP_INCONSISTENT);
}

static int handle_names(struct scp_engine *engine)
{
	int err = check_current(engine);

	return err ? err : scp_collect_refs(engine);
}

static int handle_xattr(struct scp_engine *engine)
{
	struct scp_state *state = &engine->state;
	int err = check_current(engine);

	if (err || state->kind == SCP_KIND_DELETED)
		return err;
	state->item = state->at.key;
	state->entry = 0;
	state->phase = SCP_PHASE_XATTR;
	return 0;
}

/* Caches of old kernels, kept in the subvolume under inode numbers of their own. */
static bool is_cache_item(const struct scp_key *key)
{
	return key->objectid == SCP_FREE_SPACE_ID || key->objectid == SCP_FREE_INODE_ID;
}

/* The change is of an inode that was not opened, for its INODE_ITEMs are the same. */
static bool is_unopened(const struct scp_engine *engine)
{
	const struct scp_state *state = &engine->state;

	if (!engine->parent ||
	    (state->kind != SCP_KIND_NONE && state->at.key.objectid == state->ino))
		return false;
	return state->at.key.type == SCP_INODE_REF || state->at.key.type == SCP_INODE_EXTREF ||
	       state->at.key.type == SCP_XATTR_ITEM || state->at.key.type == SCP_EXTENT_DATA;
}

/*
 * Events of an inode that is not sent, or all of which was dealt with at its INODE_ITEM, are passed
 * over. Contents and attributes of a deleted one go with its last name.
 */
static int handle_item(struct scp_engine *engine)
{
	const struct scp_state *state = &engine->state;
	int err = is_unopened(engine) ? scp_open_unlike(engine) : 0;

	if (err)
		return err;
	if (state->kind == SCP_KIND_NONE || state->kind == SCP_KIND_IGNORED || state->new_gen)
		return 0;
	switch (state->at.key.type) {
	case SCP_INODE_REF:
	case SCP_INODE_EXTREF:
		return handle_names(engine);
	case SCP_XATTR_ITEM:
		return handle_xattr(engine);
	case SCP_EXTENT_DATA:
		if (state->at.key.objectid != state->ino || state->kind == SCP_KIND_DELETED)
			return 0;
		return scp_handle_extent(engine);
	}
	return 0;
}

static int step_handle(struct scp_engine *engine)
{
	struct scp_state *state = &engine->state;
	int err = scp_to_change(engine);

	if (err)
		return err;
	state->phase = SCP_PHASE_CHANGE;
	if (is_cache_item(&state->at.key))
		return 0;
	if (state->at.key.type == SCP_INODE_ITEM)
		return scp_open_inode(engine);
	return handle_item(engine);
}

static int step_end(struct scp_engine *engine)
{
	engine->state.phase = SCP_PHASE_DONE;
	if (engine->flags & SCP_SEND_OMIT_END)
		return 0;
	scp_command_begin(&engine->encoder, SCP_C_END);
	return scp_command_end(&engine->encoder);
}

static int step(struct scp_engine *engine)
{
	switch (engine->state.phase) {
	case SCP_PHASE_BEGIN:
		return scp_step_begin(engine);
	case SCP_PHASE_FINISH:
		return scp_finish_names(engine);
	case SCP_PHASE_FINISH_TAIL:
		return scp_finish_tail(engine);
	case SCP_PHASE_FINISH_HOLE:
		return scp_finish_hole(engine);
	case SCP_PHASE_FINISH_INODE:
		return scp_finish_inode(engine);
	case SCP_PHASE_FINISH_MOVES:
		return scp_finish_moves(engine);
	case SCP_PHASE_TRIM:
		return scp_step_trim(engine);
	case SCP_PHASE_HANDLE:
		return step_handle(engine);
	case SCP_PHASE_XATTR:
		return scp_step_xattr(engine);
	case SCP_PHASE_RANGE:
		return scp_step_range(engine);
	case SCP_PHASE_HOLE:
		return scp_step_hole(engine);
	case SCP_PHASE_RECREATE_DELETE:
	case SCP_PHASE_RECREATE_CREATE:
	case SCP_PHASE_RECREATE_NAMES:
	case SCP_PHASE_RECREATE_EXTENTS:
	case SCP_PHASE_RECREATE_XATTRS:
		return scp_step_recreate(engine);
	case SCP_PHASE_FLUSH:
		return scp_step_flush(engine);
	case SCP_PHASE_END:
		return step_end(engine);
	default:
		return scp_send_fail(engine, SCP_INCONSISTENT);
	}
}

static void keep_state(struct scp_engine *engine)
{
	engine->before.state = engine->state;
	scp_path_copy(&engine->before.path, &engine->current_path);
	scp_deferred_keep(&engine->deferred);
}

/*
 * The queue is empty before a step, so going back means emptying it. Names collected so far are
 * collected again, since nothing was sent since.
 */
static void undo_step(struct scp_engine *engine)
{
	engine->state = engine->before.state;
	scp_path_copy(&engine->current_path, &engine->before.path);
	scp_deferred_undo(&engine->deferred);
	if (engine->naming.collecting)
		scp_back_to_names(engine);
	scp_refs_clear(engine);
	engine->encoder.queue.head = 0;
	engine->encoder.queue.tail = 0;
	engine->encoder.queue.payload.kind = SCP_PAYLOAD_NONE;
	/* It may name a directory whose command has just been thrown away. */
	memset(engine->made_dirs, 0, sizeof(engine->made_dirs));
	scp_walk_off(engine);
}

int scp_step(struct scp_engine *engine)
{
	int err;

	/* Looking for the next item undoes what it does itself. */
	if (engine->state.phase == SCP_PHASE_CHANGE)
		return step_change(engine);
	keep_state(engine);
	err = step(engine);
	if (err)
		undo_step(engine);
	return err;
}
