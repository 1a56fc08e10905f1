/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Opening inodes, and creating them at the receiver.
 */
#ifndef SCP_SEND_INODE_H
#define SCP_SEND_INODE_H

#include "send/state.h"

struct scp_engine;

/* Makes the inode of the change, an INODE_ITEM, the current one, and creates it if it is new. */
int scp_open_inode(struct scp_engine *engine);
/* Opens the inode of the change, whose INODE_ITEM is the same in both trees while others differ. */
int scp_open_unlike(struct scp_engine *engine);
/* The current inode is @inode now; the state of the one before is dropped. */
void scp_set_inode(struct scp_state *state, enum scp_kind kind, const struct scp_inode *inode);
/* Queues the command that creates @inode, the current one, under its orphan name. */
int scp_create_inode(struct scp_engine *engine, const struct scp_inode *inode);
/* MKDIR for a directory whose turn has not come, unless that was done. */
int scp_create_dir_early(struct scp_engine *engine, u64 dir, u64 generation);
/* A step of the RECREATE phases: the inode that had the number goes, the one that has it comes. */
int scp_step_recreate(struct scp_engine *engine);

#endif
