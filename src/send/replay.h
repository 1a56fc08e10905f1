/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Steps with very many commands, delivered in several runs: see replay.c for why that is sound.
 */
#ifndef SENDCP_SEND_REPLAY_H
#define SENDCP_SEND_REPLAY_H

struct sendcp_engine;

/*
 * Runs @step, as often as needed if it has many commands, because many names are to be processed.
 * @step must queue the same commands whenever it is run from the same state.
 */
int sendcp_replay_run(struct sendcp_engine *engine, int (*step)(struct sendcp_engine *engine));
/* A command has left the queue: a checkpoint taken from now on must not make it again. */
void sendcp_replay_emitted(struct sendcp_engine *engine);
/*
 * To be called when the queue is empty. If a replayed step has more commands, the state is what it
 * was before that step, so that the next sendcp_step() runs it again and queues those that follow.
 */
int sendcp_replay_next(struct sendcp_engine *engine);
/* Frees the base; the step is over or the state is to be replaced. */
void sendcp_replay_close(struct sendcp_engine *engine);

#endif
