// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Being asked to stop ends a call of the module that would go on for ever, and no other call.
 *
 * A signal is for good within a process, so what is about signals has a process of its own.
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

static const struct timespec moment = { .tv_nsec = 20000000 };

/* A fill in a thread, of a module that does not answer until it may. */
struct waiting_fill {
	struct fake_module fake;
	struct sender *sender;
	struct sendcp_cancel cancel;
	pthread_t thread;
	u8 *buffer;
	struct sendcp_fill fill;
	int ret;
	/* In the call; how many have been interrupted. */
	atomic_bool waits;
	atomic_uint interrupted;
	atomic_bool may_answer;
};

/* As a device that does not answer: only a signal, or its answer, ends it. */
static int wait_long(struct fake_module *fake, struct sendcp_send *args)
{
	struct waiting_fill *filling = (struct waiting_fill *)fake;

	atomic_store(&filling->waits, true);
	while (!atomic_load(&filling->may_answer)) {
		if (!nanosleep(&moment, NULL))
			continue;
		atomic_fetch_add(&filling->interrupted, 1);
		return errno;
	}
	fake->instead = NULL;
	return fake->access.ioctl(&fake->access, -1, SENDCP_IOC_SEND, args) ? errno : 0;
}

static void *fill_once_in_thread(void *argument)
{
	struct waiting_fill *filling = argument;

	filling->ret = sendcp_sender_fill(filling->sender, &filling->fill, &filling->cancel);
	return NULL;
}

/* 0, or -1: this is also used where no assertion can be. */
static int begin_filling(struct waiting_fill *filling, const struct sending *sending,
			 const struct sendcp_cancel *above)
{
	const size_t size = 1 << 20;
	struct sendcp_error error;

	*filling = (struct waiting_fill){ .cancel = { .parent = above }, .buffer = malloc(size) };
	filling->fill = (struct sendcp_fill){ .buffer = filling->buffer, .size = size };
	fake_module_init(&filling->fake, sending, &sending->requests[0]);
	filling->fake.instead = wait_long;
	if (!filling->buffer || fake_sender(&filling->fake, NULL, &filling->sender, &error))
		return -1;
	return signals_thread(&filling->thread, fill_once_in_thread, filling) ? -1 : 0;
}

static void wait_for_call(const struct waiting_fill *filling)
{
	while (!atomic_load(&filling->waits))
		nanosleep(&moment, NULL);
}

/* As what cancelled it does: interrupts again and again until the thread has ended. */
static void end_filling(struct waiting_fill *filling)
{
	struct timespec until;

	do {
		clock_gettime(CLOCK_REALTIME, &until);
		until.tv_sec++;
		if (sendcp_cancelled(&filling->cancel))
			sendcp_cancel_interrupt(&filling->cancel);
	} while (pthread_timedjoin_np(filling->thread, NULL, &until) == ETIMEDOUT);
	sendcp_sender_close(filling->sender);
	free(filling->buffer);
}

/* In a process of its own: exits with 0 if the call ended with EINTR. */
static void stop_by_signal(const struct sending *sending, bool early)
{
	static struct waiting_fill filling;

	signals_install();
	if (early)
		raise(SIGTERM);
	if (begin_filling(&filling, sending, signals_cancel()))
		_exit(2);
	if (!early) {
		wait_for_call(&filling);
		raise(SIGTERM);
	}
	/* Nobody but the alarm interrupts it. */
	pthread_join(filling.thread, NULL);
	_exit(filling.ret == -EINTR ? 0 : 3);
}

static void check_signal(const struct sending *sending, bool early)
{
	struct timespec began, ended;
	int status;
	pid_t child;

	clock_gettime(CLOCK_MONOTONIC, &began);
	child = fork();
	assert_true(child >= 0);
	if (!child)
		stop_by_signal(sending, early);
	assert_int_equal(waitpid(child, &status, 0), child);
	clock_gettime(CLOCK_MONOTONIC, &ended);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	assert_true(ended.tv_sec - began.tv_sec < 10);
}

static void a_signal_ends_the_call(void **state)
{
	check_signal(*state, false);
}

static void no_call_after_a_signal(void **state)
{
	check_signal(*state, true);
}

static void one_of_two_is_cancelled(void **state)
{
	static struct waiting_fill first, second;
	const struct sending *sending = *state;
	struct sending again;
	struct bytes expected = { 0 }, made = { 0 };

	signals_install();
	sending_open_again(&again, sending);
	again.requests = sending->requests;
	whole_stream(sending, &sending->requests[0], &expected);
	assert_int_equal(begin_filling(&first, sending, NULL), 0);
	assert_int_equal(begin_filling(&second, &again, NULL), 0);
	wait_for_call(&first);
	wait_for_call(&second);

	sendcp_cancel_set(&first.cancel);
	end_filling(&first);
	assert_int_equal(first.ret, -EINTR);
	assert_int_equal(first.fake.calls, 1);

	/* All of it fits into the buffer. */
	atomic_store(&second.may_answer, true);
	pthread_join(second.thread, NULL);
	assert_int_equal(second.ret, 0);
	assert_int_equal(second.interrupted, 0);
	assert_true(second.fill.end);
	bytes_append(&made, second.buffer, second.fill.filled);
	assert_bytes_equal(&made, &expected);
	sendcp_sender_close(second.sender);
	free(second.buffer);
	bytes_free(&made);
	bytes_free(&expected);
	sending_close_again(&again);
}

static void no_call_after_a_cancel(void **state)
{
	static struct waiting_fill filling;
	const struct sendcp_cancel above = { .set = true };

	assert_int_equal(begin_filling(&filling, *state, &above), 0);
	end_filling(&filling);
	assert_int_equal(filling.ret, -EINTR);
	assert_int_equal(filling.fake.calls, 0);
}

/* An interruption by something else is none. */
static void interrupted_and_not_cancelled(void **state)
{
	static struct waiting_fill filling;

	signals_install();
	assert_int_equal(begin_filling(&filling, *state, NULL), 0);
	wait_for_call(&filling);
	while (!atomic_load(&filling.interrupted)) {
		sendcp_cancel_interrupt(&filling.cancel);
		nanosleep(&moment, NULL);
	}
	atomic_store(&filling.may_answer, true);
	end_filling(&filling);
	assert_int_equal(filling.ret, 0);
	assert_true(filling.fill.end);
	assert_true(filling.fake.calls > 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_signal_ends_the_call),
		cmocka_unit_test(no_call_after_a_signal),
		cmocka_unit_test(one_of_two_is_cancelled),
		cmocka_unit_test(no_call_after_a_cancel),
		cmocka_unit_test(interrupted_and_not_cancelled),
	};

	return cmocka_run_group_tests_name("sender_stop", tests, sending_setup_tiny,
					   sending_teardown);
}
