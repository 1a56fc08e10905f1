// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * All of it is dealt with at its INODE_ITEM: the old one loses its names, the new one is created,
 * named, filled, and only then gets its xattrs. Later changes of the number mean nothing, since
 * they compare items of two inodes that have nothing to do with each other. The changes cannot
 * serve for this: those of the two inodes come mixed, in the order of keys.
 */
#include "send/engine_private.h"
#include "send/extent.h"
#include "send/inode.h"
#include "send/path.h"
#include "send/refs.h"
#include "send/replay.h"

/* state.item: before the first item of @type. */
static void before_items(struct sendcp_state *state, u8 type)
{
	state->item.objectid = state->ino;
	state->item.type = type - 1;
	state->item.offset = ~0ULL;
}

/* All names in @tree, which the inode loses if they are @gone. 1: there are more. */
static int process_all(struct sendcp_engine *engine, struct sendcp_tree *tree, bool gone)
{
	int ret = 0;

	if (!sendcp_replay_paused(engine))
		ret = sendcp_collect_all_refs(engine, tree, gone);
	if (!ret)
		ret = sendcp_replay_names(engine);
	if (ret <= 0)
		sendcp_refs_clear(engine);
	return ret;
}

static int step_delete(struct sendcp_engine *engine)
{
	int ret = 0;

	if (engine->state.kind == SENDCP_KIND_DELETED)
		ret = process_all(engine, engine->parent, true);
	if (!ret)
		engine->state.phase = SENDCP_PHASE_RECREATE_CREATE;
	return ret < 0 ? ret : 0;
}

static int step_create(struct sendcp_engine *engine)
{
	struct sendcp_state *state = &engine->state;
	struct sendcp_inode inode;
	int err = sendcp_inode_get(engine->tree, state->ino, &inode);

	if (err)
		return err == -ENOENT ? sendcp_send_fail(engine, SENDCP_ERR_INCONSISTENT) : err;
	if (!inode.nlink) {
		state->phase = SENDCP_PHASE_CHANGE;
		return 0;
	}
	sendcp_set_inode(state, SENDCP_KIND_NEW, &inode);
	/* The cached path is that of the old inode. */
	sendcp_path_clear(&engine->current_path);
	state->phase = SENDCP_PHASE_RECREATE_NAMES;
	return sendcp_create_inode(engine, &inode);
}

static int step_names(struct sendcp_engine *engine)
{
	int ret = process_all(engine, engine->tree, false);

	if (ret)
		return ret < 0 ? ret : 0;
	engine->state.send_progress = engine->state.ino + 1;
	before_items(&engine->state, SENDCP_EXTENT_DATA);
	engine->state.phase = SENDCP_PHASE_RECREATE_EXTENTS;
	return 0;
}

/* The item of @type after state.item becomes state.item. -ENOENT: there is none. */
static int next_item(struct sendcp_engine *engine, u8 type)
{
	struct sendcp_state *state = &engine->state;
	struct sendcp_key from = { .objectid = state->ino, .type = type, .offset = 0 };
	int err;

	if (state->item.type == type) {
		from.offset = state->item.offset + 1;
		if (!from.offset)
			return -ENOENT;
	}
	err = sendcp_item_find(&engine->item_cursor, &from);
	if (!err)
		state->item = sendcp_cursor_key(&engine->item_cursor);
	return err;
}

static int step_extents(struct sendcp_engine *engine)
{
	int err = next_item(engine, SENDCP_EXTENT_DATA);

	if (err == -ENOENT) {
		before_items(&engine->state, SENDCP_XATTR_ITEM);
		engine->state.phase = SENDCP_PHASE_RECREATE_XATTRS;
		return 0;
	}
	return err ? err : sendcp_send_extent(engine, SENDCP_PHASE_RECREATE_EXTENTS);
}

static int step_xattrs(struct sendcp_engine *engine)
{
	int err = next_item(engine, SENDCP_XATTR_ITEM);

	if (err == -ENOENT) {
		engine->state.phase = SENDCP_PHASE_CHANGE;
		return 0;
	}
	engine->state.entry = 0;
	engine->state.phase = SENDCP_PHASE_XATTR;
	return err;
}

int sendcp_step_recreate(struct sendcp_engine *engine)
{
	switch (engine->state.phase) {
	case SENDCP_PHASE_RECREATE_DELETE:
		return step_delete(engine);
	case SENDCP_PHASE_RECREATE_CREATE:
		return step_create(engine);
	case SENDCP_PHASE_RECREATE_NAMES:
		return step_names(engine);
	case SENDCP_PHASE_RECREATE_EXTENTS:
		return step_extents(engine);
	default:
		return step_xattrs(engine);
	}
}
