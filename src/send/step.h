/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Steps, and the change they are about.
 *
 * A step changes the state and queues the commands that result; if it fails, both are as before.
 */
#ifndef SCP_SEND_STEP_H
#define SCP_SEND_STEP_H

struct scp_cursor;
struct scp_engine;

/* Does what state.phase says. The queue must be empty; it may be afterwards, too. */
int scp_step(struct scp_engine *engine);
/* SCP_PHASE_BEGIN: the stream header and SUBVOL or SNAPSHOT. */
int scp_step_begin(struct scp_engine *engine);
/* Puts engine->compare on the change state.at; cheap if it is there already. */
int scp_to_change(struct scp_engine *engine);
/* The cursor on the change's item: the parent's if it was deleted. Valid after scp_to_change(). */
struct scp_cursor *scp_change_cursor(struct scp_engine *engine);
/* Releases the blocks that cursors hold; the next step finds its place again by key. */
void scp_walk_off(struct scp_engine *engine);

#endif
