// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Can a deleted directory be removed yet? Only when all that was in it has had its turn.
 *
 * That is asked at its own turn, and again whenever one that was in it has lost a name or has been
 * moved: the last of them finds it empty. Until then it is under its orphan name. Since everything
 * in it is gone from the subvolume or elsewhere there, its entries in the parent are what to look
 * at.
 */
#include "send/delay.h"
#include "send/engine_private.h"
#include "send/names.h"
#include "send/path.h"

static struct sendcp_rmdir_hint *find_hint(struct sendcp_engine *engine, u64 dir, u64 generation)
{
	struct sendcp_rmdir_hint *hint = engine->rmdir_hints;
	u32 i;

	for (i = 0; i < SENDCP_RMDIR_HINTS; i++)
		if (hint[i].dir.ino == dir && hint[i].dir.generation == generation)
			return &hint[i];
	return NULL;
}

/*
 * Entries before the blocker had their turn and were not waiting, and never will be again: the next
 * look begins at the blocker. Without that, emptying a directory would take quadratic time.
 */
static void remember(struct sendcp_engine *engine, u64 dir, u64 generation, u64 index, u64 blocker)
{
	struct sendcp_rmdir_hint *hint = find_hint(engine, dir, generation);

	if (!hint) {
		hint = &engine->rmdir_hints[engine->rmdir_next];
		engine->rmdir_next = (engine->rmdir_next + 1) % SENDCP_RMDIR_HINTS;
	}
	hint->dir.ino = dir;
	hint->dir.generation = generation;
	hint->index = index;
	hint->blocker = blocker;
}

/* 1: the entry in the DIR_INDEX under @cursor keeps its directory from being removed. */
static int blocks(struct sendcp_engine *engine, struct sendcp_cursor *cursor, u64 dir,
		  u64 generation)
{
	struct sendcp_inode_id id = { .ino = dir, .generation = generation };
	struct sendcp_dirent_iter iter;
	struct sendcp_dirent entry;
	struct sendcp_move *move;
	int ret;

	sendcp_dirent_iter_init(&iter, cursor);
	ret = sendcp_dirent_iter_next(&iter, &entry);
	/* A nested subvolume is not sent, so there is nothing of it in the way. */
	if (ret <= 0 || entry.location.type == SENDCP_ROOT_ITEM)
		return ret < 0 ? ret : 0;
	/* It had its turn but has not left: the directory is removed right after it is moved. */
	move = sendcp_moves_find(&engine->deferred.moves, entry.location.objectid);
	if (move) {
		if (sendcp_moves_set_removes(&engine->deferred.moves, move, &id))
			return sendcp_send_fail(engine, SENDCP_ERR_NO_MEMORY);
		return 1;
	}
	if (entry.location.objectid <= engine->state.ino)
		return 0;
	remember(engine, dir, generation, sendcp_cursor_key(cursor).offset,
		 entry.location.objectid);
	return 1;
}

static int find_blocker(struct sendcp_engine *engine, u64 dir, u64 generation, u64 from)
{
	struct sendcp_key first = { .objectid = dir, .type = SENDCP_DIR_INDEX, .offset = from };
	struct sendcp_item_iter iter;
	int ret;

	sendcp_item_iter_init(&iter, engine->parent, &first, SENDCP_DIR_INDEX);
	while ((ret = sendcp_item_iter_next(&iter)) > 0) {
		ret = blocks(engine, &iter.cursor, dir, generation);
		if (ret)
			break;
	}
	sendcp_item_iter_release(&iter);
	return ret;
}

int sendcp_can_remove(struct sendcp_engine *engine, u64 dir, u64 generation)
{
	struct sendcp_moves *moves = &engine->deferred.moves;
	struct sendcp_rmdir_hint *hint;
	int blocked = 1;

	if (dir == SENDCP_ROOT_DIR_ID)
		return 0;
	/*
	 * Before the blocker has had its turn, the answer is what it was: nothing is read for it.
	 */
	hint = find_hint(engine, dir, generation);
	if (!hint || !sendcp_moves_rmdir_pending(moves, dir, generation))
		blocked = find_blocker(engine, dir, generation, 0);
	else if (engine->state.ino >= hint->blocker)
		blocked = find_blocker(engine, dir, generation, hint->index);
	if (blocked < 0)
		return blocked;
	if (!blocked) {
		sendcp_inode_set_remove(&moves->pending_rmdirs, dir, generation);
		return 1;
	}
	if (sendcp_inode_set_add(&moves->pending_rmdirs, dir, generation))
		return sendcp_send_fail(engine, SENDCP_ERR_NO_MEMORY);
	return 0;
}

int sendcp_remove_if_empty(struct sendcp_engine *engine, const struct sendcp_inode_id *dir)
{
	int ret = sendcp_can_remove(engine, dir->ino, dir->generation);

	if (ret <= 0)
		return ret;
	ret = sendcp_path_of(engine, dir->ino, dir->generation, &engine->path_a);
	return ret ? ret : sendcp_send_rmdir(engine, &engine->path_a);
}
