/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Being asked to stop: SIGINT, SIGTERM, SIGHUP end the stream in order; the same one again kills.
 *
 * SIGPIPE is ignored: a closed pipe is a failed write. A write that blocks in the main thread is
 * interrupted, again and again until it notices; other threads run with signals blocked, but for
 * the one that asks to be interrupted.
 */
#ifndef CLI_UTIL_SIGNALS_H
#define CLI_UTIL_SIGNALS_H

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>

void signals_install(void);

/* Becomes not 0 when the program should stop, by a signal or by signals_stop(). */
const volatile int *signals_stop_flag(void);
bool signals_stopped(void);
void signals_stop(void);

/* The signal that asked to stop; 0: none. */
int signals_caught(void);

/*
 * Lets being asked to stop interrupt this thread, again and again, until the mask saved in @before
 * is restored. For one thread at a time, around calls that the stop flag cannot reach. False: it
 * has been asked to stop already.
 */
bool signals_interruptible(sigset_t *before);
void signals_uninterruptible(const sigset_t *before);

/* pthread_create() with all signals blocked in the new thread. */
int signals_thread(pthread_t *thread, void *(*function)(void *), void *argument);

#endif
