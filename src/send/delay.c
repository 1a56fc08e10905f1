// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Directory moves that must wait, and their being made when what they waited for has had its turn.
 *
 * A directory cannot move below one that is still below it, nor to a path of which a part is yet to
 * be moved itself. Meanwhile it is where it was, or under its orphan name if it had to make way for
 * another inode, and so is all that is in it: path.c asks the waiting moves before it asks any
 * tree.
 *
 * Each move waits for one inode. When the turn of that is over the move is made, and after it those
 * that waited for the moved directory. If something else is in the way by then, it waits again.
 */
#include "send/delay.h"
#include "send/engine_private.h"
#include "send/exists.h"
#include "send/identity.h"
#include "send/names.h"
#include "send/path.h"
#include "send/utimes.h"

static int list_dirs(struct sendcp_id_list *to, const struct sendcp_ref_list *from)
{
	u32 i;

	for (i = 0; i < from->count; i++)
		if (!from->refs[i].cancelled &&
		    sendcp_id_list_add(to, from->refs[i].dir, from->refs[i].dir_generation))
			return -ENOMEM;
	return 0;
}

/* Takes @move's list over, on failure too. */
static int add_move(struct sendcp_engine *engine, struct sendcp_move *move)
{
	int err = sendcp_moves_add(&engine->deferred.moves, move);

	if (!err)
		return 0;
	sendcp_id_list_release(&move->touched);
	return sendcp_send_fail(engine, err == -ENOMEM ? SENDCP_ERR_NO_MEMORY :
				SENDCP_ERR_INCONSISTENT);
}

/*
 * Registers the move. The directories of its names go with it: they get new times when it is made,
 * and the lists of names are gone by then. Always 1, or a failure.
 */
static int wait_on(struct sendcp_engine *engine, u64 ino)
{
	const struct sendcp_naming *naming = &engine->naming;
	struct sendcp_move move = {
		.dir.ino = engine->state.ino,
		.dir.generation = engine->state.generation,
		.blocked_on = ino,
		.orphanized = naming->still_orphan,
	};
	int err;

	if (list_dirs(&move.touched, &naming->deleted_refs) ||
	    list_dirs(&move.touched, &naming->new_refs)) {
		sendcp_id_list_release(&move.touched);
		return sendcp_send_fail(engine, SENDCP_ERR_NO_MEMORY);
	}
	err = add_move(engine, &move);
	return err ? err : 1;
}

/*
 * 1: the inode that has the wanted name in the parent has not left it, since its own move waits.
 * One that is under its orphan name has.
 */
static int destination_waits(struct sendcp_engine *engine, const struct sendcp_name *name)
{
	const struct sendcp_move *move;
	struct sendcp_key location;
	u64 before;
	u64 now;
	int err;

	if (!engine->deferred.moves.count)
		return 0;
	err = sendcp_dir_lookup(engine->parent, name->dir, name->bytes, name->len, &location);
	if (err || location.type != SENDCP_INODE_ITEM)
		return err == -ENOENT ? 0 : err;
	err = sendcp_generation_in_both(engine, location.objectid, &now, &before);
	if (err || !now || now != before)
		return err;
	move = sendcp_moves_find(&engine->deferred.moves, location.objectid);
	if (!move || move->orphanized)
		return 0;
	return wait_on(engine, location.objectid);
}

static bool same_place(const struct sendcp_name *a, const struct sendcp_name *b)
{
	return a->dir == b->dir && a->len == b->len && !memcmp(a->bytes, b->bytes, a->len);
}

/*
 * 1: the move must wait for @id, one of the directories above its destination. -ENOENT: no, nor for
 * any above it, since native send looks no further than a directory that is not in the parent. Goes
 * one up otherwise.
 *
 * It must if @id is waiting itself and is below the moving directory in the parent: the move would
 * make a loop. It must also if the turn of @id is still to come and will move it, because the path
 * of the destination is another one after that.
 */
static int parent_waits(struct sendcp_engine *engine, struct sendcp_inode_id *id)
{
	const struct sendcp_state *state = &engine->state;
	struct sendcp_inode_id moving = { .ino = state->ino, .generation = state->generation };
	struct sendcp_name now;
	struct sendcp_name before;
	u64 now_generation;
	u64 old = 0;
	int ret = 0;

	if (sendcp_moves_find(&engine->deferred.moves, id->ino))
		ret = sendcp_is_ancestor(engine, engine->parent, id->ino, &moving);
	if (ret)
		return ret < 0 ? ret : 1;
	ret = sendcp_first_ref(engine->tree, id->ino, &now);
	if (ret)
		return ret == -ENOENT ? sendcp_send_fail(engine, SENDCP_ERR_INCONSISTENT) : ret;
	ret = sendcp_first_ref(engine->parent, id->ino, &before);
	if (!ret)
		ret = sendcp_generation_in(engine, engine->tree, now.dir, &now_generation);
	if (!ret)
		ret = sendcp_generation_in(engine, engine->parent, id->ino, &old);
	if (ret)
		return ret;
	if (id->ino > state->ino && id->generation == old &&
	    !same_place(&now, &before))
		return 1;
	id->ino = now.dir;
	id->generation = now_generation;
	return 0;
}

int sendcp_must_wait(struct sendcp_engine *engine, const struct sendcp_name *name,
		     u64 dir_generation)
{
	struct sendcp_inode_id id = { .ino = name->dir, .generation = dir_generation };
	u32 depth;
	int ret = destination_waits(engine, name);

	for (depth = 0; !ret && id.ino > SENDCP_ROOT_DIR_ID; depth++) {
		if (depth > SENDCP_PATH_MAX / 2)
			return sendcp_send_fail(engine, SENDCP_ERR_PATH_LENGTH);
		ret = parent_waits(engine, &id);
		if (ret > 0)
			return wait_on(engine, id.ino);
	}
	return ret == -ENOENT ? 0 : ret;
}

/*
 * Would the move put the directory below itself? *@blocker is what it then has to wait for; 0: it
 * may go. Follows the path that the directory would have, upwards, as the receiver has it now: by
 * the old name of a directory that waits, by sendcp_name_now() otherwise. An orphan name is in the
 * root, where there is no loop. The blocker is the first directory met that waits, or, if none
 * does, the one right below the moved one.
 */
static int find_loop(struct sendcp_engine *engine, const struct sendcp_move *move, u64 *blocker)
{
	struct sendcp_inode_id id = move->dir;
	const struct sendcp_moves *moves = &engine->deferred.moves;
	struct sendcp_tree *tree;
	struct sendcp_name name;
	u32 depth;
	int ret;

	*blocker = 0;
	for (depth = 0; id.ino != SENDCP_ROOT_DIR_ID; depth++) {
		if (depth > SENDCP_PATH_MAX / 2)
			return sendcp_send_fail(engine, SENDCP_ERR_PATH_LENGTH);
		if (sendcp_moves_rmdir_pending(moves, id.ino, id.generation))
			break;
		if (sendcp_moves_find(moves, id.ino)) {
			if (!*blocker)
				*blocker = id.ino;
			tree = engine->parent;
			ret = sendcp_first_ref(tree, id.ino, &name);
			if (ret == -ENOENT)
				break;
		} else {
			ret = sendcp_name_now(engine, &id, &name, &tree);
			if (ret > 0)
				break;
		}
		if (ret)
			return ret;
		if (name.dir == move->dir.ino) {
			if (!*blocker)
				*blocker = id.ino;
			return 0;
		}
		id.ino = name.dir;
		ret = sendcp_generation_in(engine, tree, name.dir, &id.generation);
		if (ret)
			return ret;
	}
	*blocker = 0;
	return 0;
}

/*
 * The path where the directory has been waiting: its first name in the parent, in a directory that
 * may have been moved itself since.
 */
static int old_path(struct sendcp_engine *engine, const struct sendcp_move *move,
		    struct sendcp_path *path)
{
	struct sendcp_name name;
	u64 generation;
	int err;

	if (move->orphanized)
		return sendcp_orphan_name(engine, move->dir.ino, move->dir.generation, path);
	err = sendcp_first_ref(engine->parent, move->dir.ino, &name);
	if (!err)
		err = sendcp_generation_in(engine, engine->parent, name.dir, &generation);
	if (err)
		return err == -ENOENT ? sendcp_send_fail(engine, SENDCP_ERR_INCONSISTENT) : err;
	err = sendcp_path_of(engine, name.dir, generation, path);
	return err ? err : sendcp_path_append(engine, path, name.bytes, name.len);
}

/* The directory that could not be removed because of this one. */
static int remove_left(struct sendcp_engine *engine, const struct sendcp_inode_id *dir)
{
	const struct sendcp_moves *moves = &engine->deferred.moves;

	if (!dir->ino || !sendcp_moves_rmdir_pending(moves, dir->ino, dir->generation))
		return 0;
	return sendcp_remove_if_empty(engine, dir);
}

static int touch_moved(struct sendcp_engine *engine, const struct sendcp_move *move)
{
	const struct sendcp_inode_id *dir;
	struct sendcp_inode inode;
	int err = sendcp_defer_utimes(engine, move->dir.ino, move->dir.generation);
	u32 i;

	for (i = 0; i < move->touched.count && !err; i++) {
		dir = &move->touched.ids[i];
		err = sendcp_inode_get(engine->tree, dir->ino, &inode);
		if (!err)
			err = sendcp_defer_utimes(engine, dir->ino, dir->generation);
		else if (err == -ENOENT)
			err = 0;
	}
	return err;
}

static int make_move(struct sendcp_engine *engine, const struct sendcp_move *move)
{
	int err = sendcp_path_of(engine, move->dir.ino, move->dir.generation, &engine->path_b);

	if (!err)
		err = sendcp_send_rename(engine, &engine->path_c, &engine->path_b);
	if (!err)
		err = remove_left(engine, &move->removes);
	return err ? err : touch_moved(engine, move);
}

/* The move would put the directory below itself: it waits once more, for @blocker. */
static int wait_again(struct sendcp_engine *engine, const struct sendcp_move *move, u64 blocker)
{
	struct sendcp_move again = *move;

	again.blocked_on = blocker;
	again.queued = false;
	memset(&again.touched, 0, sizeof(again.touched));
	if (sendcp_id_list_copy(&again.touched, &move->touched))
		return sendcp_send_fail(engine, SENDCP_ERR_NO_MEMORY);
	return add_move(engine, &again);
}

/*
 * *@waits: it was not made, but waits once more.
 *
 * Moves are made at the end of the current inode's turn, before send_progress says that it is over.
 * The old path is as it was until now; the new one is looked up as after the turn. Then it is set
 * back, as native send does: the inode's own times are still to be sent.
 */
static int apply(struct sendcp_engine *engine, const struct sendcp_move *move, bool *waits)
{
	u64 send_progress = engine->state.send_progress;
	u64 blocker = 0;
	int err = old_path(engine, move, &engine->path_c);

	engine->state.send_progress = engine->state.ino + 1;
	if (!err)
		err = find_loop(engine, move, &blocker);
	*waits = blocker;
	if (!err)
		err = blocker ? wait_again(engine, move, blocker) : make_move(engine, move);
	engine->state.send_progress = send_progress;
	return err;
}

/*
 * At the end of those that are ready already, so that moves are made in the order in which native
 * send makes them: for one inode, first those that began to wait first.
 */
static int queue_waiting(struct sendcp_engine *engine, u64 ino)
{
	if (sendcp_moves_queue(&engine->deferred.moves, ino))
		return sendcp_send_fail(engine, SENDCP_ERR_NO_MEMORY);
	return 0;
}

int sendcp_queue_moves(struct sendcp_engine *engine)
{
	engine->stalled_moves = 0;
	return queue_waiting(engine, engine->state.ino);
}

/*
 * When all that wait have been made to wait again one after the other, and none was moved in
 * between, this would never end. No filesystem makes such trees, but a forged one can
 * have them. The counter is in no checkpoint: after resuming it begins again, and still bounds the
 * steps.
 */
int sendcp_apply_move(struct sendcp_engine *engine)
{
	const struct sendcp_move *move;
	bool waits;
	int err;

	if (sendcp_moves_take(&engine->deferred.moves, &move))
		return sendcp_send_fail(engine, SENDCP_ERR_NO_MEMORY);
	if (!move)
		return 0;
	err = apply(engine, move, &waits);
	if (err)
		return err;
	if (waits && engine->stalled_moves >= engine->deferred.moves.count)
		return sendcp_send_fail(engine, SENDCP_ERR_INCONSISTENT);
	err = queue_waiting(engine, move->dir.ino);
	if (err)
		return err;
	engine->stalled_moves = waits ? engine->stalled_moves + 1 : 0;
	return 1;
}
