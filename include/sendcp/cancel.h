/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Asking something that runs to stop: a transfer, with all that works for it in any thread.
 *
 * A cancel is set once and for good, by any thread or by a signal handler. Those below it are set
 * with it; those beside it are not.
 *
 * Most of what runs looks at it now and then. A call that would block for longer, and that only a
 * signal ends, is made between cancel_wait_begin() and cancel_wait_end(): setting the cancel
 * interrupts it with CANCEL_SIGNAL, for which the program must have a handler without SA_RESTART.
 * The signal may arrive just before the call; so what set the cancel calls cancel_interrupt() once
 * in a while, until what it waits for has ended.
 */
#ifndef SENDCP_CANCEL_H
#define SENDCP_CANCEL_H

#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/types.h>

#define CANCEL_SIGNAL SIGALRM

/* All zeros: not set, below none. */
struct cancel {
	atomic_bool set;
	/* NULL: none; outlives this one. */
	const struct cancel *parent;
};

/* Is it, or one above it, set? NULL never is. */
bool cancelled(const struct cancel *cancel);
void cancel_set(struct cancel *cancel);
/* Interrupts again what waits, in whatever thread, for a call under @cancel or one below it. */
void cancel_interrupt(const struct cancel *cancel);

/* A thread in a call that a cancel interrupts. Private to cancel.c. */
struct cancel_wait {
	const struct cancel *cancel;
	pid_t thread;
	sigset_t before;
	struct cancel_wait *next;
	struct cancel_wait **previous;
};

/*
 * From here on this thread is interrupted when @cancel (may be NULL) is set. False: it is set
 * already. cancel_wait_end() in any case; it keeps errno.
 */
bool cancel_wait_begin(struct cancel_wait *wait, const struct cancel *cancel);
void cancel_wait_end(struct cancel_wait *wait);

#endif
