// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A mirrored filesystem with some of its devices handed in.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "call.h"
#include "subjects.h"
#include "tap.h"

static struct job job = { .protocol = 1 };
static struct target target;

static void with_devices(char **expected, int32_t first, int32_t second, const char *what)
{
	struct sending sending;
	struct sink sink;

	target.devices[0] = first;
	target.devices[1] = second;
	target.device_count = second < 0 ? 1 : 2;
	sending_init(&sending, &target, &job, 0);
	sink_init(&sink, false);
	if (is_errno(sending_all(&sending, &sink), 0, "%s: gets to the end", what))
		stream_is(&sink, expected[0], expected[1], what);
	sink_free(&sink);
	sending_free(&sending);
}

static void refused(int32_t first, int32_t second, int expected, const char *what)
{
	struct sending sending;

	target.devices[0] = first;
	target.devices[1] = second;
	target.device_count = 2;
	sending_init(&sending, &target, &job, 0);
	is_errno(sending_step(&sending), expected, "%s", what);
	sending_free(&sending);
}

/* One open file, and in every call other devices. */
static void changing(char **expected, int32_t first, int32_t second)
{
	struct sending sending;
	struct sink sink;
	unsigned int i;
	int ret = 0;

	sending_init(&sending, &target, &job, 0);
	sending.buffer_size = 150000;
	sink_init(&sink, false);
	for (i = 0; !ret && !sending.end; i++) {
		target.devices[0] = i % 2 ? first : second;
		target.devices[1] = i % 2 ? second : first;
		target.device_count = 1 + i / 2 % 2;
		ret = sending_step(&sending);
		if (!ret)
			sink_put(&sink, sending.buffer, sending.args.filled);
	}
	ok(i > 6, "other devices in every call: %u calls", i);
	if (is_errno(ret, 0, "other devices in every call: gets to the end"))
		stream_is(&sink, expected[0], expected[1], "other devices in every call");
	sink_free(&sink);
	sending_free(&sending);
}

int test_devices(int argc, char **argv)
{
	int32_t first, second;

	target_open(&target, &job, argv[2]);
	if (target.device_count != 2)
		give_up("not two devices");
	first = target.devices[0];
	second = target.devices[1];
	with_devices(argv, first, second, "both devices");
	with_devices(argv, second, first, "both devices, in the other order");
	with_devices(argv, first, -1, "the first device alone");
	with_devices(argv, second, -1, "the second device alone");
	refused(first, first, -EINVAL, "the first device twice");
	changing(argv, first, second);
	return tap_end();
}
