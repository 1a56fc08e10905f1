// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * An inode with 10,001 names: its commands come in windows of 64, and every one is a place to stop.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "sending.h"

/* No checkpoint grows with the number of names. */
#define CHECKPOINT_MOST 16384u

/* Re-arms at every @every-th command; a prime, so that all places in a window have their turn. */
static void rearm_sometimes(const struct sending *sending, u32 every, u32 from,
			    struct bytes *stream)
{
	struct sendcp_request request = request_of(1, 0);
	struct sendcp_engine *engine = open_engine(sending, &request);
	struct bytes checkpoint = { 0 };
	bool end = false;
	u32 commands;

	for (commands = from; !end; commands++) {
		assert_int_equal(fill_once(engine, sendcp_buffer_min(1), SENDCP_FILL_ONE_COMMAND,
					   stream, &end), 0);
		if (commands % every)
			continue;
		take_checkpoint(engine, &checkpoint);
		assert_true(checkpoint.size < CHECKPOINT_MOST);
		sendcp_engine_close(engine);
		engine = rearmed_engine(sending, &request, &checkpoint);
	}
	sendcp_engine_close(engine);
	bytes_free(&checkpoint);
}

static void windows_do_not_show(void **state)
{
	static const u32 every[] = { 64, 211, 1021 };
	struct sendcp_request request = request_of(1, 0);
	struct bytes whole = { 0 };
	size_t i;

	whole_stream(*state, &request, &whole);
	assert_true(whole.size > 10000 * 20);
	for (i = 0; i < ARRAY_SIZE(every); i++) {
		struct bytes stream = { 0 };

		rearm_sometimes(*state, every[i], 0, &stream);
		assert_bytes_equal(&whole, &stream);
		bytes_free(&stream);
	}
	bytes_free(&whole);
}

/* All stops in the first two windows and the beginning of the third, and some later ones. */
static void window_borders_are_places_to_stop(void **state)
{
	struct sendcp_request request = request_of(1, 0);
	struct sendcp_engine *engine = open_engine(*state, &request);
	struct bytes whole = { 0 }, stream = { 0 }, checkpoint = { 0 }, rest = { 0 };
	bool end = false;
	u32 i;

	whole_stream(*state, &request, &whole);
	for (i = 0; i < 1100; i++) {
		struct sendcp_engine *other;

		assert_int_equal(fill_once(engine, sendcp_buffer_min(1), SENDCP_FILL_ONE_COMMAND,
					   &stream, &end), 0);
		if (i > 140 && i < 1010)
			continue;
		take_checkpoint(engine, &checkpoint);
		other = rearmed_engine(*state, &request, &checkpoint);
		rest.size = 0;
		assert_int_equal(fill_once(other, sendcp_buffer_min(1), 0, &rest, &end), 0);
		assert_memory_equal(rest.data, whole.data + stream.size, rest.size);
		sendcp_engine_close(other);
	}
	sendcp_engine_close(engine);
	bytes_free(&whole);
	bytes_free(&stream);
	bytes_free(&checkpoint);
	bytes_free(&rest);
}

/* A checkpoint is made from the state before all names; the engine still goes on where it was. */
static void checkpoints_change_nothing(void **state)
{
	struct sendcp_request request = request_of(1, 0);
	struct sendcp_engine *engine = open_engine(*state, &request);
	struct bytes whole = { 0 }, stream = { 0 }, checkpoint = { 0 };
	bool end = false;

	whole_stream(*state, &request, &whole);
	while (!end) {
		checkpoint.size = 0;
		take_checkpoint(engine, &checkpoint);
		assert_true(checkpoint.size < CHECKPOINT_MOST);
		assert_int_equal(sendcp_engine_offset(engine), stream.size);
		assert_int_equal(fill_once(engine, sendcp_buffer_min(1), SENDCP_FILL_ONE_COMMAND,
					   &stream, &end), 0);
	}
	assert_bytes_equal(&whole, &stream);
	sendcp_engine_close(engine);
	bytes_free(&whole);
	bytes_free(&stream);
	bytes_free(&checkpoint);
}

/* The queue has commands of the step when it is undone for the checkpoint. */
static void checkpoints_within_fills_change_nothing(void **state)
{
	struct sendcp_request request = request_of(1, 0);
	struct bytes whole = { 0 }, checkpoint = { 0 };
	size_t size;

	whole_stream(*state, &request, &whole);
	for (size = sendcp_buffer_min(1); size < 2 * sendcp_buffer_min(1); size += 29989) {
		struct sendcp_engine *engine = open_engine(*state, &request);
		struct bytes stream = { 0 };
		bool end = false;

		while (!end) {
			assert_int_equal(fill_once(engine, size, 0, &stream, &end), 0);
			take_checkpoint(engine, &checkpoint);
		}
		assert_bytes_equal(&whole, &stream);
		sendcp_engine_close(engine);
		bytes_free(&stream);
	}
	bytes_free(&whole);
	bytes_free(&checkpoint);
}

static void measure_counts_windows(void **state)
{
	struct sendcp_request request = request_of(1, 0);
	struct sendcp_engine *engine = open_engine(*state, &request);
	struct bytes whole = { 0 };
	u64 size = 0;
	bool end = false;

	whole_stream(*state, &request, &whole);
	while (!end)
		assert_int_equal(sendcp_engine_measure(engine, 10000, &size, &end), 0);
	assert_int_equal(size, whole.size);
	sendcp_engine_close(engine);
	bytes_free(&whole);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(windows_do_not_show),
		cmocka_unit_test(window_borders_are_places_to_stop),
		cmocka_unit_test(checkpoints_change_nothing),
		cmocka_unit_test(checkpoints_within_fills_change_nothing),
		cmocka_unit_test(measure_counts_windows),
	};

	return cmocka_run_group_tests(tests, sending_setup_links, sending_teardown);
}
