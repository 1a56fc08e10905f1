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
#include "send/replay.h"
#include "send/step.h"
#include "send/utimes.h"
#include "send/xattrs.h"

void sendcp_walk_off(struct sendcp_engine *engine)
{
	sendcp_compare_release(&engine->compare);
	sendcp_cursor_release(&engine->item_cursor);
	sendcp_cursor_release(&engine->parent_cursor);
}

int sendcp_to_change(struct sendcp_engine *engine)
{
	int err;

	if (engine->parent)
		return sendcp_compare_restore(&engine->compare, &engine->state.at);
	if (engine->compare.positioned)
		return 0;
	err = sendcp_search_exact(&engine->compare.left.cursor, &engine->state.at.key);
	if (err == -ENOENT)
		return sendcp_send_fail(engine, SENDCP_ERR_CHECKPOINT_POSITION);
	engine->compare.positioned = !err;
	return err;
}

struct sendcp_cursor *sendcp_change_cursor(struct sendcp_engine *engine)
{
	return engine->state.at.result == SENDCP_COMPARE_DELETED ? &engine->compare.right.cursor :
	       &engine->compare.left.cursor;
}

/* The next item of a full send: all of them are new. */
static int next_item(struct sendcp_engine *engine)
{
	struct sendcp_cursor *cursor = &engine->compare.left.cursor;
	struct sendcp_state *state = &engine->state;
	struct sendcp_key key = state->at.key;
	int ret = -ENOENT;

	if (engine->compare.positioned)
		ret = sendcp_next(cursor);
	else if (sendcp_key_increment(&key))
		ret = sendcp_search(cursor, &key);
	engine->compare.positioned = ret >= 0;
	if (ret < 0)
		return ret;
	state->at.key = sendcp_cursor_key(cursor);
	state->at.result = SENDCP_COMPARE_NEW;
	return 0;
}

/*
 * Items that are the same in both trees are mostly no change. Two kinds can be one: names, if their
 * directory is another one under its number, which only its generation shows; and extents of a file
 * that is being changed, since holes are found by where the extents around them end.
 */
static int same_item(struct sendcp_engine *engine)
{
	struct sendcp_state *state = &engine->state;
	int ret;

	switch (state->at.key.type) {
	case SENDCP_INODE_REF:
	case SENDCP_INODE_EXTREF:
		ret = sendcp_refs_differ(engine);
		if (ret <= 0)
			return ret;
		state->at.result = SENDCP_COMPARE_CHANGED;
		state->phase = SENDCP_PHASE_FINISH;
		return 0;
	case SENDCP_EXTENT_DATA:
		if (state->kind == SENDCP_KIND_CHANGED && state->at.key.objectid == state->ino)
			state->phase = SENDCP_PHASE_HANDLE;
		return 0;
	}
	return 0;
}

/*
 * Changes nothing but the position, so it sets that back by itself: keeping and undoing everything
 * for each of the items that mean nothing would cost more than looking at them.
 */
static int step_change(struct sendcp_engine *engine)
{
	struct sendcp_state *state = &engine->state;
	struct sendcp_position before = state->at;
	int err;

	if (engine->parent)
		err = sendcp_compare_next(&engine->compare, &state->at);
	else
		err = next_item(engine);
	if (err == -ENOENT) {
		state->at.at_end = true;
		state->phase = SENDCP_PHASE_FINISH;
		return 0;
	}
	if (!err && state->at.result == SENDCP_COMPARE_SAME)
		err = same_item(engine);
	else if (!err)
		state->phase = SENDCP_PHASE_FINISH;
	if (err) {
		state->at = before;
		sendcp_walk_off(engine);
	}
	return err;
}

/* Names and xattrs of an inode cannot come when another one is current. */
static int check_current(struct sendcp_engine *engine)
{
	if (engine->state.at.key.objectid == engine->state.ino)
		return 0;
	return sendcp_cursor_fail(sendcp_change_cursor(engine), SENDCP_ERR_INCONSISTENT);
}

static int handle_names(struct sendcp_engine *engine)
{
	int err = check_current(engine);

	return err ? err : sendcp_collect_refs(engine);
}

static int handle_xattr(struct sendcp_engine *engine)
{
	struct sendcp_state *state = &engine->state;
	int err = check_current(engine);

	if (err || state->kind == SENDCP_KIND_DELETED)
		return err;
	state->item = state->at.key;
	state->entry = 0;
	state->phase = SENDCP_PHASE_XATTR;
	return 0;
}

/* Caches of old kernels, kept in the subvolume under inode numbers of their own. */
static bool is_cache_item(const struct sendcp_key *key)
{
	return key->objectid == SENDCP_FREE_SPACE_ID || key->objectid == SENDCP_FREE_INODE_ID;
}

/* The change is of an inode that was not opened, for its INODE_ITEMs are the same. */
static bool is_unopened(const struct sendcp_engine *engine)
{
	const struct sendcp_state *state = &engine->state;

	if (!engine->parent ||
	    (state->kind != SENDCP_KIND_NONE && state->at.key.objectid == state->ino))
		return false;
	return state->at.key.type == SENDCP_INODE_REF ||
	       state->at.key.type == SENDCP_INODE_EXTREF ||
	       state->at.key.type == SENDCP_XATTR_ITEM ||
	       state->at.key.type == SENDCP_EXTENT_DATA;
}

/*
 * Events of an inode that is not sent, or all of which was dealt with at its INODE_ITEM, are passed
 * over. Contents and attributes of a deleted one go with its last name.
 */
static int handle_item(struct sendcp_engine *engine)
{
	const struct sendcp_state *state = &engine->state;
	int err = is_unopened(engine) ? sendcp_open_unlike(engine) : 0;

	if (err)
		return err;
	if (state->kind == SENDCP_KIND_NONE || state->kind == SENDCP_KIND_IGNORED || state->new_gen)
		return 0;
	switch (state->at.key.type) {
	case SENDCP_INODE_REF:
	case SENDCP_INODE_EXTREF:
		return handle_names(engine);
	case SENDCP_XATTR_ITEM:
		return handle_xattr(engine);
	case SENDCP_EXTENT_DATA:
		if (state->at.key.objectid != state->ino || state->kind == SENDCP_KIND_DELETED)
			return 0;
		return sendcp_handle_extent(engine);
	}
	return 0;
}

static int step_handle(struct sendcp_engine *engine)
{
	struct sendcp_state *state = &engine->state;
	int err = sendcp_to_change(engine);

	if (err)
		return err;
	state->phase = SENDCP_PHASE_CHANGE;
	if (is_cache_item(&state->at.key))
		return 0;
	if (state->at.key.type == SENDCP_INODE_ITEM)
		return sendcp_open_inode(engine);
	return handle_item(engine);
}

static int step_end(struct sendcp_engine *engine)
{
	engine->state.phase = SENDCP_PHASE_DONE;
	if (engine->flags & SENDCP_SEND_OMIT_END)
		return 0;
	sendcp_command_begin(&engine->encoder, SENDCP_C_END);
	return sendcp_command_end(&engine->encoder);
}

static int step(struct sendcp_engine *engine)
{
	switch (engine->state.phase) {
	case SENDCP_PHASE_BEGIN:
		return sendcp_step_begin(engine);
	case SENDCP_PHASE_FINISH:
		return sendcp_finish_names(engine);
	case SENDCP_PHASE_FINISH_TAIL:
		return sendcp_finish_tail(engine);
	case SENDCP_PHASE_FINISH_HOLE:
		return sendcp_finish_hole(engine);
	case SENDCP_PHASE_FINISH_INODE:
		return sendcp_finish_inode(engine);
	case SENDCP_PHASE_FINISH_MOVES:
		return sendcp_finish_moves(engine);
	case SENDCP_PHASE_TRIM:
		return sendcp_step_trim(engine);
	case SENDCP_PHASE_HANDLE:
		return step_handle(engine);
	case SENDCP_PHASE_XATTR:
		return sendcp_step_xattr(engine);
	case SENDCP_PHASE_RANGE:
		return sendcp_step_range(engine);
	case SENDCP_PHASE_HOLE:
		return sendcp_step_hole(engine);
	case SENDCP_PHASE_RECREATE_DELETE:
	case SENDCP_PHASE_RECREATE_CREATE:
	case SENDCP_PHASE_RECREATE_NAMES:
	case SENDCP_PHASE_RECREATE_EXTENTS:
	case SENDCP_PHASE_RECREATE_XATTRS:
		return sendcp_step_recreate(engine);
	case SENDCP_PHASE_FLUSH:
		return sendcp_step_flush(engine);
	case SENDCP_PHASE_END:
		return step_end(engine);
	default:
		return sendcp_send_fail(engine, SENDCP_ERR_INCONSISTENT);
	}
}

/* A long step that goes on is undone as a whole: what it began from stays what it is. */
static void keep_state(struct sendcp_engine *engine)
{
	if (sendcp_replay_paused(engine))
		return;
	engine->before.state = engine->state;
	engine->before.collecting = engine->naming.collecting;
	sendcp_path_copy(&engine->before.path, &engine->current_path);
	sendcp_deferred_keep(&engine->deferred);
}

/*
 * The queue is empty before a step, so going back means emptying it. Names collected so far are
 * collected again, since nothing was sent since, or replay.c knows how much. The offset is never
 * set back: only commands that were delivered have changed it.
 */
void sendcp_undo_step(struct sendcp_engine *engine)
{
	u64 offset = engine->state.offset;

	engine->state = engine->before.state;
	engine->state.offset = offset;
	sendcp_path_copy(&engine->current_path, &engine->before.path);
	sendcp_deferred_undo(&engine->deferred);
	if (engine->before.collecting)
		sendcp_back_to_names(engine);
	sendcp_refs_clear(engine);
	sendcp_replay_undone(engine);
	engine->encoder.queue.head = 0;
	engine->encoder.queue.tail = 0;
	engine->encoder.queue.payload.kind = SENDCP_PAYLOAD_NONE;
	/* It may name a directory whose command has just been thrown away. */
	memset(engine->made_dirs, 0, sizeof(engine->made_dirs));
	sendcp_walk_off(engine);
}

int sendcp_step(struct sendcp_engine *engine)
{
	int err;

	/* Looking for the next item undoes what it does itself. */
	if (engine->state.phase == SENDCP_PHASE_CHANGE)
		return step_change(engine);
	keep_state(engine);
	err = step(engine);
	if (err)
		sendcp_undo_step(engine);
	return err;
}
