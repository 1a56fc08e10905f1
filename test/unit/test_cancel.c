// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Cancels: what is set with which, and calls that are interrupted.
 */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>
#include <sendcp/cancel.h>

static void those_below_are_set(void **state)
{
	struct sendcp_cancel above = { 0 };
	struct sendcp_cancel first = { .parent = &above }, second = { .parent = &above };
	const struct sendcp_cancel below_first = { .parent = &first };

	assert_false(sendcp_cancelled(NULL));
	assert_false(sendcp_cancelled(&below_first));
	sendcp_cancel_set(&first);
	assert_true(sendcp_cancelled(&first));
	assert_true(sendcp_cancelled(&below_first));
	assert_false(sendcp_cancelled(&second));
	assert_false(sendcp_cancelled(&above));
	sendcp_cancel_set(&above);
	assert_true(sendcp_cancelled(&second));
}

/* A thread that reads from a pipe which has nothing. */
struct reading {
	const struct sendcp_cancel *cancel;
	pthread_t thread;
	int ends[2];
	atomic_bool waits;
	ssize_t got;
	int err;
};

static void *read_waiting(void *argument)
{
	struct reading *reading = argument;
	struct sendcp_cancel_wait wait;
	char byte;

	reading->got = -1;
	reading->err = EINTR;
	if (sendcp_cancel_wait_begin(&wait, reading->cancel)) {
		atomic_store(&reading->waits, true);
		reading->got = read(reading->ends[0], &byte, 1);
		reading->err = errno;
	}
	sendcp_cancel_wait_end(&wait);
	return NULL;
}

static void begin_reading(struct reading *reading, const struct sendcp_cancel *cancel)
{
	const struct timespec moment = { .tv_nsec = 10000000 };

	reading->cancel = cancel;
	atomic_store(&reading->waits, false);
	assert_int_equal(pipe(reading->ends), 0);
	assert_int_equal(pthread_create(&reading->thread, NULL, read_waiting, reading), 0);
	while (!atomic_load(&reading->waits))
		nanosleep(&moment, NULL);
}

static void end_reading(struct reading *reading)
{
	struct timespec until;

	do {
		clock_gettime(CLOCK_REALTIME, &until);
		until.tv_sec++;
		if (sendcp_cancelled(reading->cancel))
			sendcp_cancel_interrupt(reading->cancel);
	} while (pthread_timedjoin_np(reading->thread, NULL, &until) == ETIMEDOUT);
	close(reading->ends[0]);
	close(reading->ends[1]);
}

static void calls_below_are_interrupted(void **state)
{
	struct sendcp_cancel above = { 0 };
	struct sendcp_cancel cancel = { .parent = &above }, beside = { .parent = &above };
	struct reading first, second, third;

	begin_reading(&first, &cancel);
	begin_reading(&second, &beside);
	begin_reading(&third, &above);
	sendcp_cancel_set(&cancel);
	end_reading(&first);
	assert_int_equal(first.got, -1);
	assert_int_equal(first.err, EINTR);

	/* What is beside it and above it goes on. */
	assert_int_equal(write(second.ends[1], "", 1), 1);
	end_reading(&second);
	assert_int_equal(second.got, 1);
	sendcp_cancel_set(&above);
	end_reading(&third);
	assert_int_equal(third.got, -1);
	assert_int_equal(third.err, EINTR);
}

/* Outside of a wait the thread's signals are as they were, whatever they were. */
static void the_mask_is_as_before(void **state)
{
	const struct sendcp_cancel set = { .set = true };
	struct sendcp_cancel_wait wait;
	sigset_t blocked, now;

	sigemptyset(&blocked);
	sigaddset(&blocked, SENDCP_CANCEL_SIGNAL);
	sigaddset(&blocked, SIGUSR1);
	pthread_sigmask(SIG_SETMASK, &blocked, NULL);
	assert_false(sendcp_cancel_wait_begin(&wait, &set));
	pthread_sigmask(SIG_SETMASK, NULL, &now);
	assert_false(sigismember(&now, SENDCP_CANCEL_SIGNAL));
	assert_true(sigismember(&now, SIGUSR1));
	errno = EDOM;
	sendcp_cancel_wait_end(&wait);
	assert_int_equal(errno, EDOM);
	pthread_sigmask(SIG_SETMASK, NULL, &now);
	assert_true(sigismember(&now, SENDCP_CANCEL_SIGNAL));
	sigemptyset(&now);
	pthread_sigmask(SIG_SETMASK, &now, NULL);
}

static void do_nothing(int signal_number)
{
}

static int setup(void **state)
{
	const struct sigaction action = { .sa_handler = do_nothing };

	return sigaction(SENDCP_CANCEL_SIGNAL, &action, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(those_below_are_set),
		cmocka_unit_test(calls_below_are_interrupted),
		cmocka_unit_test(the_mask_is_as_before),
	};

	return cmocka_run_group_tests_name("cancel", tests, setup, NULL);
}
