// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * One step of the engine: it takes the next item or finishes something begun, and queues what
 * commands result. What fails leaves state and queue as they were.
 */
#include "send/engine_private.h"

void scp_cursor_off(struct scp_engine *engine)
{
	scp_cursor_release(&engine->cursor);
	engine->cursor_on = false;
}

int scp_cursor_to_key(struct scp_engine *engine)
{
	int err;

	if (engine->cursor_on)
		return 0;
	err = scp_search_exact(&engine->cursor, &engine->state.key);
	if (err == -ENOENT)
		return scp_send_fail(engine, SCP_CHECKPOINT_POSITION);
	if (!err)
		engine->cursor_on = true;
	return err;
}

/* The key after @key, if there is one. */
static void advance_key(struct scp_key *key)
{
	if (++key->offset)
		return;
	if (++key->type)
		return;
	key->objectid++;
}

static int step_event(struct scp_engine *engine)
{
	struct scp_key key = engine->state.key;
	int err;

	if (engine->cursor_on) {
		err = scp_next(&engine->cursor);
	} else {
		advance_key(&key);
		err = scp_search(&engine->cursor, &key);
	}
	engine->cursor_on = false;
	if (err == -ENOENT) {
		engine->state.phase = SCP_PHASE_LAST_FINISH;
		return 0;
	}
	if (err < 0)
		return err;
	engine->cursor_on = true;
	engine->state.key = scp_cursor_key(&engine->cursor);
	engine->state.phase = SCP_PHASE_FINISH;
	return 0;
}

static int step_finish(struct scp_engine *engine, bool at_end)
{
	/* While names are still being collected, finish steps make nothing that a window counts. */
	bool windowed = scp_window_needed(engine, at_end);
	int err = 0;

	if (windowed)
		err = scp_window_open(engine);
	if (err)
		return err;
	scp_window_counting(engine, windowed);
	err = scp_finish(engine, at_end);
	scp_window_counting(engine, false);
	if (!err)
		engine->state.phase = at_end ? SCP_PHASE_FLUSH : SCP_PHASE_HANDLE;
	return err;
}

static int handle_names(struct scp_engine *engine)
{
	if (engine->state.key.objectid != engine->state.ino)
		return scp_cursor_fail(&engine->cursor, SCP_INCONSISTENT);
	if (!engine->refs.count)
		engine->refs_from = engine->state.key;
	return scp_collect_refs(engine);
}

static int handle_xattr(struct scp_engine *engine)
{
	if (engine->state.key.objectid != engine->state.ino)
		return scp_cursor_fail(&engine->cursor, SCP_INCONSISTENT);
	engine->state.entry = 0;
	engine->state.phase = SCP_PHASE_XATTR;
	return 0;
}

/* Caches of old kernels, kept in the subvolume under inode numbers of their own. */
static bool is_cache_item(const struct scp_key *key)
{
	return key->objectid == SCP_FREE_SPACE_ID || key->objectid == SCP_FREE_INODE_ID;
}

static int step_handle(struct scp_engine *engine)
{
	struct scp_state *state = &engine->state;
	int err = scp_cursor_to_key(engine);

	if (err)
		return err;
	state->phase = SCP_PHASE_EVENT;
	if (is_cache_item(&state->key))
		return 0;
	if (state->key.type == SCP_INODE_ITEM)
		return scp_open_inode(engine);
	if (state->kind != SCP_KIND_NEW)
		return 0;
	switch (state->key.type) {
	case SCP_INODE_REF:
	case SCP_INODE_EXTREF:
		return handle_names(engine);
	case SCP_XATTR_ITEM:
		return handle_xattr(engine);
	case SCP_EXTENT_DATA:
		return state->key.objectid == state->ino ? scp_handle_extent(engine) : 0;
	}
	return 0;
}

static int step_end(struct scp_engine *engine)
{
	engine->state.phase = SCP_PHASE_DONE;
	if (engine->flags & SCP_SEND_OMIT_END)
		return 0;
	scp_command_begin(engine, SCP_C_END);
	return scp_command_end(engine);
}

static int step(struct scp_engine *engine)
{
	switch (engine->state.phase) {
	case SCP_PHASE_BEGIN:
		return scp_step_begin(engine);
	case SCP_PHASE_FINISH:
		return step_finish(engine, false);
	case SCP_PHASE_HANDLE:
		return step_handle(engine);
	case SCP_PHASE_XATTR:
		return scp_step_xattr(engine);
	case SCP_PHASE_RUN:
		return scp_step_run(engine);
	case SCP_PHASE_LAST_FINISH:
		return step_finish(engine, true);
	case SCP_PHASE_FLUSH:
		return scp_step_flush(engine);
	case SCP_PHASE_END:
		return step_end(engine);
	default:
		return scp_send_fail(engine, SCP_INCONSISTENT);
	}
}

/*
 * The queue is empty before a step, so going back means emptying it. The state had room for all of
 * undo's list before, so copying back allocates nothing.
 */
static void undo_step(struct scp_engine *engine, u32 refs, u32 names)
{
	scp_state_copy(&engine->state, &engine->undo);
	engine->queue.head = 0;
	engine->queue.tail = 0;
	engine->queue.payload.kind = SCP_PAYLOAD_NONE;
	engine->refs.count = refs;
	engine->refs.names_used = names;
	/* It may name a directory whose command has just been thrown away. */
	memset(engine->made_dirs, 0, sizeof(engine->made_dirs));
	scp_cursor_off(engine);
}

int scp_step(struct scp_engine *engine)
{
	u32 refs = engine->refs.count;
	u32 names = engine->refs.names_used;
	int err;

	/* Looking for the next item changes nothing before it has succeeded. */
	if (engine->state.phase == SCP_PHASE_EVENT)
		return step_event(engine);
	if (scp_state_copy(&engine->undo, &engine->state))
		return scp_send_fail(engine, SCP_NO_MEMORY);
	err = step(engine);
	if (err)
		undo_step(engine, refs, names);
	return err;
}
