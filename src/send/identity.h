/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Inodes as the send sees them: which inode of the parent is which of the subvolume.
 *
 * Generations are such that two inodes with one number, one of each tree, are the same if and only
 * if their generations are equal. Only for the subvolume and its parent.
 */
#ifndef SCP_SEND_IDENTITY_H
#define SCP_SEND_IDENTITY_H

#include <sendcp/platform.h>

struct scp_engine;
struct scp_inode;
struct scp_tree;

/* Reads @ino of @tree to *@inode. -ENOENT sets no reason: it need not be an error. */
int scp_inode_in(struct scp_engine *engine, struct scp_tree *tree, u64 ino,
		 struct scp_inode *inode);
/* Reads it from both trees; inode number 0 where there is none; never -ENOENT. */
int scp_inode_in_both(struct scp_engine *engine, u64 ino, struct scp_inode *now,
		      struct scp_inode *before);
/* *@generation 0 if @ino is missing in @tree or has no links; never -ENOENT. */
int scp_generation_in(struct scp_engine *engine, struct scp_tree *tree, u64 ino, u64 *generation);
/* The same in the subvolume and in its parent. */
int scp_generation_in_both(struct scp_engine *engine, u64 ino, u64 *now, u64 *before);
/* The same for two that were read from their items: changes @before's generation if need be. */
int scp_tell_apart(struct scp_engine *engine, const struct scp_inode *now,
		   struct scp_inode *before);

#endif
