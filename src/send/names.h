/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The names of the current inode, processed; and the commands about names.
 */
#ifndef SCP_SEND_NAMES_H
#define SCP_SEND_NAMES_H

struct scp_engine;
struct scp_path;

/*
 * Queues what gives the current inode its new names and takes the others. Before, the receiver has
 * it as scp_path_of() says; naming.delayed says whether it waits for another directory instead.
 * Depends on the two trees and the state only, so that it can be run again: see replay.h.
 */
int scp_process_names(struct scp_engine *engine);
/* Queues RENAME. An inode that has the name @to must have been orphanized before. */
int scp_send_rename(struct scp_engine *engine, const struct scp_path *from,
		    const struct scp_path *to);
/* Queues LINK: @name is to be another name of the inode at @existing. */
int scp_send_link(struct scp_engine *engine, const struct scp_path *name,
		  const struct scp_path *existing);
/* Queues UNLINK, of anything but a directory. */
int scp_send_unlink(struct scp_engine *engine, const struct scp_path *path);
/* Queues RMDIR. Nothing may be left in it: see scp_can_remove(). */
int scp_send_rmdir(struct scp_engine *engine, const struct scp_path *path);

#endif
