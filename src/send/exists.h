/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The receiver's tree at this moment.
 *
 * Inodes below state.send_progress are there as in the subvolume, all others as in the parent. All
 * return negative errnos as usual.
 */
#ifndef SCP_SEND_EXISTS_H
#define SCP_SEND_EXISTS_H

#include <sendcp/platform.h>

struct scp_engine;
struct scp_inode;
struct scp_inode_id;
struct scp_name;
struct scp_tree;

/* The part of an inode's life in this send: done, or still to come. */
enum scp_inode_state {
	SCP_INODE_NO_CHANGE,
	SCP_INODE_DID_CREATE,
	SCP_INODE_WILL_CREATE,
	SCP_INODE_DID_DELETE,
	SCP_INODE_WILL_DELETE,
};

/* An enum scp_inode_state; -ENOENT (no reason set) if the inode is in neither tree. */
int scp_inode_state(struct scp_engine *engine, u64 ino, u64 generation);
/* The same for an inode that must be in one of them. */
int scp_need_inode_state(struct scp_engine *engine, u64 ino, u64 generation);
/* 1: it is there, under a name or its orphan name; 0: not yet, or no more. */
int scp_exists_now(struct scp_engine *engine, u64 ino, u64 generation);
/* 1: another inode, whose turn has been, has taken this name of (ino, generation). */
int scp_is_overwritten(struct scp_engine *engine, const struct scp_name *name, u64 dir_generation,
		       u64 ino, u64 generation);
/* 1: *@in_the_way, of the parent and not yet dealt with, has this name now. */
int scp_find_conflict(struct scp_engine *engine, const struct scp_name *name, u64 dir_generation,
		      struct scp_inode *in_the_way);
/* 1: @ancestor is above @ino in @tree. */
int scp_is_ancestor(struct scp_engine *engine, struct scp_tree *tree, u64 ino,
		    const struct scp_inode_id *ancestor);

#endif
