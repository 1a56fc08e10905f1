// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Two transfers in one process: one is cancelled, the other one completes.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "loopfs.h"
#include "transfer/measure.h"
#include "transfer/transfer_run.h"
#include "util/message.h"
#include "util/signals.h"

static struct loopfs fs;
static u64 stream_size;

struct running {
	struct send_job job;
	struct output output;
	struct transfer transfer;
	struct transfer_result result;
	pthread_t thread;
	int reader;
};

static void open_job(struct send_job *job)
{
	static const char *devices[1];
	static char name[] = "snapshot";
	static char *names[] = { name };
	const struct options options = {
		.protocol = 1,
		.devices = devices,
		.device_count = 1,
		.arguments = names,
		.argument_count = 1,
	};

	devices[0] = fs.images[0];
	assert_int_equal(send_job_open(&options, job), 0);
}

static int setup(void **state)
{
	const struct transfer_start start = { 0 };
	struct transfer_result result;
	struct send_job job;

	signals_install();
	message_set_verbosity(-1);
	loopfs_make(&fs, 1, 256, "");
	loopfs_mount(&fs, "");
	loopfs_run(&fs, "btrfs -q subvolume create volume\n"
			"head -c 8M /dev/urandom >volume/contents\n"
			"btrfs -q subvolume snapshot -r volume snapshot; sync -f .");
	loopfs_unmount(&fs);
	open_job(&job);
	assert_int_equal(measure_output(&job, job.source, &start, NULL, &stream_size, &result), 0);
	send_job_close(&job);
	assert_true(stream_size > 8 << 20);
	return 0;
}

static int teardown(void **state)
{
	loopfs_destroy(&fs);
	return 0;
}

static void *run_in_thread(void *argument)
{
	struct running *running = argument;

	transfer_run(&running->transfer, &running->result);
	return NULL;
}

/* Into a pipe that nobody reads yet; returns when that is full. */
static void begin(struct running *running, const struct sendcp_cancel *above)
{
	const struct timespec moment = { .tv_nsec = 10000000 };
	int ends[2], full, waiting = 0;

	*running = (struct running){ 0 };
	open_job(&running->job);
	assert_int_equal(pipe(ends), 0);
	running->reader = ends[0];
	running->output = (struct output){ .fd = ends[1], .name = "pipe", .reader_known = true };
	running->transfer = (struct transfer){
		.job = &running->job,
		.output = &running->output,
		.settings = { .buffer_size = 1 << 20, .buffers = 2, .interval = 4 << 20 },
	};
	transfer_attach(&running->transfer, above);
	assert_int_equal(signals_thread(&running->thread, run_in_thread, running), 0);
	full = fcntl(ends[1], F_GETPIPE_SZ);
	assert_true(full > 0);
	while (waiting < full) {
		nanosleep(&moment, NULL);
		assert_int_equal(ioctl(running->reader, FIONREAD, &waiting), 0);
	}
}

/* What cancelled it interrupts it until it has ended. */
static void join(struct running *running)
{
	struct timespec until;

	do {
		clock_gettime(CLOCK_REALTIME, &until);
		until.tv_sec++;
		if (sendcp_cancelled(&running->transfer.cancel))
			sendcp_cancel_interrupt(&running->transfer.cancel);
	} while (pthread_timedjoin_np(running->thread, NULL, &until) == ETIMEDOUT);
	transfer_detach(&running->transfer);
	close(running->reader);
	close(running->output.fd);
	send_job_close(&running->job);
}

static void check_stopped(struct running *running)
{
	join(running);
	assert_int_equal(running->result.status, TRANSFER_STOPPED);
	assert_true(running->output.offset < stream_size);
}

static void read_all(struct running *running)
{
	static u8 buffer[1 << 16];
	u64 size = 0;

	while (size < stream_size) {
		ssize_t got = read(running->reader, buffer, sizeof(buffer));

		assert_true(got > 0);
		size += (u64)got;
	}
	assert_int_equal(size, stream_size);
}

static void one_of_two_is_cancelled(void **state)
{
	struct running first, second;

	begin(&first, signals_cancel());
	begin(&second, signals_cancel());
	sendcp_cancel_set(&first.transfer.cancel);
	check_stopped(&first);

	read_all(&second);
	join(&second);
	assert_int_equal(second.result.status, TRANSFER_COMPLETE);
	assert_int_equal(second.output.offset, stream_size);
	assert_false(signals_stopped());
}

/* A reader that goes ends the transfer that writes to it: its producer too, and no other. */
static void one_of_two_fails(void **state)
{
	struct running first, second;

	begin(&first, signals_cancel());
	begin(&second, signals_cancel());
	close(first.reader);
	first.reader = -1;
	join(&first);
	assert_int_equal(first.result.status, TRANSFER_WRITE_FAILED);
	assert_int_equal(first.result.err, -EPIPE);

	read_all(&second);
	join(&second);
	assert_int_equal(second.result.status, TRANSFER_COMPLETE);
}

static void what_is_above_cancels_both(void **state)
{
	struct sendcp_cancel above = { 0 };
	struct running first, second;

	begin(&first, &above);
	begin(&second, &above);
	sendcp_cancel_set(&above);
	check_stopped(&first);
	check_stopped(&second);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_of_two_is_cancelled),
		cmocka_unit_test(one_of_two_fails),
		cmocka_unit_test(what_is_above_cancels_both),
	};

	if (loopfs_skip())
		return 0;
	return cmocka_run_group_tests_name("transfer_cancel", tests, setup, teardown);
}
