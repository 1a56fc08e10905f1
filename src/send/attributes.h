/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Size, owner, mode, flags and times of inodes, as commands.
 *
 * The order matters to the receiver: an owner that is set drops mode bits and capabilities, so mode
 * and capabilities follow it.
 */
#ifndef SENDCP_SEND_ATTRIBUTES_H
#define SENDCP_SEND_ATTRIBUTES_H

#include <sendcp/stream.h>

struct sendcp_engine;
struct sendcp_inode;

/* Begins a command with the current inode's path; the caller ends it. Leaves it in path_a. */
int sendcp_begin_for_current(struct sendcp_engine *engine, enum sendcp_command command);
/* Queues TRUNCATE for the current inode. */
int sendcp_send_truncate(struct sendcp_engine *engine, u64 size);
/* Queues CHOWN for the current inode, with what @inode has. */
int sendcp_send_chown(struct sendcp_engine *engine, const struct sendcp_inode *inode);
/* Queues CHMOD for the current inode; not for symlinks, which have no mode of their own. */
int sendcp_send_chmod(struct sendcp_engine *engine, const struct sendcp_inode *inode);
/* Queues UTIMES for any inode of the subvolume that is at the receiver; else does nothing. */
int sendcp_send_utimes(struct sendcp_engine *engine, u64 ino, u64 generation);
/* Queues FILEATTR for the current inode; only in protocol 2. */
int sendcp_send_fileattr(struct sendcp_engine *engine, const struct sendcp_inode *inode);

#endif
