/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Being asked to stop: SIGINT, SIGTERM, SIGHUP end the stream in order; the same one again kills.
 *
 * SIGPIPE is ignored: a closed pipe is a failed write. What blocks in the main thread, or in a wait
 * of cancel.h, is interrupted, again and again until it notices; other threads run with signals
 * blocked.
 */
#ifndef CLI_UTIL_SIGNALS_H
#define CLI_UTIL_SIGNALS_H

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <sendcp/cancel.h>

void signals_install(void);

/* Set by such a signal: above the cancels of all that this program runs. */
const struct sendcp_cancel *signals_cancel(void);
/* Is it set? */
bool signals_stopped(void);

/* The signal that asked to stop; 0: none. */
int signals_caught(void);

/* pthread_create() with all signals blocked in the new thread. */
int signals_thread(pthread_t *thread, void *(*function)(void *), void *argument);

#endif
