// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Can a deleted directory be removed yet? Only when all that was in it has had its turn.
 */
#include "send/delay.h"
#include "send/engine_private.h"

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
	int err = scp_dirent_iter_init(&iter, cursor);

	if (!err)
		err = scp_dirent_iter_next(&iter, &entry);
	/* A nested subvolume is not sent, so there is nothing of it in the way. */
	if (err <= 0 || entry.location.type == SCP_ROOT_ITEM)
		return err < 0 ? err : 0;
	move = scp_moves_find(&engine->state.moves, entry.location.objectid);
	if (move) {
		if (scp_moves_set_removes(&engine->state.moves, move, &id))
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
	struct scp_key key = { .objectid = dir, .type = SCP_DIR_INDEX, .offset = from };
	struct scp_cursor cursor;
	int err;

	scp_cursor_init(&cursor, engine->parent);
	err = scp_search(&cursor, &key);
	while (err >= 0) {
		key = scp_cursor_key(&cursor);
		err = 0;
		if (key.objectid != dir || key.type != SCP_DIR_INDEX)
			break;
		err = blocks(engine, &cursor, dir, generation);
		if (err)
			break;
		err = scp_next(&cursor);
	}
	scp_cursor_release(&cursor);
	return err == -ENOENT ? 0 : err;
}

int scp_can_remove(struct scp_engine *engine, u64 dir, u64 generation)
{
	struct scp_moves *moves = &engine->state.moves;
	struct scp_rmdir_hint *hint;
	int blocked = 1;

	if (dir == SCP_ROOT_DIR_ID)
		return 0;
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
