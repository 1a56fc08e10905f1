/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Asking something that runs to stop: a transfer, with all that works for it in any thread.
 *
 * A cancel is set once and for good, by any thread or by a signal handler. Those below it are set
 * with it; those beside it are not.
 *
 * Most of what runs looks at it now and then. A call that would block for longer, and that only a
 * signal ends, is made between sendcp_cancel_wait_begin() and sendcp_cancel_wait_end(): setting the
 * cancel interrupts it with SENDCP_CANCEL_SIGNAL, for which the program must have a handler without
 * SA_RESTART. The signal may arrive just before the call; so what set the cancel calls
 * sendcp_cancel_interrupt() once in a while, until what it waits for has ended.
 */
#ifndef SENDCP_CANCEL_H
#define SENDCP_CANCEL_H

#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/types.h>

#define SENDCP_CANCEL_SIGNAL SIGALRM

/* All zeros: not set, below none. */
struct sendcp_cancel {
	atomic_bool set;
	/* NULL: none; outlives this one. */
	const struct sendcp_cancel *parent;
};

/* Is it, or one above it, set? NULL never is. */
bool sendcp_cancelled(const struct sendcp_cancel *cancel);
void sendcp_cancel_set(struct sendcp_cancel *cancel);
/* Interrupts again what waits, in whatever thread, for a call under @cancel or one below it. */
void sendcp_cancel_interrupt(const struct sendcp_cancel *cancel);

/* A thread in a call that a cancel interrupts. Private to cancel.c. */
struct sendcp_cancel_wait {
	const struct sendcp_cancel *cancel;
	pid_t thread;
	sigset_t before;
	struct sendcp_cancel_wait *next;
	struct sendcp_cancel_wait **previous;
};

/*
 * From here on this thread is interrupted when @cancel (may be NULL) is set. False: it is set
 * already. sendcp_cancel_wait_end() in any case; it keeps errno.
 */
bool sendcp_cancel_wait_begin(struct sendcp_cancel_wait *wait, const struct sendcp_cancel *cancel);
void sendcp_cancel_wait_end(struct sendcp_cancel_wait *wait);

#endif
