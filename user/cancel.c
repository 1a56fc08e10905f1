// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Asking something that runs to stop.
 */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stddef.h>
#include <unistd.h>
#include <sendcp/cancel.h>

/* A signal handler may set it. */
_Static_assert(ATOMIC_BOOL_LOCK_FREE == 2, "needs atomics that are no locks");

/*
 * Threads that are in a call. Signal handlers go through the list too: so its lock is held only
 * with all signals blocked, and no handler can find it held by the thread that it runs in.
 */
static struct sendcp_cancel_wait *waiting;
static atomic_flag waiting_lock = ATOMIC_FLAG_INIT;

static void lock_waiting(sigset_t *before)
{
	sigset_t all;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, before);
	while (atomic_flag_test_and_set_explicit(&waiting_lock, memory_order_acquire))
		sched_yield();
}

static void unlock_waiting(const sigset_t *mask)
{
	atomic_flag_clear_explicit(&waiting_lock, memory_order_release);
	pthread_sigmask(SIG_SETMASK, mask, NULL);
}

bool sendcp_cancelled(const struct sendcp_cancel *cancel)
{
	for (; cancel; cancel = cancel->parent)
		if (atomic_load(&cancel->set))
			return true;
	return false;
}

static bool is_below(const struct sendcp_cancel *cancel, const struct sendcp_cancel *above)
{
	while (cancel && cancel != above)
		cancel = cancel->parent;
	return cancel;
}

void sendcp_cancel_interrupt(const struct sendcp_cancel *cancel)
{
	const struct sendcp_cancel_wait *wait;
	int err = errno;
	sigset_t before;

	lock_waiting(&before);
	for (wait = waiting; wait; wait = wait->next)
		/* A handler that runs in the thread itself has interrupted it already. */
		if (wait->thread != gettid() && is_below(wait->cancel, cancel))
			tgkill(getpid(), wait->thread, SENDCP_CANCEL_SIGNAL);
	unlock_waiting(&before);
	errno = err;
}

/* A thread that is not in the list yet when this looks will see that it is set. */
void sendcp_cancel_set(struct sendcp_cancel *cancel)
{
	atomic_store(&cancel->set, true);
	sendcp_cancel_interrupt(cancel);
}

bool sendcp_cancel_wait_begin(struct sendcp_cancel_wait *wait, const struct sendcp_cancel *cancel)
{
	sigset_t mask;

	wait->cancel = cancel;
	wait->thread = gettid();
	lock_waiting(&wait->before);
	wait->next = waiting;
	wait->previous = &waiting;
	if (waiting)
		waiting->previous = &wait->next;
	waiting = wait;
	mask = wait->before;
	sigdelset(&mask, SENDCP_CANCEL_SIGNAL);
	unlock_waiting(&mask);
	return !sendcp_cancelled(cancel);
}

void sendcp_cancel_wait_end(struct sendcp_cancel_wait *wait)
{
	int err = errno;
	sigset_t mask;

	lock_waiting(&mask);
	*wait->previous = wait->next;
	if (wait->next)
		wait->next->previous = wait->previous;
	unlock_waiting(&wait->before);
	errno = err;
}
