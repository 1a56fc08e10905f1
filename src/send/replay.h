/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Steps with very many commands, delivered in several runs: see replay.c for why that is sound.
 */
#ifndef SENDCP_SEND_REPLAY_H
#define SENDCP_SEND_REPLAY_H

struct sendcp_engine;

/*
 * Processes the names that were collected: all of them, or, if they are many, the first of those
 * that are left. 1: there are more, and the caller's step is to be run again from here when the
 * queue is empty; until then its phase must stay what it is.
 */
int sendcp_replay_names(struct sendcp_engine *engine);
/* The step to be run next goes on within a long one: it is not the beginning of another. */
bool sendcp_replay_paused(const struct sendcp_engine *engine);
/* The state is what it was before the long step, if there is one: it begins again. */
void sendcp_replay_undone(struct sendcp_engine *engine);
/* A command has left the queue: a checkpoint taken from now on must not make it again. */
void sendcp_replay_emitted(struct sendcp_engine *engine);
/* The queue is empty, and the next step is about to be run: a long one is over when it was run. */
void sendcp_replay_next(struct sendcp_engine *engine);
/* Frees the base; the step is over or the state is to be replaced. */
void sendcp_replay_close(struct sendcp_engine *engine);

#endif
