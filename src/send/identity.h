/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Inodes as the send sees them: which inode of the parent is which of the subvolume.
 *
 * Generations are such that two inodes with one number, one of each tree, are the same if and only
 * if their generations are equal. Only for the subvolume and its parent.
 */
#ifndef SENDCP_SEND_IDENTITY_H
#define SENDCP_SEND_IDENTITY_H

#include <sendcp/platform.h>

struct sendcp_engine;
struct sendcp_inode;
struct sendcp_tree;

/* Reads @ino of @tree to *@inode. -ENOENT sets no reason: it need not be an error. */
int sendcp_inode_in(struct sendcp_engine *engine, struct sendcp_tree *tree, u64 ino,
		    struct sendcp_inode *inode);
/* Reads it from both trees; inode number 0 where there is none; never -ENOENT. */
int sendcp_inode_in_both(struct sendcp_engine *engine, u64 ino, struct sendcp_inode *now,
			 struct sendcp_inode *before);
/*
 * Of what a name says is its directory. It must be one: a path through a symlink would lead the
 * receiver out of its directory.
 */
int sendcp_dir_generation(struct sendcp_engine *engine, struct sendcp_tree *tree, u64 dir,
			  u64 *generation);
/* *@generation 0 if @ino is missing in @tree or has no links; never -ENOENT. */
int sendcp_generation_in(struct sendcp_engine *engine, struct sendcp_tree *tree, u64 ino,
			 u64 *generation);
/* The same in the subvolume and in its parent. */
int sendcp_generation_in_both(struct sendcp_engine *engine, u64 ino, u64 *now, u64 *before);
/* The same for two that were read from their items: changes @before's generation if need be. */
int sendcp_tell_apart(struct sendcp_engine *engine, const struct sendcp_inode *now,
		      struct sendcp_inode *before);

#endif
