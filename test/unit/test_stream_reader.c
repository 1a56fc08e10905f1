// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The parser of send streams: every cut and every changed byte is seen, and reported with its
 * place.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

#include "handmade.h"
#include "parse/reader.h"

/* The result of reading the first @size bytes of a blob. */
struct result {
	enum stream_how how;
	u64 whole;
	u64 commands;
	u64 headers;
	char what[512];
};

static struct result read_blob(const struct blob *blob, size_t size)
{
	int fd = blob_file(blob, size);
	struct unwrap *unwrap = unwrap_open_fd(fd);
	struct stream_reader *reader = stream_reader_new(unwrap);
	const struct stream_command *command;
	struct result result = { .commands = 0 };
	u64 offset = 0;

	while ((command = stream_next(reader))) {
		assert_int_equal(command->offset, offset);
		assert_memory_equal(command->bytes, blob->bytes + offset, command->size);
		offset += command->size;
		result.commands += command->type != 0;
		result.headers += !command->type;
	}
	result.how = stream_how(reader);
	result.whole = stream_whole(reader);
	snprintf(result.what, sizeof(result.what), "%s", stream_what(reader));
	assert_int_equal(result.whole, offset);
	stream_reader_free(reader);
	unwrap_close(unwrap);
	close(fd);
	return result;
}

/* One stream of each protocol, one after the other. */
static struct blob two_streams(void)
{
	struct blob blob = { .size = 0 };

	make_stream(&blob, 1, 3, 100);
	make_stream(&blob, 2, 2, 200);
	return blob;
}

static void whole_streams(void **state)
{
	struct blob blob = two_streams();
	struct result result = read_blob(&blob, blob.size);

	assert_int_equal(result.how, STREAM_WHOLE);
	assert_int_equal(result.headers, 2);
	assert_int_equal(result.commands, 2 + 3 + 1 + 2 + 2 + 1);
	assert_int_equal(result.whole, blob.size);
	blob_free(&blob);
}

/* With -e: one header, one END, and subvolumes one after the other. */
static void several_subvolumes_in_one(void **state)
{
	struct blob blob = { .size = 0 };

	make_header(&blob, 1);
	make_subvol(&blob, "a");
	make_subvol(&blob, "b");
	make_end(&blob);
	assert_int_equal(read_blob(&blob, blob.size).how, STREAM_WHOLE);
	blob_free(&blob);
}

/* Larger than the parser's buffer, with commands across its end. */
static void larger_than_the_buffer(void **state)
{
	struct blob blob = { .size = 0 };
	struct result result;

	make_stream(&blob, 2, 23, 131072);
	result = read_blob(&blob, blob.size);
	assert_int_equal(result.how, STREAM_WHOLE);
	assert_int_equal(result.commands, 2 + 23 + 1);
	blob_free(&blob);
}

static void protocol_two_data_has_no_length(void **state)
{
	struct blob blob = { .size = 0 };
	const struct stream_command *command;
	const struct stream_attribute *data;
	struct unwrap *unwrap;
	struct stream_reader *reader;
	int fd;

	make_stream(&blob, 2, 1, 131072);
	fd = blob_file(&blob, blob.size);
	unwrap = unwrap_open_fd(fd);
	reader = stream_reader_new(unwrap);
	while ((command = stream_next(reader)) && command->type != SENDCP_C_WRITE)
		;
	assert_non_null(command);
	data = stream_attribute(command, SENDCP_A_DATA);
	assert_non_null(data);
	assert_int_equal(data->length, 131072);
	assert_int_equal(command->attribute_count, 3);
	assert_ptr_equal(data->value + data->length, command->bytes + command->size);
	stream_reader_free(reader);
	unwrap_close(unwrap);
	close(fd);
	blob_free(&blob);
}

/* Cut after END it is whole; anywhere else it is cut, and whole up to the last command's end. */
static void every_cut_is_seen(void **state)
{
	struct blob blob = two_streams();
	struct blob first = { .size = 0 };

	make_stream(&first, 1, 3, 100);
	for (size_t size = 0; size < blob.size; size++) {
		struct result result = read_blob(&blob, size);
		enum stream_how wanted = size == first.size ? STREAM_WHOLE : STREAM_CUT;

		if (result.how != wanted || result.whole > size)
			fail_msg("cut at %zu: %d, whole %llu: %s", size, result.how, result.whole,
				 result.what);
	}
	blob_free(&first);
	blob_free(&blob);
}

/* The two numbers of protocols are under no checksum; everything else is, or is a magic. */
static void every_changed_bit_is_seen(void **state)
{
	struct blob blob = { .size = 0 };

	make_stream(&blob, 1, 1, 50);
	for (size_t bit = 0; bit < blob.size * 8; bit++) {
		size_t byte = bit / 8;
		struct result result;

		if (byte >= 13 && byte < 17)
			continue;
		blob.bytes[byte] ^= (u8)(1 << bit % 8);
		result = read_blob(&blob, blob.size);
		if (result.how == STREAM_WHOLE || result.whole > byte)
			fail_msg("bit %zu: %d, whole %llu", bit, result.how, result.whole);
		blob.bytes[byte] ^= (u8)(1 << bit % 8);
	}
	blob_free(&blob);
}

static void refuse(struct blob *blob, const char *what)
{
	struct result result = read_blob(blob, blob->size);

	assert_int_equal(result.how, STREAM_DAMAGED);
	if (!strstr(result.what, what))
		fail_msg("%s: %s", what, result.what);
	blob_free(blob);
}

static void limits(void **state)
{
	static u8 data[200000];
	struct blob blob = { .size = 0 };

	make_header(&blob, 4);
	refuse(&blob, "protocol 4");
	make_header(&blob, 0);
	refuse(&blob, "protocol 0");
	make_header(&blob, 1);
	make_command(&blob, 23);
	close_command(&blob);
	refuse(&blob, "fallocate at byte 17 is not a command of its protocol");
	make_header(&blob, 3);
	make_command(&blob, 27);
	close_command(&blob);
	refuse(&blob, "command 27 at byte 17 is not a command");
	make_header(&blob, 2);
	make_write(&blob, "f", 0, data, sizeof(data));
	refuse(&blob, "longer than its protocol allows");
	make_header(&blob, 1);
	make_write(&blob, "f", 0, data, 65535);
	refuse(&blob, "longer than its protocol allows");
	make_stream(&blob, 1, 0, 0);
	blob_add(&blob, "junk", 4);
	refuse(&blob, "there is no stream header after END at byte ");
	blob_add(&blob, "junk", 4);
	refuse(&blob, "no send stream");
}

static void attributes_fill_their_command(void **state)
{
	struct blob blob = { .size = 0 };

	make_header(&blob, 1);
	make_command(&blob, 11);
	blob_add(&blob, "\17\0\5\0abcd", 8);
	close_command(&blob);
	refuse(&blob, "unlink at byte 17 is not made of whole attributes");
	make_header(&blob, 1);
	make_command(&blob, 11);
	blob_add(&blob, "\17\0\1", 3);
	close_command(&blob);
	refuse(&blob, "whole attributes");
	make_header(&blob, 2);
	make_command(&blob, 11);
	blob_add(&blob, "\17", 1);
	close_command(&blob);
	refuse(&blob, "whole attributes");
	make_header(&blob, 1);
	make_command(&blob, 11);
	for (int i = 0; i < STREAM_ATTRIBUTES_MAX + 1; i++)
		make_text(&blob, 15, "");
	close_command(&blob);
	refuse(&blob, "whole attributes");
}

/* A fault found in a command moves the whole end before it. */
static void rejected(void **state)
{
	struct blob blob = two_streams();
	int fd = blob_file(&blob, blob.size);
	struct unwrap *unwrap = unwrap_open_fd(fd);
	struct stream_reader *reader = stream_reader_new(unwrap);
	u64 end;

	stream_next(reader);
	end = stream_next(reader)->size + 17;
	stream_next(reader);
	stream_reject(reader, "%s", "so");
	assert_null(stream_next(reader));
	assert_int_equal(stream_how(reader), STREAM_DAMAGED);
	assert_string_equal(stream_what(reader), "so");
	assert_int_equal(stream_whole(reader), end);
	stream_reader_free(reader);
	unwrap_close(unwrap);
	close(fd);
	blob_free(&blob);
}

/* A fault in the stream, in sound frames: the whole part ends before it. */
static void units_before_a_fault(void **state)
{
	struct blob blob = { .size = 0 }, file = { .size = 0 };
	size_t third, ends[3];
	struct unwrap *unwrap;
	struct stream_reader *reader;
	int fd;

	make_stream(&blob, 1, 30, 1000);
	third = blob.size / 3;
	blob.bytes[third * 3 / 2] ^= 1;
	for (u32 i = 0; i < 3; i++) {
		wrap_frame(&file, blob.bytes + i * third, third, true);
		ends[i] = file.size;
	}
	fd = blob_file(&file, file.size);
	unwrap = unwrap_open_fd(fd);
	reader = stream_reader_new(unwrap);
	while (stream_next(reader))
		;
	assert_int_equal(stream_how(reader), STREAM_DAMAGED);
	assert_int_equal(unwrap_whole(unwrap).file, ends[1]);
	assert_int_equal(stream_unit(reader).file, ends[0]);
	assert_int_equal(stream_unit(reader).plain, third);
	stream_reader_free(reader);
	unwrap_close(unwrap);
	close(fd);
	blob_free(&file);
	blob_free(&blob);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole_streams),
		cmocka_unit_test(several_subvolumes_in_one),
		cmocka_unit_test(larger_than_the_buffer),
		cmocka_unit_test(protocol_two_data_has_no_length),
		cmocka_unit_test(every_cut_is_seen),
		cmocka_unit_test(every_changed_bit_is_seen),
		cmocka_unit_test(limits),
		cmocka_unit_test(attributes_fill_their_command),
		cmocka_unit_test(rejected),
		cmocka_unit_test(units_before_a_fault),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
