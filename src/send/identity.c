// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Is the inode that the parent has under a number the one that the subvolume has there?
 *
 * Inode number and generation decide, as long as both come from one history. Two snapshots of one
 * subvolume that were changed in one transaction may have given the same number to two things, and
 * the generation is the transaction. So the attributes that cannot change in the life of an inode
 * are compared too: its type, a device's number, a symlink's target. If that differs, the one of
 * the parent is given another generation here, and everything else follows from generations.
 *
 * Two files, or two directories, are taken for one inode then: their difference is sent as a
 * change.
 */
#include "send/engine_private.h"
#include "send/identity.h"

/* Kernels count transactions from 1 up, and never come near it. */
#define OTHER_INODE (1ULL << 63)

/* Empty if there is none, as a crash can leave it. */
static int find_target(struct sendcp_cursor *cursor, u64 ino, struct sendcp_extent *extent)
{
	int err;

	memset(extent, 0, sizeof(*extent));
	err = sendcp_extent_get(cursor, ino, 0, extent);
	return err == -ENOENT ? 0 : err;
}

/* 1: both symlinks have the same target. */
static int same_target(struct sendcp_engine *engine, u64 ino)
{
	struct sendcp_cursor left;
	struct sendcp_cursor right;
	struct sendcp_extent now;
	struct sendcp_extent before;
	bool same = false;
	int err;

	sendcp_cursor_init(&left, engine->tree);
	sendcp_cursor_init(&right, engine->parent);
	err = find_target(&left, ino, &now);
	if (!err)
		err = find_target(&right, ino, &before);
	if (!err)
		same = now.inline_size == before.inline_size &&
		       (!now.inline_size ||
			!memcmp(now.inline_data, before.inline_data, now.inline_size));
	sendcp_cursor_release(&left);
	sendcp_cursor_release(&right);
	return err ? err : same;
}

/* 1, 0 or a negative errno. The generations are equal. */
static int is_same(struct sendcp_engine *engine, const struct sendcp_inode *now,
		   const struct sendcp_inode *before)
{
	u32 type = now->mode & S_IFMT;

	if (type != (before->mode & S_IFMT))
		return 0;
	if (type == S_IFCHR || type == S_IFBLK)
		return now->rdev == before->rdev;
	if (type != S_IFLNK)
		return 1;
	return now->size == before->size ? same_target(engine, now->ino) : 0;
}

int sendcp_tell_apart(struct sendcp_engine *engine, const struct sendcp_inode *now,
		      struct sendcp_inode *before)
{
	int ret;

	if (now->generation != before->generation || now->ino == SENDCP_ROOT_DIR_ID)
		return 0;
	ret = is_same(engine, now, before);
	if (ret < 0)
		return ret;
	if (!ret)
		before->generation ^= OTHER_INODE;
	return 0;
}

/* Zeros if @ino is missing in @tree. */
static int get_if_there(struct sendcp_tree *tree, u64 ino, struct sendcp_inode *inode)
{
	int err = sendcp_inode_get(tree, ino, inode);

	if (err == -ENOENT)
		memset(inode, 0, sizeof(*inode));
	return err == -ENOENT ? 0 : err;
}

int sendcp_inode_in_both(struct sendcp_engine *engine, u64 ino, struct sendcp_inode *now,
			 struct sendcp_inode *before)
{
	int err = get_if_there(engine->tree, ino, now);

	memset(before, 0, sizeof(*before));
	if (!err && engine->parent)
		err = get_if_there(engine->parent, ino, before);
	if (err || !now->ino || !before->ino)
		return err;
	return sendcp_tell_apart(engine, now, before);
}

int sendcp_inode_in(struct sendcp_engine *engine, struct sendcp_tree *tree, u64 ino,
		    struct sendcp_inode *inode)
{
	struct sendcp_inode now;
	int err = sendcp_inode_get(tree, ino, inode);

	if (err || tree != engine->parent)
		return err;
	err = sendcp_inode_get(engine->tree, ino, &now);
	if (err)
		return err == -ENOENT ? 0 : err;
	return sendcp_tell_apart(engine, &now, inode);
}

int sendcp_generation_in(struct sendcp_engine *engine, struct sendcp_tree *tree, u64 ino,
			 u64 *generation)
{
	struct sendcp_inode inode;
	int err = sendcp_inode_in(engine, tree, ino, &inode);

	*generation = 0;
	if (err)
		return err == -ENOENT ? 0 : err;
	if (inode.nlink)
		*generation = inode.generation;
	return 0;
}

int sendcp_dir_generation(struct sendcp_engine *engine, struct sendcp_tree *tree, u64 dir,
			  u64 *generation)
{
	struct sendcp_inode inode;
	int err = sendcp_inode_in(engine, tree, dir, &inode);

	if (err == -ENOENT || (!err && !S_ISDIR(inode.mode)))
		return sendcp_send_fail(engine, SENDCP_ERR_INCONSISTENT);
	if (!err)
		*generation = inode.generation;
	return err;
}

int sendcp_generation_in_both(struct sendcp_engine *engine, u64 ino, u64 *now, u64 *before)
{
	struct sendcp_inode left;
	struct sendcp_inode right;
	int err = sendcp_inode_in_both(engine, ino, &left, &right);

	*now = !err && left.nlink ? left.generation : 0;
	*before = !err && right.nlink ? right.generation : 0;
	return err;
}
