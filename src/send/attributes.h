/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Size, owner, mode, flags and times of inodes, as commands.
 *
 * The order matters to the receiver: an owner that is set drops mode bits and capabilities, so mode
 * and capabilities follow it.
 */
#ifndef SCP_SEND_ATTRIBUTES_H
#define SCP_SEND_ATTRIBUTES_H

#include <sendcp/stream.h>

struct scp_engine;
struct scp_inode;

/* Begins a command with the current inode's path; the caller ends it. Leaves it in path_a. */
int scp_begin_for_current(struct scp_engine *engine, enum scp_command command);
/* Queues TRUNCATE for the current inode. */
int scp_send_truncate(struct scp_engine *engine, u64 size);
/* Queues CHOWN for the current inode, with what @inode has. */
int scp_send_chown(struct scp_engine *engine, const struct scp_inode *inode);
/* Queues CHMOD for the current inode; not for symlinks, which have no mode of their own. */
int scp_send_chmod(struct scp_engine *engine, const struct scp_inode *inode);
/* Queues UTIMES for any inode of the subvolume that is at the receiver; else does nothing. */
int scp_send_utimes(struct scp_engine *engine, u64 ino, u64 generation);
/* Queues FILEATTR for the current inode; only in protocol 2. */
int scp_send_fileattr(struct scp_engine *engine, const struct scp_inode *inode);

#endif
