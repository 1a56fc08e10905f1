// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Streams made by the kernel module's ioctl, as the command line requests them: the same bytes as
 * an engine's for all results of a call, and every failure reported.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "fakemodule.h"

static struct sender *open_sender(struct fake_module *fake, const struct bytes *checkpoint)
{
	struct sendcp_error error;
	struct sender *sender;

	assert_int_equal(fake_sender(fake, checkpoint, &sender, &error), 0);
	return sender;
}

/* One fill of @size bytes; returns whether the stream has ended. */
static bool fill_some(struct sender *sender, size_t size, u32 flags, struct bytes *stream)
{
	struct sendcp_fill fill = { .buffer = malloc(size), .size = size, .flags = flags };

	assert_non_null(fill.buffer);
	assert_int_equal(sendcp_sender_fill(sender, &fill, NULL), 0);
	bytes_append(stream, fill.buffer, fill.filled);
	free(fill.buffer);
	assert_int_equal(sendcp_sender_offset(sender), stream->size);
	return fill.end;
}

static void sender_checkpoint_into(struct sender *sender, struct bytes *checkpoint)
{
	void *blob;

	bytes_free(checkpoint);
	assert_int_equal(sendcp_sender_checkpoint(sender, &blob, &checkpoint->size), 0);
	checkpoint->data = blob;
	checkpoint->capacity = checkpoint->size;
}

/* The whole stream in buffers of @size bytes is what an engine makes. */
static void check_stream(struct fake_module *fake, size_t size)
{
	struct bytes expected = { 0 }, stream = { 0 };
	struct sender *sender = open_sender(fake, NULL);

	whole_stream(fake->sending, fake->request, &expected);
	while (!fill_some(sender, size, 0, &stream))
		;
	assert_bytes_equal(&stream, &expected);
	sendcp_sender_close(sender);
	bytes_free(&expected);
	bytes_free(&stream);
}

static void same_bytes_as_an_engine(void **state)
{
	static const size_t sizes[] = { 147456, 200001, 1 << 20 };
	const struct sending *sending = *state;
	struct fake_module fake;

	for (u32 i = 0; i < sending->request_count; i++) {
		for (size_t j = 0; j < ARRAY_SIZE(sizes); j++) {
			fake_module_init(&fake, sending, &sending->requests[i]);
			check_stream(&fake, sizes[j]);
			assert_int_equal(fake.opens, 1);
		}
	}
}

/* --step: every command a new open of the device. */
static void a_new_open_for_every_command(void **state)
{
	const struct sending *sending = *state;

	for (u32 i = 0; i < sending->request_count; i++) {
		struct bytes expected = { 0 }, stream = { 0 }, checkpoint = { 0 };
		struct fake_module fake;
		bool end = false;

		fake_module_init(&fake, sending, &sending->requests[i]);
		whole_stream(sending, &sending->requests[i], &expected);
		while (!end) {
			struct sender *sender;

			sender = open_sender(&fake, stream.size ? &checkpoint : NULL);
			assert_int_equal(sendcp_sender_offset(sender), stream.size);
			end = fill_some(sender, 1 << 20, SENDCP_FILL_ONE_COMMAND, &stream);
			sender_checkpoint_into(sender, &checkpoint);
			sendcp_sender_close(sender);
		}
		assert_bytes_equal(&stream, &expected);
		assert_true(fake.opens > 10 && fake.opens == fake.calls);
		bytes_free(&expected);
		bytes_free(&stream);
		bytes_free(&checkpoint);
	}
}

static void broken_writes_arrive(void **state)
{
	const struct sending *sending = *state;
	const struct sendcp_request *request = &sending->requests[0];
	struct bytes expected = { 0 }, stream = { 0 }, merged = { 0 }, all = { 0 };
	struct fake_module fake;
	struct sender *sender;

	fake_module_init(&fake, sending, request);
	whole_stream(sending, request, &expected);
	sender = open_sender(&fake, NULL);
	while (!fill_some(sender, 6001, SENDCP_FILL_SPLIT_WRITES, &stream))
		;
	sendcp_sender_close(sender);
	merge_writes(&stream, request->protocol, &merged);
	merge_writes(&expected, request->protocol, &all);
	assert_bytes_equal(&merged, &all);
	bytes_free(&expected);
	bytes_free(&stream);
	bytes_free(&merged);
	bytes_free(&all);
}

static void goes_on_where_an_engine_stopped(void **state)
{
	const struct sending *sending = *state;
	const struct sendcp_request *request = &sending->requests[0];
	struct bytes expected = { 0 }, stream = { 0 }, checkpoint = { 0 };
	struct sendcp_engine *engine = open_engine(sending, request);
	struct fake_module fake;
	struct sender *sender;
	bool end;

	whole_stream(sending, request, &expected);
	assert_int_equal(fill_once(engine, 70000, 0, &stream, &end), 0);
	take_checkpoint(engine, &checkpoint);
	sendcp_engine_close(engine);
	fake_module_init(&fake, sending, request);
	sender = open_sender(&fake, &checkpoint);
	fill_some(sender, 70000, 0, &stream);
	sender_checkpoint_into(sender, &checkpoint);
	sendcp_sender_close(sender);
	/* And back. */
	engine = rearmed_engine(sending, request, &checkpoint);
	fill_to_end(engine, 1 << 20, 0, &stream);
	sendcp_engine_close(engine);
	assert_bytes_equal(&stream, &expected);
	bytes_free(&expected);
	bytes_free(&stream);
	bytes_free(&checkpoint);
}

static void more_room_is_made_for_checkpoints(void **state)
{
	const struct sending *sending = *state;
	struct fake_module fake;

	fake_module_init(&fake, sending, &sending->requests[0]);
	fake.room_wanted = 20000;
	check_stream(&fake, 1 << 20);
	assert_true(fake.calls > 1);
	/* And when asking once is not enough. */
	fake_module_init(&fake, sending, &sending->requests[0]);
	fake.room_wanted = 300000;
	check_stream(&fake, 1 << 20);
}

/* Asking again ends for all sizes that the module may report. */
static void impossible_rooms_are_failures(void **state)
{
	static const u64 told[] = { 0, 1, 16384, SENDCP_CHECKPOINT_MAX + 1ULL, ~0ULL };
	const struct sending *sending = *state;
	struct fake_module fake;
	u8 buffer[1];

	for (size_t i = 0; i < ARRAY_SIZE(told); i++) {
		struct sendcp_fill fill = { .buffer = buffer, .size = sizeof(buffer) };
		struct sender *sender;

		fake_module_init(&fake, sending, &sending->requests[0]);
		fake.room_wanted = ~0ULL;
		fake.room_told = &told[i];
		sender = open_sender(&fake, NULL);
		assert_int_equal(sendcp_sender_fill(sender, &fill, NULL), -EMSGSIZE);
		assert_int_equal(fake.calls, 1);
		assert_int_equal(sendcp_sender_error(sender)->reason, SENDCP_ERR_MODULE);
		sendcp_sender_close(sender);
	}
}

static void short_fills_are_no_end(void **state)
{
	const struct sending *sending = *state;
	struct fake_module fake;

	fake_module_init(&fake, sending, &sending->requests[0]);
	fake.fill_limit = 66000;
	check_stream(&fake, 1 << 20);
	assert_true(fake.calls > 2);
}

static void interruptions_are_repeated(void **state)
{
	const struct sending *sending = *state;
	struct fake_module fake;

	fake_module_init(&fake, sending, &sending->requests[0]);
	fake.failures = 3;
	fake.fail_errno = EINTR;
	check_stream(&fake, 1 << 20);
}

/* A failure passes, and the same sender continues. */
static void a_failure_costs_nothing(void **state)
{
	const struct sending *sending = *state;
	struct bytes expected = { 0 }, stream = { 0 };
	struct fake_module fake;
	struct sender *sender;
	struct sendcp_fill fill;
	u8 buffer[70000];

	fake_module_init(&fake, sending, &sending->requests[0]);
	whole_stream(sending, &sending->requests[0], &expected);
	sender = open_sender(&fake, NULL);
	fill_some(sender, sizeof(buffer), 0, &stream);
	fake.failures = 1;
	fake.fail_errno = ENOMEM;
	fill = (struct sendcp_fill){ .buffer = buffer, .size = sizeof(buffer), .filled = 7 };
	assert_int_equal(sendcp_sender_fill(sender, &fill, NULL), -ENOMEM);
	assert_int_equal(fill.filled, 0);
	assert_int_equal(sendcp_sender_error(sender)->reason, SENDCP_ERR_NO_MEMORY);
	assert_int_equal(sendcp_sender_offset(sender), stream.size);
	while (!fill_some(sender, sizeof(buffer), 0, &stream))
		;
	assert_bytes_equal(&stream, &expected);
	sendcp_sender_close(sender);
	bytes_free(&expected);
	bytes_free(&stream);
}

static void too_much(struct sendcp_send *args)
{
	args->filled = args->buffer_size + 1;
	args->offset = args->filled;
}

static void no_checkpoint(struct sendcp_send *args)
{
	args->new_checkpoint_size = 0;
}

static void endless_checkpoint(struct sendcp_send *args)
{
	args->new_checkpoint_size = args->new_checkpoint_capacity + 1;
}

static void other_offset(struct sendcp_send *args)
{
	args->offset++;
}

static void nothing_and_no_end(struct sendcp_send *args)
{
	args->filled = 0;
	args->offset = 0;
	args->result = 0;
}

static void nonsense_is_not_believed(void **state)
{
	static void (*const spoils[])(struct sendcp_send *args) = {
		too_much, no_checkpoint, endless_checkpoint, other_offset, nothing_and_no_end,
	};
	const struct sending *sending = *state;
	static u8 buffer[200000];

	for (size_t i = 0; i < ARRAY_SIZE(spoils); i++) {
		struct sendcp_fill fill = { .buffer = buffer, .size = sizeof(buffer) };
		struct fake_module fake;
		struct sender *sender;
		size_t size;
		void *blob;

		fake_module_init(&fake, sending, &sending->requests[0]);
		fake.spoil = spoils[i];
		sender = open_sender(&fake, NULL);
		assert_int_equal(sendcp_sender_fill(sender, &fill, NULL), -EPROTO);
		assert_int_equal(fill.filled, 0);
		assert_int_equal(sendcp_sender_error(sender)->reason, SENDCP_ERR_MODULE);
		assert_int_equal(sendcp_sender_checkpoint(sender, &blob, &size), -ENODATA);
		assert_null(blob);
		sendcp_sender_close(sender);
	}
}

static void damaged_checkpoints_are_refused(void **state)
{
	const struct sending *sending = *state;
	struct bytes stream = { 0 }, checkpoint = { 0 };
	struct fake_module fake;
	struct sendcp_error error;
	struct sender *sender;

	fake_module_init(&fake, sending, &sending->requests[0]);
	sender = open_sender(&fake, NULL);
	fill_some(sender, 70000, 0, &stream);
	sender_checkpoint_into(sender, &checkpoint);
	sendcp_sender_close(sender);
	checkpoint.data[checkpoint.size / 2] ^= 1;
	assert_int_equal(fake_sender(&fake, &checkpoint, &sender, &error), -EILSEQ);
	assert_int_equal(error.reason, SENDCP_ERR_CHECKPOINT_FORMAT);
	assert_null(sender);
	assert_int_equal(fake.opens, 1);
	bytes_free(&stream);
	bytes_free(&checkpoint);
}

static void a_device_that_cannot_be_opened(void **state)
{
	static const int errnos[] = { ENOENT, ENXIO, EACCES, EMFILE };
	const struct sending *sending = *state;
	struct fake_module fake;
	struct sendcp_error error;
	struct sender *sender;

	for (size_t i = 0; i < ARRAY_SIZE(errnos); i++) {
		fake_module_init(&fake, sending, &sending->requests[0]);
		fake.open_errno = errnos[i];
		assert_int_equal(fake_sender(&fake, NULL, &sender, &error), -errnos[i]);
		assert_null(sender);
		assert_int_equal(error.reason, SENDCP_ERR_MODULE);
		assert_true(strlen(error.detail) > 5);
	}
}

int main(void)
{
	const struct CMUnitTest full[] = {
		cmocka_unit_test(same_bytes_as_an_engine),
		cmocka_unit_test(a_new_open_for_every_command),
		cmocka_unit_test(broken_writes_arrive),
		cmocka_unit_test(goes_on_where_an_engine_stopped),
		cmocka_unit_test(more_room_is_made_for_checkpoints),
		cmocka_unit_test(impossible_rooms_are_failures),
		cmocka_unit_test(short_fills_are_no_end),
		cmocka_unit_test(interruptions_are_repeated),
		cmocka_unit_test(a_failure_costs_nothing),
		cmocka_unit_test(nonsense_is_not_believed),
		cmocka_unit_test(damaged_checkpoints_are_refused),
		cmocka_unit_test(a_device_that_cannot_be_opened),
	};
	const struct CMUnitTest incremental[] = {
		cmocka_unit_test(same_bytes_as_an_engine),
		cmocka_unit_test(a_new_open_for_every_command),
	};
	int failed;

	failed = cmocka_run_group_tests_name("sender_module", full, sending_setup_tiny,
					     sending_teardown);
	failed += cmocka_run_group_tests_name("sender_module incremental", incremental,
					      sending_setup_changes, sending_teardown);
	return failed;
}
