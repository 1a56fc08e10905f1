// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Allocations that fail: the first of a call, the second, and so on until none is left to fail.
 * Each call returns ENOMEM or what it should. For the debugging kernel; the script that runs it
 * sets up failslab.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "call.h"
#include "subjects.h"
#include "tap.h"

/* Every one up to here; then fewer and fewer, since most of a call's are like others. */
#define EACH_UP_TO 40

static int fail_nth;

static void fail_at(unsigned int number)
{
	char text[16];
	int length = snprintf(text, sizeof(text), "%u", number);

	if (pwrite(fail_nth, text, length, 0) != length)
		give_up("fail-nth: %m");
}

/* Were there fewer allocations than that? Then nothing failed. */
static bool not_reached(void)
{
	char text[16] = "";

	if (pread(fail_nth, text, sizeof(text) - 1, 0) <= 0)
		give_up("fail-nth: %m");
	fail_at(0);
	return atoi(text) > 0;
}

typedef int (*work_fn)(struct sending *sending);

static int work_send(struct sending *sending)
{
	return sending_step(sending);
}

static int output[2];

static int work_stream(struct sending *sending)
{
	return stream_step(sending, output[1]);
}

struct tally {
	unsigned int failed;
	unsigned int made;
	unsigned int wrong;
	bool done;
};

/*
 * A fresh open file each time, or the one that is warm. A failure in mid-call gives a short fill,
 * so what a call made is the beginning of @expected.
 */
static void one_round(struct sending *sending, work_fn work, unsigned int number, bool fresh,
		      const uint8_t *expected, struct tally *tally)
{
	int ret;

	if (fresh) {
		close(sending->device);
		sending->device = module_open();
	}
	sending->checkpoint_size = 0;
	sending->skip = 0;
	fail_at(number);
	ret = work(sending);
	tally->done = not_reached();
	if (ret == -ENOMEM) {
		tally->failed++;
		return;
	}
	if (ret || !sending->args.filled || (work == work_send &&
	    memcmp(sending->buffer, expected, sending->args.filled))) {
		if (tally->wrong++ < 10)
			note("allocation %u: %s %s", number, ret ? strerrorname_np(-ret) : "wrong",
			     sending->error.reason);
	} else {
		tally->made++;
	}
	lseek(output[1], 0, SEEK_SET);
}

static void rounds(struct sending *sending, work_fn work, bool fresh, const char *what)
{
	struct tally tally = { 0 };
	uint8_t *expected = malloc(sending->buffer_size);
	unsigned int number;

	sending->checkpoint_size = 0;
	if (sending_step(sending))
		give_up("the call fails without failing allocations");
	memcpy(expected, sending->buffer, sending->buffer_size);
	for (number = 1; !tally.done; number += 1 + number / EACH_UP_TO * (number / 16))
		one_round(sending, work, number, fresh, expected, &tally);
	ok(!tally.wrong, "%s: %u calls, %u ENOMEM, %u made something all the same", what,
	   tally.failed + tally.made + tally.wrong, tally.failed, tally.made);
	ok(tally.failed > 5, "%s: allocations did fail", what);
	free(expected);
}

int test_faults(int argc, char **argv)
{
	struct sending sending;
	struct target target;
	struct sink before, after;
	struct job job;

	fail_nth = open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC);
	if (fail_nth < 0)
		give_up("/proc/thread-self/fail-nth: %m");
	output[1] = open("/tmp/faults", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	job_parse(&job, argc, argv);
	target_open(&target, &job, job.subvolumes[0]);
	sending_init(&sending, &target, &job, 0);
	sending.buffer_size = 150000;
	sink_init(&before, false);
	sink_init(&after, false);
	is_errno(sending_all(&sending, &before), 0, "before: the whole stream");
	rounds(&sending, work_send, true, "SEND, a new open file");
	rounds(&sending, work_send, false, "SEND, the same open file");
	/* Whole streams, once for each allocation, would take hours in emulation. */
	sending.flags |= SENDCP_ONE_COMMAND;
	rounds(&sending, work_stream, true, "STREAM, a new open file");
	sending.flags &= ~SENDCP_ONE_COMMAND;
	sending.checkpoint_size = 0;
	sending.end = false;
	is_errno(sending_all(&sending, &after), 0, "after: the whole stream");
	ok(before.bytes == after.bytes && XXH128_isEqual(XXH3_128bits_digest(before.hash),
	   XXH3_128bits_digest(after.hash)), "after: the same bytes");
	unlink("/tmp/faults");
	return tap_end();
}
