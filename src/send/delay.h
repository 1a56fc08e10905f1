/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Directories that wait: to be moved until another was moved, to be removed until they are empty.
 *
 * Who waits for whom is in engine.deferred; it survives from step to step and is in checkpoints.
 */
#ifndef SCP_SEND_DELAY_H
#define SCP_SEND_DELAY_H

#include <sendcp/platform.h>

struct scp_engine;
struct scp_inode_id;
struct scp_name;

/* 1: the current directory's move to @name must wait, and was registered. */
int scp_must_wait(struct scp_engine *engine, const struct scp_name *name, u64 dir_generation);
/* Lines up the moves that waited for the current inode; scp_apply_move() makes them. */
int scp_queue_moves(struct scp_engine *engine);
/* Makes the first ready move. 1: it was made, or waits again; 0: there is none. */
int scp_apply_move(struct scp_engine *engine);
/* 1: nothing is left in it; 0: there is, and it was noted to be removed later. */
int scp_can_remove(struct scp_engine *engine, u64 dir, u64 generation);
/* RMDIR for the directory, wherever it is now, if scp_can_remove() says so. */
int scp_remove_if_empty(struct scp_engine *engine, const struct scp_inode_id *dir);

#endif
