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
static int find_target(struct scp_cursor *cursor, u64 ino, struct scp_extent *extent)
{
	int err;

	memset(extent, 0, sizeof(*extent));
	err = scp_extent_get(cursor, ino, 0, extent);
	return err == -ENOENT ? 0 : err;
}

/* 1: both symlinks have the same target. */
static int same_target(struct scp_engine *engine, u64 ino)
{
	struct scp_cursor left;
	struct scp_cursor right;
	struct scp_extent now;
	struct scp_extent before;
	bool same = false;
	int err;

	scp_cursor_init(&left, engine->tree);
	scp_cursor_init(&right, engine->parent);
	err = find_target(&left, ino, &now);
	if (!err)
		err = find_target(&right, ino, &before);
	if (!err)
		same = now.inline_size == before.inline_size &&
		       (!now.inline_size ||
			!memcmp(now.inline_data, before.inline_data, now.inline_size));
	scp_cursor_release(&left);
	scp_cursor_release(&right);
	return err ? err : same;
}

/* 1, 0 or a negative errno. The generations are equal. */
static int is_same(struct scp_engine *engine, const struct scp_inode *now,
		   const struct scp_inode *before)
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

int scp_tell_apart(struct scp_engine *engine, const struct scp_inode *now, struct scp_inode *before)
{
	int ret;

	if (now->generation != before->generation || now->ino == SCP_ROOT_DIR_ID)
		return 0;
	ret = is_same(engine, now, before);
	if (ret < 0)
		return ret;
	if (!ret)
		before->generation ^= OTHER_INODE;
	return 0;
}

/* Zeros if @ino is missing in @tree. */
static int get_if_there(struct scp_tree *tree, u64 ino, struct scp_inode *inode)
{
	int err = scp_inode_get(tree, ino, inode);

	if (err == -ENOENT)
		memset(inode, 0, sizeof(*inode));
	return err == -ENOENT ? 0 : err;
}

int scp_inode_in_both(struct scp_engine *engine, u64 ino, struct scp_inode *now,
		      struct scp_inode *before)
{
	int err = get_if_there(engine->tree, ino, now);

	memset(before, 0, sizeof(*before));
	if (!err && engine->parent)
		err = get_if_there(engine->parent, ino, before);
	if (err || !now->ino || !before->ino)
		return err;
	return scp_tell_apart(engine, now, before);
}

int scp_inode_in(struct scp_engine *engine, struct scp_tree *tree, u64 ino, struct scp_inode *inode)
{
	struct scp_inode now;
	int err = scp_inode_get(tree, ino, inode);

	if (err || tree != engine->parent)
		return err;
	err = scp_inode_get(engine->tree, ino, &now);
	if (err)
		return err == -ENOENT ? 0 : err;
	return scp_tell_apart(engine, &now, inode);
}

int scp_generation_in(struct scp_engine *engine, struct scp_tree *tree, u64 ino, u64 *generation)
{
	struct scp_inode inode;
	int err = scp_inode_in(engine, tree, ino, &inode);

	*generation = 0;
	if (err)
		return err == -ENOENT ? 0 : err;
	if (inode.nlink)
		*generation = inode.generation;
	return 0;
}

int scp_generation_in_both(struct scp_engine *engine, u64 ino, u64 *now, u64 *before)
{
	struct scp_inode left;
	struct scp_inode right;
	int err = scp_inode_in_both(engine, ino, &left, &right);

	*now = !err && left.nlink ? left.generation : 0;
	*before = !err && right.nlink ? right.generation : 0;
	return err;
}
