// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A stream is the same however it is broken up: by buffers, by checkpoints, by split WRITEs.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "sending.h"

/* One command, then a fresh engine; all checkpoints are equal to those of the engine before. */
static void step_through(const struct sending *sending, const struct sendcp_request *request,
			 struct bytes *stream)
{
	struct sendcp_engine *engine = open_engine(sending, request);
	struct bytes checkpoint = { 0 };
	struct bytes again = { 0 };
	bool end = false;

	while (!end) {
		assert_int_equal(fill_once(engine, sendcp_buffer_min(request->protocol),
					   SENDCP_FILL_ONE_COMMAND, stream, &end), 0);
		take_checkpoint(engine, &checkpoint);
		sendcp_engine_close(engine);
		engine = rearmed_engine(sending, request, &checkpoint);
		assert_int_equal(sendcp_engine_offset(engine), stream->size);
		take_checkpoint(engine, &again);
		assert_bytes_equal(&checkpoint, &again);
	}
	assert_int_equal(fill_once(engine, sendcp_buffer_min(request->protocol), 0, stream, &end),
			 0);
	assert_true(end);
	sendcp_engine_close(engine);
	bytes_free(&checkpoint);
	bytes_free(&again);
}

static void every_command_is_a_place_to_stop(void **state)
{
	const struct sending *sending = *state;
	u32 i;

	for (i = 0; i < sending->request_count; i++) {
		struct bytes whole = { 0 }, steps = { 0 };

		whole_stream(sending, &sending->requests[i], &whole);
		assert_true(whole.size > 3000);
		step_through(sending, &sending->requests[i], &steps);
		assert_bytes_equal(&whole, &steps);
		bytes_free(&whole);
		bytes_free(&steps);
	}
}

static void buffer_size_does_not_matter(void **state)
{
	const struct sending *sending = *state;
	u32 i;

	for (i = 0; i < sending->request_count; i++) {
		size_t least = sendcp_buffer_min(sending->requests[i].protocol);
		size_t sizes[] = { least, least + 1, least + 4095, least * 3, 10 << 20 };
		struct bytes whole = { 0 };
		size_t s;

		whole_stream(sending, &sending->requests[i], &whole);
		for (s = 0; s < ARRAY_SIZE(sizes); s++) {
			struct sendcp_engine *engine = open_engine(sending, &sending->requests[i]);
			struct bytes stream = { 0 };

			fill_to_end(engine, sizes[s], 0, &stream);
			assert_bytes_equal(&whole, &stream);
			sendcp_engine_close(engine);
			bytes_free(&stream);
		}
		bytes_free(&whole);
	}
}

/* A buffer too small for the next command loses nothing: the send continues in a larger one. */
static void small_buffers_are_refused(void **state)
{
	struct sendcp_request request = request_of(1, 0);
	struct sendcp_engine *engine = open_engine(*state, &request);
	struct bytes whole = { 0 }, stream = { 0 };
	u32 refused = 0, known, length;
	bool end = false;
	u8 head[300];
	int err;

	assert_int_equal(sendcp_engine_error(engine)->reason, SENDCP_ERR_NONE);
	assert_int_equal(sendcp_engine_error(engine)->root, SENDCP_NOWHERE);
	assert_int_equal(sendcp_engine_skip_command(engine, head, sizeof(head), &known, &length,
						    &end), -ENOBUFS);
	assert_int_equal(sendcp_engine_error(engine)->reason, SENDCP_ERR_BUFFER_SIZE);
	whole_stream(*state, &request, &whole);
	while (!end) {
		err = fill_once(engine, 300, SENDCP_FILL_ONE_COMMAND, &stream, &end);
		if (err == -ENOBUFS) {
			refused++;
			assert_int_equal(sendcp_engine_error(engine)->reason,
					 SENDCP_ERR_BUFFER_SIZE);
			err = fill_once(engine, sendcp_buffer_min(1), SENDCP_FILL_ONE_COMMAND,
					&stream, &end);
		}
		assert_int_equal(err, 0);
	}
	assert_true(refused > 10);
	assert_bytes_equal(&whole, &stream);
	sendcp_engine_close(engine);
	bytes_free(&whole);
	bytes_free(&stream);
}

/* Splits WRITEs with buffers of @size and re-arms between them; the contents stay the same. */
static void split(const struct sending *sending, u32 protocol, size_t size)
{
	struct sendcp_request request = request_of(protocol, 0);
	struct sendcp_engine *engine = open_engine(sending, &request);
	struct bytes whole = { 0 }, stream = { 0 }, checkpoint = { 0 };
	struct bytes expected = { 0 }, merged = { 0 };
	bool end = false;

	while (!end) {
		assert_int_equal(fill_once(engine, size, SENDCP_FILL_SPLIT_WRITES, &stream, &end),
				 0);
		take_checkpoint(engine, &checkpoint);
		sendcp_engine_close(engine);
		engine = rearmed_engine(sending, &request, &checkpoint);
	}
	sendcp_engine_close(engine);
	whole_stream(sending, &request, &whole);
	merge_writes(&whole, protocol, &expected);
	merge_writes(&stream, protocol, &merged);
	assert_bytes_equal(&expected, &merged);
	bytes_free(&whole);
	bytes_free(&stream);
	bytes_free(&checkpoint);
	bytes_free(&expected);
	bytes_free(&merged);
}

static void split_writes_hold_the_same_data(void **state)
{
	/* The first is just enough for the largest other command of the image. */
	static const size_t sizes[] = { 3100, 4097, 4150, 5000, 8191, 20000, 49000, 65536, 200000 };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		split(*state, 1, sizes[i]);
		split(*state, 2, sizes[i]);
	}
}

/* The measure is exact in one go, in small portions, and from the middle of the stream on. */
static void measure_is_exact(void **state)
{
	const struct sending *sending = *state;
	u32 i;

	for (i = 0; i < sending->request_count; i++) {
		struct sendcp_engine *engine = open_engine(sending, &sending->requests[i]);
		struct bytes whole = { 0 }, stream = { 0 };
		u64 size = 0;
		bool end = false;

		whole_stream(sending, &sending->requests[i], &whole);
		while (!end)
			assert_int_equal(sendcp_engine_measure(engine, 7000, &size, &end), 0);
		assert_int_equal(size, whole.size);
		assert_int_equal(sendcp_engine_offset(engine), whole.size);
		sendcp_engine_close(engine);

		engine = open_engine(sending, &sending->requests[i]);
		assert_int_equal(fill_once(engine, sendcp_buffer_min(2), 0, &stream, &end), 0);
		size = stream.size;
		assert_int_equal(sendcp_engine_measure(engine, ~0ULL, &size, &end), 0);
		assert_true(end);
		assert_int_equal(size, whole.size);
		sendcp_engine_close(engine);
		bytes_free(&whole);
		bytes_free(&stream);
	}
}

/* An engine may be sent back and forth between checkpoints. */
static void one_engine_is_rearmed_again_and_again(void **state)
{
	struct sendcp_request request = request_of(2, SENDCP_SEND_COMPRESSED);
	struct sendcp_engine *engine = open_engine(*state, &request);
	struct bytes first = { 0 }, start = { 0 }, middle = { 0 };
	struct bytes whole = { 0 }, stream = { 0 };
	bool end;
	int i;

	whole_stream(*state, &request, &whole);
	take_checkpoint(engine, &start);
	assert_int_equal(fill_once(engine, sendcp_buffer_min(2), 0, &first, &end), 0);
	take_checkpoint(engine, &middle);
	for (i = 0; i < 3; i++) {
		stream.size = 0;
		bytes_append(&stream, first.data, first.size);
		assert_int_equal(sendcp_engine_rearm(engine, middle.data, middle.size), 0);
		fill_to_end(engine, sendcp_buffer_min(2), 0, &stream);
		assert_bytes_equal(&whole, &stream);
		assert_int_equal(sendcp_engine_rearm(engine, start.data, start.size), 0);
		stream.size = 0;
		fill_to_end(engine, sendcp_buffer_min(2) * 2, 0, &stream);
		assert_bytes_equal(&whole, &stream);
	}
	sendcp_engine_close(engine);
	bytes_free(&first);
	bytes_free(&start);
	bytes_free(&middle);
	bytes_free(&whole);
	bytes_free(&stream);
}

int main(void)
{
	const struct CMUnitTest full[] = {
		cmocka_unit_test(every_command_is_a_place_to_stop),
		cmocka_unit_test(buffer_size_does_not_matter),
		cmocka_unit_test(small_buffers_are_refused),
		cmocka_unit_test(split_writes_hold_the_same_data),
		cmocka_unit_test(measure_is_exact),
		cmocka_unit_test(one_engine_is_rearmed_again_and_again),
	};
	const struct CMUnitTest incremental[] = {
		cmocka_unit_test(every_command_is_a_place_to_stop),
		cmocka_unit_test(buffer_size_does_not_matter),
		cmocka_unit_test(measure_is_exact),
	};
	int failed;

	failed = cmocka_run_group_tests(full, sending_setup_tiny, sending_teardown);
	failed += cmocka_run_group_tests(incremental, sending_setup_changes, sending_teardown);
	return failed + cmocka_run_group_tests(incremental, sending_setup_moves, sending_teardown);
}
