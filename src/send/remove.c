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

static struct scp_rmdir_hint *find_hint(struct scp_engine *engine, u64 dir, u64 generation)
{
	struct scp_rmdir_hint *hint = engine->rmdir_hints;
	u32 i;

	for (i = 0; i < SCP_RMDIR_HINTS; i++)
		if (hint[i].dir.ino == dir && hint[i].dir.generation == generation)
			return &hint[i];
	return NULL;
}

/*
 * Entries before the blocker had their turn and were not waiting, and never will be again: the next
 * look begins at the blocker. Without that, emptying a directory would take quadratic time.
 */
static void remember(struct scp_engine *engine, u64 dir, u64 generation, u64 index, u64 blocker)
{
	struct scp_rmdir_hint *hint = find_hint(engine, dir, generation);

	if (!hint) {
		hint = &engine->rmdir_hints[engine->rmdir_next];
		engine->rmdir_next = (engine->rmdir_next + 1) % SCP_RMDIR_HINTS;
	}
	hint->dir.ino = dir;
	hint->dir.generation = generation;
	hint->index = index;
	hint->blocker = blocker;
}

/* 1: the entry in the DIR_INDEX under @cursor keeps its directory from being removed. */
static int blocks(struct scp_engine *engine, struct scp_cursor *cursor, u64 dir, u64 generation)
{
	struct scp_inode_id id = { .ino = dir, .generation = generation };
	struct scp_dirent_iter iter;
	struct scp_dirent entry;
	struct scp_move *move;
	int ret;

	scp_dirent_iter_init(&iter, cursor);
	ret = scp_dirent_iter_next(&iter, &entry);
	/* A nested subvolume is not sent, so there is nothing of it in the way. */
	if (ret <= 0 || entry.location.type == SCP_ROOT_ITEM)
		return ret < 0 ? ret : 0;
	/* It had its turn but has not left: the directory is removed right after it is moved. */
	move = scp_moves_find(&engine->deferred.moves, entry.location.objectid);
	if (move) {
		if (scp_moves_set_removes(&engine->deferred.moves, move, &id))
			return scp_send_fail(engine, SCP_NO_MEMORY);
		return 1;
	}
	if (entry.location.objectid <= engine->state.ino)
		return 0;
	remember(engine, dir, generation, scp_cursor_key(cursor).offset,
		 entry.location.objectid);
	return 1;
}

static int find_blocker(struct scp_engine *engine, u64 dir, u64 generation, u64 from)
{
	struct scp_key first = { .objectid = dir, .type = SCP_DIR_INDEX, .offset = from };
	struct scp_item_iter iter;
	int ret;

	scp_item_iter_init(&iter, engine->parent, &first, SCP_DIR_INDEX);
	while ((ret = scp_item_iter_next(&iter)) > 0) {
		ret = blocks(engine, &iter.cursor, dir, generation);
		if (ret)
			break;
	}
	scp_item_iter_release(&iter);
	return ret;
}

int scp_can_remove(struct scp_engine *engine, u64 dir, u64 generation)
{
	struct scp_moves *moves = &engine->deferred.moves;
	struct scp_rmdir_hint *hint;
	int blocked = 1;

	if (dir == SCP_ROOT_DIR_ID)
		return 0;
	/*
	 * Before the blocker has had its turn, the answer is what it was: nothing is read for it.
	 */
	hint = find_hint(engine, dir, generation);
	if (!hint || !scp_moves_rmdir_pending(moves, dir, generation))
		blocked = find_blocker(engine, dir, generation, 0);
	else if (engine->state.ino >= hint->blocker)
		blocked = find_blocker(engine, dir, generation, hint->index);
	if (blocked < 0)
		return blocked;
	if (!blocked) {
		scp_inode_set_remove(&moves->pending_rmdirs, dir, generation);
		return 1;
	}
	if (scp_inode_set_add(&moves->pending_rmdirs, dir, generation))
		return scp_send_fail(engine, SCP_NO_MEMORY);
	return 0;
}

int scp_remove_if_empty(struct scp_engine *engine, const struct scp_inode_id *dir)
{
	int ret = scp_can_remove(engine, dir->ino, dir->generation);

	if (ret <= 0)
		return ret;
	ret = scp_path_of(engine, dir->ino, dir->generation, &engine->path_a);
	return ret ? ret : scp_send_rmdir(engine, &engine->path_a);
}
