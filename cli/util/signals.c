// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Being asked to stop.
 */
#include <signal.h>
#include <stddef.h>
#include <unistd.h>

#include "util/signals.h"

/* Of a thread: with the usual 8 MiB, a limit on addresses would be met for nothing. */
#define STACK_SIZE (1u << 20)

static struct sendcp_cancel process_cancel;
static atomic_int caught;

/*
 * The signal may arrive just before a write that then blocks for ever, as the reader does not
 * read. So the handler keeps interrupting, once a second, until the program has ended. A transfer
 * that was cancelled by itself is interrupted by what cancelled it.
 */
static void on_alarm(int signal_number)
{
	if (!sendcp_cancelled(&process_cancel))
		return;
	alarm(1);
	sendcp_cancel_interrupt(&process_cancel);
}

static void on_stop(int signal_number)
{
	atomic_store(&caught, signal_number);
	alarm(1);
	sendcp_cancel_set(&process_cancel);
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

static void only_report(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGNALS_REPORT);
}

void signals_block_report(void)
{
	sigset_t report;

	only_report(&report);
	pthread_sigmask(SIG_BLOCK, &report, NULL);
}

bool signals_wait_report(const struct timespec *patience)
{
	sigset_t report;

	only_report(&report);
	return sigtimedwait(&report, NULL, patience) == SIGNALS_REPORT;
}

void signals_wake_report(pthread_t thread)
{
	pthread_kill(thread, SIGNALS_REPORT);
}

void signals_install(void)
{
	signals_block_report();
	handle(SIGPIPE, SIG_IGN, 0);
	/* A file size limit is a failed write too. */
	handle(SIGXFSZ, SIG_IGN, 0);
	handle(SENDCP_CANCEL_SIGNAL, on_alarm, 0);
	/* If it was ignored when the program was started, children would end without a status. */
	handle(SIGCHLD, SIG_DFL, 0);
	handle_stop(SIGINT);
	handle_stop(SIGTERM);
	handle_stop(SIGHUP);
}

const struct sendcp_cancel *signals_cancel(void)
{
	return &process_cancel;
}

bool signals_stopped(void)
{
	return sendcp_cancelled(&process_cancel);
}

int signals_caught(void)
{
	return atomic_load(&caught);
}

int signals_thread(pthread_t *thread, void *(*function)(void *), void *argument)
{
	pthread_attr_t attributes;
	sigset_t all, old;
	int ret = pthread_attr_init(&attributes);

	if (ret)
		return ret;
	pthread_attr_setstacksize(&attributes, STACK_SIZE);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	ret = pthread_create(thread, &attributes, function, argument);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	pthread_attr_destroy(&attributes);
	return ret;
}
