/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Directories that wait: to be moved until another was moved, to be removed until they are empty.
 *
 * Who waits for whom is in engine.deferred; it survives from step to step and is in checkpoints.
 */
#ifndef SENDCP_SEND_DELAY_H
#define SENDCP_SEND_DELAY_H

#include <sendcp/platform.h>

struct sendcp_engine;
struct sendcp_inode_id;
struct sendcp_name;

/* 1: the current directory's move to @name must wait, and was registered. */
int sendcp_must_wait(struct sendcp_engine *engine, const struct sendcp_name *name,
		     u64 dir_generation);
/* Lines up the moves that waited for the current inode; sendcp_apply_move() makes them. */
int sendcp_queue_moves(struct sendcp_engine *engine);
/* Makes the first ready move. 1: it was made, or waits again; 0: there is none. */
int sendcp_apply_move(struct sendcp_engine *engine);
/* 1: nothing is left in it; 0: there is, and it was noted to be removed later. */
int sendcp_can_remove(struct sendcp_engine *engine, u64 dir, u64 generation);
/* RMDIR for the directory, wherever it is now, if sendcp_can_remove() says so. */
int sendcp_remove_if_empty(struct sendcp_engine *engine, const struct sendcp_inode_id *dir);

#endif
