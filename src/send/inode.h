/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Opening inodes, and creating them at the receiver.
 */
#ifndef SENDCP_SEND_INODE_H
#define SENDCP_SEND_INODE_H

#include "send/state.h"

struct sendcp_engine;

/* Makes the inode of the change, an INODE_ITEM, the current one, and creates it if it is new. */
int sendcp_open_inode(struct sendcp_engine *engine);
/* Opens the inode of the change, whose INODE_ITEM is the same in both trees while others differ. */
int sendcp_open_unlike(struct sendcp_engine *engine);
/* The current inode is @inode now; the state of the one before is dropped. */
void sendcp_set_inode(struct sendcp_state *state, enum sendcp_kind kind,
		      const struct sendcp_inode *inode);
/* Queues the command that creates @inode, the current one, under its orphan name. */
int sendcp_create_inode(struct sendcp_engine *engine, const struct sendcp_inode *inode);
/* MKDIR for a directory whose turn has not come, unless that was done. */
int sendcp_create_dir_early(struct sendcp_engine *engine, u64 dir, u64 generation);
/* A step of the RECREATE phases: the inode that had the number goes, the one that has it comes. */
int sendcp_step_recreate(struct sendcp_engine *engine);

#endif
