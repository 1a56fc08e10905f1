/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The finish phases of an inode, after its last item: one function each.
 *
 * They run before each change, with state.at on that change; each sets the phase that follows.
 */
#ifndef SENDCP_SEND_FINISH_H
#define SENDCP_SEND_FINISH_H

#include <sendcp/platform.h>

struct sendcp_engine;
struct sendcp_inode;

/* SENDCP_PHASE_FINISH: processes collected names, once the change is past the inode's ref items. */
int sendcp_finish_names(struct sendcp_engine *engine);
/* SENDCP_PHASE_FINISH_TAIL: writes contents after the end that the file had in the parent. */
int sendcp_finish_tail(struct sendcp_engine *engine);
/*
 * SENDCP_PHASE_FINISH_HOLE: a hole at its end; decides before that whether the size is to be set.
 */
int sendcp_finish_hole(struct sendcp_engine *engine);
/* SENDCP_PHASE_FINISH_INODE: sends attributes and times, unless a directory's move waits. */
int sendcp_finish_inode(struct sendcp_engine *engine);
/*
 * SENDCP_PHASE_FINISH_MOVES: makes one move that waited for the inode; its times follow the last.
 */
int sendcp_finish_moves(struct sendcp_engine *engine);
/* The current inode as it was in the parent; only for CHANGED ones. */
int sendcp_old_inode(struct sendcp_engine *engine, struct sendcp_inode *inode);
/* Is the change state.at past the names of the current inode? */
bool sendcp_past_names(const struct sendcp_engine *engine);

#endif
