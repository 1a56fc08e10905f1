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

/*
 * The notes of a directory that waits to be removed. Entries before INDEX had their turn and do not
 * wait, and never will again: the next look begins there. Without that, emptying a directory would
 * take quadratic time. Before BLOCKER has had its turn, the answer is what it was: nothing is read
 * for it. 0: a look may find another answer at any time. The notes are in no checkpoint: after
 * resuming each directory is looked through once from its beginning.
 */
enum { BLOCKER, INDEX };

/* 1: the entry in the DIR_INDEX under @cursor keeps directory @dir from being removed. */
static int blocks(struct sendcp_engine *engine, struct sendcp_cursor *cursor,
		  const struct sendcp_inode_id *dir, u64 *note)
{
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
	note[BLOCKER] = 0;
	note[INDEX] = sendcp_cursor_key(cursor).offset;
	if (move) {
		if (sendcp_moves_set_removes(&engine->deferred.moves, move, dir))
			return sendcp_send_fail(engine, SENDCP_ERR_NO_MEMORY);
		return 1;
	}
	if (entry.location.objectid <= engine->state.ino)
		return 0;
	note[BLOCKER] = entry.location.objectid;
	return 1;
}

/* Looks from note[INDEX] on. */
static int find_blocker(struct sendcp_engine *engine, const struct sendcp_inode_id *dir, u64 *note)
{
	struct sendcp_key first = {
		.objectid = dir->ino, .type = SENDCP_DIR_INDEX, .offset = note[INDEX],
	};
	struct sendcp_item_iter iter;
	int ret;

	sendcp_item_iter_init(&iter, engine->parent, &first, SENDCP_DIR_INDEX);
	while ((ret = sendcp_item_iter_next(&iter)) > 0) {
		ret = blocks(engine, &iter.cursor, dir, note);
		if (ret)
			break;
	}
	sendcp_item_iter_release(&iter);
	return ret;
}

/* @dir waits to be removed from now on, if it does not already. */
static int wait_for(struct sendcp_engine *engine, const struct sendcp_inode_id *dir,
		    const u64 *note)
{
	struct sendcp_inode_set *pending = &engine->deferred.moves.pending_rmdirs;

	if (sendcp_inode_set_add(pending, dir->ino, dir->generation))
		return sendcp_send_fail(engine, SENDCP_ERR_NO_MEMORY);
	memcpy(sendcp_inode_set_note(pending, dir->ino, dir->generation), note, 2 * sizeof(*note));
	return 0;
}

int sendcp_can_remove(struct sendcp_engine *engine, u64 dir, u64 generation)
{
	struct sendcp_inode_set *pending = &engine->deferred.moves.pending_rmdirs;
	struct sendcp_inode_id id = { .ino = dir, .generation = generation };
	const u64 *known;
	u64 note[2] = { 0, 0 };
	int blocked;

	if (dir == SENDCP_ROOT_DIR_ID)
		return 0;
	known = sendcp_inode_set_note(pending, dir, generation);
	if (known && engine->state.ino < known[BLOCKER])
		return 0;
	if (known)
		note[INDEX] = known[INDEX];
	blocked = find_blocker(engine, &id, note);
	if (blocked < 0)
		return blocked;
	if (blocked)
		return wait_for(engine, &id, note);
	sendcp_inode_set_remove(pending, dir, generation);
	return 1;
}

int sendcp_remove_if_empty(struct sendcp_engine *engine, const struct sendcp_inode_id *dir)
{
	int ret = sendcp_can_remove(engine, dir->ino, dir->generation);

	if (ret <= 0)
		return ret;
	ret = sendcp_path_of(engine, dir->ino, dir->generation, &engine->path_a);
	return ret ? ret : sendcp_send_rmdir(engine, &engine->path_a);
}
