// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The finish phases: before each change, what the inodes before it still owe.
 *
 * Names are processed as soon as a change is past the inode's ref items; a hole at the end, size,
 * owner, mode and times when a change is past the inode. In that order: contents may make the file
 * longer, so the size comes after them; every one of these commands sets times, so those come last.
 */
#include "send/attributes.h"
#include "send/delay.h"
#include "send/engine_private.h"
#include "send/finish.h"
#include "send/hole.h"
#include "send/refs.h"
#include "send/utimes.h"
#include "send/replay.h"
#include "send/xattrs.h"

bool sendcp_past_names(const struct sendcp_engine *engine)
{
	const struct sendcp_state *state = &engine->state;

	return state->at.at_end || state->at.key.objectid != state->ino ||
	       state->at.key.type > SENDCP_INODE_EXTREF;
}

static bool past_inode(const struct sendcp_state *state)
{
	if (state->kind == SENDCP_KIND_NONE || state->kind == SENDCP_KIND_DELETED)
		return false;
	return state->at.at_end || state->at.key.objectid != state->ino;
}

/*
 * With its names the inode counts as passed, before its contents are sent: from here on all paths
 * go by the subvolume's names for it. If its move waits it does not, for it is still at its old
 * place. 1: there are more names.
 */
static int process_names(struct sendcp_engine *engine)
{
	struct sendcp_naming *naming = &engine->naming;
	int ret = 0;

	if (naming->new_refs.live || naming->deleted_refs.live) {
		ret = sendcp_replay_names(engine);
		if (!ret && !naming->delayed)
			engine->state.send_progress = engine->state.ino + 1;
	}
	if (!ret)
		sendcp_refs_clear(engine);
	return ret;
}

int sendcp_finish_names(struct sendcp_engine *engine)
{
	struct sendcp_state *state = &engine->state;
	int ret = 0;

	if (state->kind == SENDCP_KIND_IGNORED) {
		state->phase = state->at.at_end ? SENDCP_PHASE_FLUSH : SENDCP_PHASE_HANDLE;
		return 0;
	}
	if (state->kind != SENDCP_KIND_NONE && sendcp_past_names(engine))
		ret = process_names(engine);
	if (ret)
		return ret < 0 ? ret : 0;
	if (past_inode(state))
		state->phase = SENDCP_PHASE_FINISH_TAIL;
	else
		sendcp_finished(engine);
	return 0;
}

int sendcp_old_inode(struct sendcp_engine *engine, struct sendcp_inode *inode)
{
	int err = sendcp_inode_get(engine->parent, engine->state.ino, inode);

	return err == -ENOENT ? sendcp_send_fail(engine, SENDCP_ERR_INCONSISTENT) : err;
}

/*
 * Native send's rule. A new file has its size already if the last write reached to its end, a
 * changed one also if the size is what it was.
 */
static bool needs_truncate(const struct sendcp_state *state, const struct sendcp_inode *old)
{
	bool written = state->next_write_offset == state->size;

	if (!old)
		return !written;
	return old->size != state->size && !(state->size > old->size && written);
}

/* Decided before the hole at the end is sent, as the kernel does. */
int sendcp_finish_hole(struct sendcp_engine *engine)
{
	struct sendcp_state *state = &engine->state;
	bool changed = state->kind == SENDCP_KIND_CHANGED;
	struct sendcp_inode old;
	int err;

	state->phase = SENDCP_PHASE_FINISH_INODE;
	state->truncate = false;
	if (!S_ISREG(state->mode))
		return 0;
	if (!changed) {
		state->truncate = needs_truncate(state, NULL);
		return 0;
	}
	err = sendcp_old_inode(engine, &old);
	if (err)
		return err;
	state->truncate = needs_truncate(state, &old);
	if (state->last_extent_end == SENDCP_UNKNOWN || state->last_extent_end < state->size) {
		err = sendcp_extent_end_before(engine, SENDCP_UNKNOWN, &state->last_extent_end);
		if (err)
			return err;
	}
	if (state->last_extent_end >= state->size)
		return 0;
	return sendcp_start_hole(engine, state->size, SENDCP_PHASE_FINISH_INODE);
}

/*
 * An owner that is set drops mode bits and capabilities, hence the order. A new inode was created
 * with whatever the receiver gives one, so all is set; of a changed one only the differences.
 * Capabilities are sent in any case, as it is not looked at whether there was a CHOWN.
 */
static int send_attributes(struct sendcp_engine *engine, const struct sendcp_inode *now,
			   const struct sendcp_inode *old)
{
	bool link = S_ISLNK(now->mode);
	int err = 0;

	if (engine->state.truncate)
		err = sendcp_send_truncate(engine, now->size);
	if (!err && (!old || old->uid != now->uid || old->gid != now->gid))
		err = sendcp_send_chown(engine, now);
	if (!err && !link && (!old || old->mode != now->mode))
		err = sendcp_send_chmod(engine, now);
	if (!err && !link && old && old->flags != now->flags && engine->encoder.protocol >= 2)
		err = sendcp_send_fileattr(engine, now);
	return err ? err : sendcp_send_capability(engine);
}

/*
 * Nothing waits for the inode any more: its turn is over. The times of a directory that has entries
 * are put off, since more commands may come for what is in it.
 */
static int settle_inode(struct sendcp_engine *engine, const struct sendcp_inode *inode)
{
	struct sendcp_state *state = &engine->state;
	int err;

	state->send_progress = state->ino + 1;
	if (S_ISDIR(inode->mode) && inode->size)
		err = sendcp_defer_utimes(engine, state->ino, state->generation);
	else
		err = sendcp_send_utimes(engine, state->ino, state->generation);
	if (!err)
		sendcp_finished(engine);
	return err;
}

/* As it is in the subvolume. */
static int current_inode(struct sendcp_engine *engine, struct sendcp_inode *inode)
{
	int err = sendcp_inode_get(engine->tree, engine->state.ino, inode);

	return err == -ENOENT ? sendcp_send_fail(engine, SENDCP_ERR_INCONSISTENT) : err;
}

int sendcp_finish_inode(struct sendcp_engine *engine)
{
	struct sendcp_state *state = &engine->state;
	bool changed = state->kind == SENDCP_KIND_CHANGED;
	struct sendcp_inode now;
	struct sendcp_inode old;
	int err = current_inode(engine, &now);

	if (!err && changed)
		err = sendcp_old_inode(engine, &old);
	if (!err)
		err = send_attributes(engine, &now, changed ? &old : NULL);
	if (err)
		return err;
	/*
	 * Its own move waits. The times follow that, and so do the moves that wait for this inode:
	 * it would do them no good that its turn is over while it is where it was.
	 */
	if (sendcp_moves_find(&engine->deferred.moves, state->ino)) {
		sendcp_finished(engine);
		return 0;
	}
	err = sendcp_queue_moves(engine);
	if (err)
		return err;
	if (!engine->deferred.moves.ready_moves)
		return settle_inode(engine, &now);
	state->phase = SENDCP_PHASE_FINISH_MOVES;
	return 0;
}

int sendcp_finish_moves(struct sendcp_engine *engine)
{
	struct sendcp_inode now;
	int ret = sendcp_apply_move(engine);

	if (ret)
		return ret < 0 ? ret : 0;
	ret = current_inode(engine, &now);
	return ret ? ret : settle_inode(engine, &now);
}
