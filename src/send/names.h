/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The names of the current inode, processed; and the commands about names.
 */
#ifndef SENDCP_SEND_NAMES_H
#define SENDCP_SEND_NAMES_H

struct sendcp_engine;
struct sendcp_path;

/*
 * Queues what gives the current inode its new names and takes the others. Before, the receiver has
 * it as sendcp_path_of() says; naming.delayed says whether it waits for another directory instead.
 * Stops after naming.budget names and returns 1: to be called again for the rest. Depends on the
 * two trees and the state only, so that it can be run again: see replay.h.
 */
int sendcp_process_names(struct sendcp_engine *engine);
/* Queues RENAME. An inode that has the name @to must have been orphanized before. */
int sendcp_send_rename(struct sendcp_engine *engine, const struct sendcp_path *from,
		       const struct sendcp_path *to);
/* Queues LINK: @name is to be another name of the inode at @existing. */
int sendcp_send_link(struct sendcp_engine *engine, const struct sendcp_path *name,
		     const struct sendcp_path *existing);
/* Queues UNLINK, of anything but a directory. */
int sendcp_send_unlink(struct sendcp_engine *engine, const struct sendcp_path *path);
/* Queues RMDIR. Nothing may be left in it: see sendcp_can_remove(). */
int sendcp_send_rmdir(struct sendcp_engine *engine, const struct sendcp_path *path);

#endif
