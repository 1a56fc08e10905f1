/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Being asked to stop: SIGINT, SIGTERM, SIGHUP end the stream in order; the same one again kills.
 * And being asked for a line of progress: SIGUSR1.
 *
 * SIGPIPE is ignored: a closed pipe is a failed write. What blocks in the main thread, or in a wait
 * of cancel.h, is interrupted, again and again until it notices; other threads run with signals
 * blocked.
 *
 * SIGUSR1 is blocked in every thread, so that it interrupts nothing; one thread waits for it.
 */
#ifndef CLI_UTIL_SIGNALS_H
#define CLI_UTIL_SIGNALS_H

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <time.h>
#include <sendcp/cancel.h>

#define SIGNALS_REPORT SIGUSR1

/* The first thing that the program does: before this, SIGUSR1 would kill it. */
void signals_block_report(void);
void signals_install(void);

/* Waits for SIGUSR1 as long as @patience; false: it did not come, or the wait was interrupted. */
bool signals_wait_report(const struct timespec *patience);
/* Has signals_wait_report() in @thread return true. */
void signals_wake_report(pthread_t thread);

/* Set by such a signal: above the cancels of all that this program runs. */
const struct sendcp_cancel *signals_cancel(void);
/* Is it set? */
bool signals_stopped(void);

/* The signal that asked to stop; 0: none. */
int signals_caught(void);

/* pthread_create() with all signals blocked in the new thread. */
int signals_thread(pthread_t *thread, void *(*function)(void *), void *argument);

#endif
