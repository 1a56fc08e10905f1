/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Steps with very many commands, delivered in several runs: see replay.c for why that is sound.
 */
#ifndef SCP_SEND_REPLAY_H
#define SCP_SEND_REPLAY_H

struct scp_engine;

/*
 * Runs @step, as often as needed if it has many commands, because many names are to be processed.
 * @step must queue the same commands whenever it is run from the same state.
 */
int scp_replay_run(struct scp_engine *engine, int (*step)(struct scp_engine *engine));
/* A command has left the queue: a checkpoint taken from now on must not make it again. */
void scp_replay_emitted(struct scp_engine *engine);
/*
 * To be called when the queue is empty. If a replayed step has more commands, the state is what it
 * was before that step, so that the next scp_step() runs it again and queues those that follow.
 */
int scp_replay_next(struct scp_engine *engine);
/* Frees the base; the step is over or the state is to be replaced. */
void scp_replay_close(struct scp_engine *engine);

#endif
