// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Being asked to stop.
 */
#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <unistd.h>

#include "util/signals.h"

static volatile int stop_flag;
static volatile sig_atomic_t caught;
/* The thread that wants to be interrupted, 0: none. */
static volatile sig_atomic_t interruptible;

/* By number: that of a thread which has just ended is harmless. */
static void interrupt_thread(void)
{
	int saved = errno;
	pid_t thread = interruptible;

	if (thread && thread != gettid())
		tgkill(getpid(), thread, SIGALRM);
	errno = saved;
}

/*
 * The signal may arrive just before a write that then blocks for ever, as the reader does not
 * read. So the handler keeps interrupting, once a second, until the program has ended.
 */
static void on_alarm(int signal_number)
{
	alarm(1);
	interrupt_thread();
}

static void on_stop(int signal_number)
{
	caught = signal_number;
	stop_flag = 1;
	alarm(1);
	interrupt_thread();
}

/* No SA_RESTART: a blocked write has to return. */
static void handle(int signal_number, void (*handler)(int), int flags)
{
	struct sigaction action = { .sa_handler = handler, .sa_flags = flags };

	sigemptyset(&action.sa_mask);
	sigaction(signal_number, &action, NULL);
}

/* A signal that was ignored when the program was started (nohup) stays ignored. */
static void handle_stop(int signal_number)
{
	struct sigaction old;

	if (!sigaction(signal_number, NULL, &old) && old.sa_handler == SIG_IGN)
		return;
	handle(signal_number, on_stop, (int)SA_RESETHAND);
}

void signals_install(void)
{
	handle(SIGPIPE, SIG_IGN, 0);
	/* A file size limit is a failed write too. */
	handle(SIGXFSZ, SIG_IGN, 0);
	handle(SIGALRM, on_alarm, 0);
	/* If it was ignored when the program was started, children would end without a status. */
	handle(SIGCHLD, SIG_DFL, 0);
	handle_stop(SIGINT);
	handle_stop(SIGTERM);
	handle_stop(SIGHUP);
}

const volatile int *signals_stop_flag(void)
{
	return &stop_flag;
}

bool signals_stopped(void)
{
	return stop_flag;
}

/* A call about to begin is not interrupted by this once, but by the alarm's repetition. */
void signals_stop(void)
{
	stop_flag = 1;
	/* Either this sees the thread, or the thread sees the flag. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (!interruptible)
		return;
	alarm(1);
	interrupt_thread();
}

int signals_caught(void)
{
	return caught;
}

bool signals_interruptible(sigset_t *before)
{
	sigset_t alarms;

	interruptible = gettid();
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	sigemptyset(&alarms);
	sigaddset(&alarms, SIGALRM);
	pthread_sigmask(SIG_UNBLOCK, &alarms, before);
	return !stop_flag;
}

void signals_uninterruptible(const sigset_t *before)
{
	pthread_sigmask(SIG_SETMASK, before, NULL);
	interruptible = 0;
}

int signals_thread(pthread_t *thread, void *(*function)(void *), void *argument)
{
	sigset_t all, old;
	int ret;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	ret = pthread_create(thread, NULL, function, argument);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return ret;
}
