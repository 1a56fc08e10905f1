// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What is there at the receiver at this moment: inodes, and which of them has a name.
 *
 * Numbers are reused, so an inode is a number and a generation. One generation in both trees is one
 * inode, which is there all the time. Where they differ, or there is no inode in one of them,
 * send_progress decides: below it the receiver has the subvolume's, from it on the parent's. Every
 * answer here is for this moment of the stream only, and wrong as soon as send_progress is another.
 */
#include "send/engine_private.h"
#include "send/exists.h"
#include "send/identity.h"

int sendcp_inode_state(struct sendcp_engine *engine, u64 ino, u64 generation)
{
	bool passed = ino < engine->state.send_progress;
	u64 now;
	u64 before;
	int err = sendcp_generation_in_both(engine, ino, &now, &before);

	if (err)
		return err;
	/* Generation 0 is no inode: it is equal in both trees where neither has the number. */
	if (now == generation && before == generation)
		return generation ? SENDCP_INODE_NO_CHANGE : -ENOENT;
	if (now == generation)
		return passed ? SENDCP_INODE_DID_CREATE : SENDCP_INODE_WILL_CREATE;
	if (before == generation && engine->parent)
		return passed ? SENDCP_INODE_DID_DELETE : SENDCP_INODE_WILL_DELETE;
	return -ENOENT;
}

int sendcp_need_inode_state(struct sendcp_engine *engine, u64 ino, u64 generation)
{
	int inode_state = sendcp_inode_state(engine, ino, generation);

	return inode_state == -ENOENT ? sendcp_send_fail(engine, SENDCP_ERR_INCONSISTENT) :
		inode_state;
}

int sendcp_exists_now(struct sendcp_engine *engine, u64 ino, u64 generation)
{
	int inode_state;

	if (ino == SENDCP_ROOT_DIR_ID)
		return 1;
	/* In a full send send_progress alone decides. */
	if (!engine->parent)
		return ino < engine->state.send_progress;
	inode_state = sendcp_need_inode_state(engine, ino, generation);
	if (inode_state < 0)
		return inode_state;
	return inode_state == SENDCP_INODE_NO_CHANGE || inode_state == SENDCP_INODE_DID_CREATE ||
	       inode_state == SENDCP_INODE_WILL_DELETE;
}

/* Inode that (dir, name) names in @tree; -ENOENT if none, or a subvolume. */
static int lookup(struct sendcp_tree *tree, u64 dir, const u8 *name, u16 len, u64 *ino)
{
	struct sendcp_key location;
	int err = sendcp_dir_lookup(tree, dir, name, len, &location);

	if (err)
		return err;
	if (location.type == SENDCP_ROOT_ITEM)
		return -ENOENT;
	*ino = location.objectid;
	return 0;
}

/* Is directory (dir, generation) in @tree? The root directory always is. */
static int is_dir_in(struct sendcp_engine *engine, struct sendcp_tree *tree, u64 dir,
		     u64 generation)
{
	u64 found;
	int err;

	if (dir == SENDCP_ROOT_DIR_ID)
		return 1;
	err = sendcp_generation_in(engine, tree, dir, &found);
	return err ? err : found == generation;
}

bool sendcp_orphanized_now(const struct sendcp_engine *engine, u64 ino, u64 generation)
{
	const struct sendcp_naming *naming = &engine->naming;

	return !naming->before_orphanized &&
	       sendcp_inode_set_has(&naming->orphanized, ino, generation);
}

/*
 * Has the current inode, whose turn is not over, taken a name of (ino, generation) already? It has
 * if that one went aside for it in this step, or if its own move waits: all that was in its way
 * went aside before that was decided.
 */
static bool took_name_of(struct sendcp_engine *engine, u64 ino, u64 generation)
{
	return sendcp_orphanized_now(engine, ino, generation) ||
	       sendcp_moves_find(&engine->deferred.moves, engine->state.ino);
}

int sendcp_is_overwritten(struct sendcp_engine *engine, const struct sendcp_name *name,
			  u64 dir_generation, u64 ino, u64 generation)
{
	const struct sendcp_state *state = &engine->state;
	u64 taker;
	u64 taker_generation;
	int ret;

	if (!engine->parent)
		return 0;
	ret = sendcp_exists_now(engine, name->dir, dir_generation);
	if (ret > 0)
		ret = is_dir_in(engine, engine->tree, name->dir, dir_generation);
	if (ret <= 0)
		return ret;
	ret = lookup(engine->tree, name->dir, name->bytes, name->len, &taker);
	if (ret)
		return ret == -ENOENT ? 0 : ret;
	ret = sendcp_generation_in(engine, engine->tree, taker, &taker_generation);
	if (ret)
		return ret;
	if (taker == ino && taker_generation == generation)
		return 0;
	/* The turn of the other inode is over, so the name has changed hands. */
	if (taker < state->send_progress)
		return 1;
	if (ino == state->ino || taker != state->ino || taker_generation != state->generation)
		return 0;
	return took_name_of(engine, ino, generation);
}

/* 1: directory (dir, generation) is the parent's, and the receiver has it now. */
static int parents_dir_exists(struct sendcp_engine *engine, u64 dir, u64 generation)
{
	int inode_state;

	if (dir == SENDCP_ROOT_DIR_ID)
		return 1;
	inode_state = sendcp_inode_state(engine, dir, generation);
	if (inode_state == -ENOENT || inode_state == SENDCP_INODE_WILL_CREATE ||
	    inode_state == SENDCP_INODE_DID_DELETE)
		return 0;
	if (inode_state < 0)
		return inode_state;
	return is_dir_in(engine, engine->parent, dir, generation);
}

int sendcp_find_conflict(struct sendcp_engine *engine, const struct sendcp_name *name,
			 u64 dir_generation, struct sendcp_inode *in_the_way)
{
	u64 ino;
	int ret;

	if (!engine->parent)
		return 0;
	ret = parents_dir_exists(engine, name->dir, dir_generation);
	if (ret <= 0)
		return ret;
	ret = lookup(engine->parent, name->dir, name->bytes, name->len, &ino);
	if (ret)
		return ret == -ENOENT ? 0 : ret;
	/* Its turn is over, and so it has left the name, unless its move waits. */
	if (ino <= engine->state.send_progress && !sendcp_moves_find(&engine->deferred.moves, ino))
		return 0;
	ret = sendcp_inode_in(engine, engine->parent, ino, in_the_way);
	if (ret)
		return ret == -ENOENT ? sendcp_send_fail(engine, SENDCP_ERR_INCONSISTENT) : ret;
	return 1;
}

/* Upwards from directory @dir by first names: is (ancestor, generation) met? */
static int is_above(struct sendcp_engine *engine, struct sendcp_tree *tree, u64 dir,
		    const struct sendcp_inode_id *ancestor)
{
	struct sendcp_name name;
	u64 generation;
	u32 depth;
	int err;

	/*
	 * A path has at most half as many parts as bytes, so only a forged tree with a loop has
	 * more.
	 */
	for (depth = 0; depth <= SENDCP_PATH_MAX / 2; depth++) {
		if (dir == ancestor->ino) {
			err = sendcp_generation_in(engine, tree, dir, &generation);
			return err ? err : generation == ancestor->generation;
		}
		if (dir <= SENDCP_ROOT_DIR_ID)
			return 0;
		err = sendcp_first_ref(tree, dir, &name);
		if (err)
			return err == -ENOENT ? sendcp_send_fail(engine, SENDCP_ERR_INCONSISTENT) :
				err;
		dir = name.dir;
	}
	return sendcp_send_fail(engine, SENDCP_ERR_PATH_LENGTH);
}

int sendcp_is_ancestor(struct sendcp_engine *engine, struct sendcp_tree *tree, u64 ino,
		       const struct sendcp_inode_id *ancestor)
{
	struct sendcp_inode_ref_iter iter;
	struct sendcp_ref ref;
	u64 last = 0;
	int ret;

	sendcp_inode_ref_iter_init(&iter, tree, ino);
	while ((ret = sendcp_inode_ref_iter_next(&iter, &ref)) > 0) {
		if (ref.dir == last)
			continue;
		ret = is_above(engine, tree, ref.dir, ancestor);
		if (ret)
			break;
		last = ref.dir;
	}
	sendcp_inode_ref_iter_release(&iter);
	return ret;
}
