// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Being asked to stop ends a call of the module that would never end.
 *
 * Stopping is for good within a process, so each test has a process of its own.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "fakemodule.h"
#include "util/signals.h"

static volatile int waiting;

/* As a device that does not answer: only a signal ends it. */
static int wait_for_ever(struct fake_module *fake, struct sendcp_send *args)
{
	const struct timespec long_time = { .tv_sec = 60 };

	__atomic_store_n(&waiting, 1, __ATOMIC_SEQ_CST);
	return nanosleep(&long_time, NULL) ? errno : 0;
}

static void *fill_once_in_thread(void *argument)
{
	static u8 buffer[4096];
	struct scp_fill fill = { .buffer = buffer, .size = sizeof(buffer) };

	return (void *)(intptr_t)sender_fill(argument, &fill);
}

static void by_signal(void)
{
	kill(getpid(), SIGTERM);
}

static void by_failure(void)
{
	signals_stop();
}

/* In a process of its own: exits with 0 if the call ended with EINTR. */
static void stop_during_call(struct fake_module *fake, void (*stop)(void), bool early)
{
	const struct timespec moment = { .tv_nsec = 20000000 };
	struct scp_error error;
	struct sender *sender;
	pthread_t thread;
	void *result;

	signals_install();
	fake->instead = wait_for_ever;
	if (fake_sender(fake, NULL, &sender, &error))
		_exit(2);
	if (early)
		stop();
	if (signals_thread(&thread, fill_once_in_thread, sender))
		_exit(3);
	while (!early && !__atomic_load_n(&waiting, __ATOMIC_SEQ_CST))
		nanosleep(&moment, NULL);
	if (!early)
		stop();
	pthread_join(thread, &result);
	_exit((intptr_t)result == -EINTR ? 0 : 4);
}

static void check(void **state, void (*stop)(void), bool early)
{
	const struct sending *sending = *state;
	struct timespec began, ended;
	struct fake_module fake;
	int status;
	pid_t child;

	fake_module_init(&fake, sending, &sending->requests[0]);
	clock_gettime(CLOCK_MONOTONIC, &began);
	child = fork();
	assert_true(child >= 0);
	if (!child)
		stop_during_call(&fake, stop, early);
	assert_int_equal(waitpid(child, &status, 0), child);
	clock_gettime(CLOCK_MONOTONIC, &ended);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	assert_true(ended.tv_sec - began.tv_sec < 10);
}

static void a_signal_ends_the_call(void **state)
{
	check(state, by_signal, false);
}

static void a_failed_write_ends_the_call(void **state)
{
	check(state, by_failure, false);
}

static void no_call_after_a_stop(void **state)
{
	check(state, by_signal, true);
	check(state, by_failure, true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_signal_ends_the_call),
		cmocka_unit_test(a_failed_write_ends_the_call),
		cmocka_unit_test(no_call_after_a_stop),
	};

	return cmocka_run_group_tests_name("sender_stop", tests, sending_setup_tiny,
					   sending_teardown);
}
