/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The finish phases of an inode, after its last item: one function each.
 *
 * They run before each change, with state.at on that change; each sets the phase that follows.
 */
#ifndef SCP_SEND_FINISH_H
#define SCP_SEND_FINISH_H

#include <sendcp/platform.h>

struct scp_engine;
struct scp_inode;

/* SCP_PHASE_FINISH: processes collected names, once the change is past the inode's ref items. */
int scp_finish_names(struct scp_engine *engine);
/* SCP_PHASE_FINISH_TAIL: writes contents after the end that the file had in the parent. */
int scp_finish_tail(struct scp_engine *engine);
/* SCP_PHASE_FINISH_HOLE: a hole at its end; decides before that whether the size is to be set. */
int scp_finish_hole(struct scp_engine *engine);
/* SCP_PHASE_FINISH_INODE: sends attributes and times, unless a directory's move waits. */
int scp_finish_inode(struct scp_engine *engine);
/* SCP_PHASE_FINISH_MOVES: makes one move that waited for the inode; its times follow the last. */
int scp_finish_moves(struct scp_engine *engine);
/* The current inode as it was in the parent; only for CHANGED ones. */
int scp_old_inode(struct scp_engine *engine, struct scp_inode *inode);
/* Is the change state.at past the names of the current inode? */
bool scp_past_names(const struct scp_engine *engine);

#endif
