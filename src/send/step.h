/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Steps, and the change they are about.
 *
 * A step changes the state and queues the commands that result; if it fails, both are as before.
 */
#ifndef SENDCP_SEND_STEP_H
#define SENDCP_SEND_STEP_H

struct sendcp_cursor;
struct sendcp_engine;

/* Does what state.phase says. The queue must be empty; it may be afterwards, too. */
int sendcp_step(struct sendcp_engine *engine);
/* SENDCP_PHASE_BEGIN: the stream header and SUBVOL or SNAPSHOT. */
int sendcp_step_begin(struct sendcp_engine *engine);
/* Puts engine->compare on the change state.at; cheap if it is there already. */
int sendcp_to_change(struct sendcp_engine *engine);
/*
 * The cursor on the change's item: the parent's if it was deleted. Valid after sendcp_to_change().
 */
struct sendcp_cursor *sendcp_change_cursor(struct sendcp_engine *engine);
/* Releases the blocks that cursors hold; the next step finds its place again by key. */
void sendcp_walk_off(struct sendcp_engine *engine);
/* Empties the queue; the state is what it was before the last step, or before the long one. */
void sendcp_undo_step(struct sendcp_engine *engine);

#endif
