/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The receiver's tree at this moment.
 *
 * Inodes below state.send_progress are there as in the subvolume, all others as in the parent. All
 * return negative errnos as usual.
 */
#ifndef SENDCP_SEND_EXISTS_H
#define SENDCP_SEND_EXISTS_H

#include <sendcp/platform.h>

struct sendcp_engine;
struct sendcp_inode;
struct sendcp_inode_id;
struct sendcp_name;
struct sendcp_tree;

/* The part of an inode's life in this send: done, or still to come. */
enum sendcp_inode_state {
	SENDCP_INODE_NO_CHANGE,
	SENDCP_INODE_DID_CREATE,
	SENDCP_INODE_WILL_CREATE,
	SENDCP_INODE_DID_DELETE,
	SENDCP_INODE_WILL_DELETE,
};

/* An enum sendcp_inode_state; -ENOENT (no reason set) if the inode is in neither tree. */
int sendcp_inode_state(struct sendcp_engine *engine, u64 ino, u64 generation);
/* The same for an inode that must be in one of them. */
int sendcp_need_inode_state(struct sendcp_engine *engine, u64 ino, u64 generation);
/* 1: it is there, under a name or its orphan name; 0: not yet, or no more. */
int sendcp_exists_now(struct sendcp_engine *engine, u64 ino, u64 generation);
/* The current inode has moved it out of its way in this step, and paths are to show that. */
bool sendcp_orphanized_now(const struct sendcp_engine *engine, u64 ino, u64 generation);
/* 1: another inode, whose turn has been, has taken this name of (ino, generation). */
int sendcp_is_overwritten(struct sendcp_engine *engine, const struct sendcp_name *name,
			  u64 dir_generation, u64 ino, u64 generation);
/* 1: *@in_the_way, of the parent and not yet dealt with, has this name now. */
int sendcp_find_conflict(struct sendcp_engine *engine, const struct sendcp_name *name,
			 u64 dir_generation, struct sendcp_inode *in_the_way);
/* 1: @ancestor is above @ino in @tree. */
int sendcp_is_ancestor(struct sendcp_engine *engine, struct sendcp_tree *tree, u64 ino,
		       const struct sendcp_inode_id *ancestor);

#endif
