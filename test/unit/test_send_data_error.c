// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Contents that cannot be read, replaced and marked: where, with which bytes, and the same however
 * the stream is broken up or disturbed.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <sendcp/stream.h>

#include "sending.h"

#define SECTOR 4096u

/* The host's own functions; how the damaged sectors fail. */
static const struct sendcp_host_ops *sound;
static struct sendcp_host_ops rotten;
static enum sendcp_reason reason;
static int error_number;
/* One of so many sectors is damaged; 0: none. */
static u32 every;

static bool is_damaged(u64 inode, u64 sector)
{
	return every && (inode * 7 + sector * (sector % 5 + 1)) % every == 0;
}

static int read_file(void *host, const struct sendcp_file_range *range, void *buffer,
		     struct sendcp_error *error)
{
	u64 first = range->offset / SECTOR;
	u64 last = (range->offset + range->length - 1) / SECTOR;

	for (u64 sector = first; sector <= last; sector++) {
		if (!is_damaged(range->inode, sector))
			continue;
		sendcp_error_clear(error);
		error->reason = reason;
		error->err = error_number;
		return error_number;
	}
	return sound->read_file(host, range, buffer, error);
}

/* Reads of the device fail, too. */
static bool dead;

static int read_device(void *host, struct sendcp_io *ios, unsigned int count)
{
	if (!dead)
		return sound->read(host, ios, count);
	for (unsigned int i = 0; i < count; i++)
		ios[i].result = -EIO;
	return 0;
}

static void damage(enum sendcp_reason why, int err, u32 one_of)
{
	reason = why;
	error_number = err;
	every = one_of;
}

static int setup(void **state)
{
	struct sending *sending;

	if (sending_setup_tiny(state))
		return -1;
	sending = *state;
	sound = sending->host.host.ops;
	rotten = *sound;
	rotten.read_file = read_file;
	rotten.read = read_device;
	sending->host.host.ops = &rotten;
	return 0;
}

/* A command taken apart, as far as contents go. */
struct piece {
	u16 command;
	bool mark;
	const u8 *path;
	u32 path_length;
	u64 offset;
	u64 size;
	const u8 *data;
};

static bool parse(const u8 *at, u32 protocol, u32 *length, struct piece *piece)
{
	u32 end = sendcp_get_le32(at) + SENDCP_COMMAND_HEADER_SIZE;
	u32 here = SENDCP_COMMAND_HEADER_SIZE;

	*length = end;
	*piece = (struct piece){ .command = sendcp_get_le16(at + 4) };
	while (here < end) {
		u16 type = sendcp_get_le16(at + here);
		bool bare = type == SENDCP_A_DATA && protocol > 1;
		u32 size = bare ? end - here - 2 : sendcp_get_le16(at + here + 2);
		const u8 *value = at + here + (bare ? 2 : 4);

		if (type == SENDCP_A_PATH) {
			piece->path = value;
			piece->path_length = size;
		} else if (type == SENDCP_A_FILE_OFFSET) {
			piece->offset = sendcp_get_le64(value);
		} else if (type == SENDCP_A_SIZE) {
			piece->size = sendcp_get_le64(value);
		} else if (type == SENDCP_A_DATA) {
			piece->data = value;
			piece->size = size;
		} else if (type == SENDCP_A_XATTR_NAME) {
			piece->mark = size == sizeof(SENDCP_MARK_NAME) - 1 &&
				      !memcmp(value, SENDCP_MARK_NAME, size);
		}
		here += (bare ? 2 : 4) + size;
	}
	assert_int_equal(here, end);
	return piece->command == SENDCP_C_WRITE ||
	       (piece->command == SENDCP_C_UPDATE_EXTENT && piece->mark);
}

/* Finds the WRITE in @stream that has byte @offset of the file of @like; NULL: none. */
static const u8 *written(const struct bytes *stream, u32 protocol, const struct piece *like,
			 u64 offset)
{
	size_t at = SENDCP_STREAM_HEADER_SIZE;
	const u8 *found = NULL;
	struct piece piece;
	u32 length;

	for (; at < stream->size; at += length) {
		if (!parse(stream->data + at, protocol, &length, &piece) ||
		    piece.command != SENDCP_C_WRITE || piece.path_length != like->path_length ||
		    memcmp(piece.path, like->path, like->path_length))
			continue;
		if (piece.offset <= offset && offset - piece.offset < piece.size)
			found = piece.data + (offset - piece.offset);
	}
	return found;
}

/* What is written is as in @whole, if that has it: it may clone what is damaged. */
static void check_write(const struct bytes *whole, u32 protocol, const struct piece *piece,
			bool zero)
{
	for (u64 i = 0; i < piece->size; i += SECTOR / 2) {
		const u8 *sound_byte = written(whole, protocol, piece, piece->offset + i);

		if (sound_byte && !(zero && !piece->data[i]))
			assert_int_equal(piece->data[i], *sound_byte);
	}
}

/* What is marked has zeros, or nothing. */
static void check_mark(const struct bytes *stream, u32 protocol, const struct piece *piece,
		       bool zero)
{
	assert_true(piece->size > 0);
	for (u64 i = 0; i < piece->size; i += SECTOR / 2) {
		const u8 *here = written(stream, protocol, piece, piece->offset + i);

		if (!zero) {
			assert_null(here);
			continue;
		}
		assert_non_null(here);
		assert_int_equal(*here, 0);
	}
}

static void check_contents(const struct bytes *whole, const struct bytes *stream, u32 protocol,
			   bool zero, u32 *marks)
{
	size_t at = SENDCP_STREAM_HEADER_SIZE;
	struct piece piece;
	u32 length;

	*marks = 0;
	for (; at < stream->size; at += length) {
		if (!parse(stream->data + at, protocol, &length, &piece))
			continue;
		if (piece.command == SENDCP_C_WRITE) {
			check_write(whole, protocol, &piece, zero);
			continue;
		}
		++*marks;
		check_mark(stream, protocol, &piece, zero);
	}
}

/* The marks' and the WRITEs' bytes together are all that is written without damage. */
static u64 total(const struct bytes *stream, u32 protocol, bool zero)
{
	size_t at = SENDCP_STREAM_HEADER_SIZE;
	struct piece piece;
	u64 bytes = 0;
	u32 length;

	for (; at < stream->size; at += length)
		if (parse(stream->data + at, protocol, &length, &piece) &&
		    (piece.command == SENDCP_C_WRITE || !zero))
			bytes += piece.size;
	return bytes;
}

static void made(const struct sending *sending, u32 protocol, u32 flags, struct bytes *stream)
{
	struct sendcp_request request = request_of(protocol, flags);

	whole_stream(sending, &request, stream);
}

static void without_damage_nothing_differs(void **state)
{
	for (u32 protocol = 1; protocol <= 2; protocol++) {
		struct bytes fail = { 0 }, zero = { 0 }, skip = { 0 };

		damage(SENDCP_ERR_DATA_CSUM, -EIO, 0);
		made(*state, protocol, 0, &fail);
		made(*state, protocol, SENDCP_SEND_DATA_ZERO, &zero);
		made(*state, protocol, SENDCP_SEND_DATA_SKIP, &skip);
		assert_bytes_equal(&fail, &zero);
		assert_bytes_equal(&fail, &skip);
		bytes_free(&fail);
		bytes_free(&zero);
		bytes_free(&skip);
	}
}

static void damage_is_replaced_and_marked(void **state)
{
	static const u32 rarities[] = { 1, 2, 3, 7 };

	for (u32 i = 0; i < 4 * ARRAY_SIZE(rarities); i++) {
		u32 protocol = 1 + i % 2;
		bool zero = i / 2 % 2;
		u32 flag = zero ? SENDCP_SEND_DATA_ZERO : SENDCP_SEND_DATA_SKIP;
		struct bytes whole = { 0 }, stream = { 0 };
		u32 marks;

		damage(SENDCP_ERR_DATA_CSUM, -EIO, 0);
		made(*state, protocol, 0, &whole);
		damage(SENDCP_ERR_DATA_CSUM, -EIO, rarities[i / 4]);
		made(*state, protocol, flag, &stream);
		check_contents(&whole, &stream, protocol, zero, &marks);
		assert_true(marks > 3);
		assert_true(total(&stream, protocol, zero) >= total(&whole, protocol, zero));
		bytes_free(&whole);
		bytes_free(&stream);
	}
}

/* A fresh engine after every command; every checkpoint is what the engine before made. */
static void step_through(const struct sending *sending, const struct sendcp_request *request,
			 struct bytes *stream)
{
	struct sendcp_engine *engine = open_engine(sending, request);
	struct bytes checkpoint = { 0 }, again = { 0 };
	bool end = false;

	while (!end) {
		assert_int_equal(fill_once(engine, sendcp_buffer_min(request->protocol),
					   SENDCP_FILL_ONE_COMMAND, stream, &end), 0);
		take_checkpoint(engine, &checkpoint);
		sendcp_engine_close(engine);
		engine = rearmed_engine(sending, request, &checkpoint);
		take_checkpoint(engine, &again);
		assert_bytes_equal(&checkpoint, &again);
	}
	sendcp_engine_close(engine);
	bytes_free(&checkpoint);
	bytes_free(&again);
}

static void the_same_however_it_is_cut(void **state)
{
	const struct sending *sending = *state;

	damage(SENDCP_ERR_DATA_CSUM, -EIO, 3);
	for (u32 i = 0; i < 2 * sending->request_count; i++) {
		struct sendcp_request request = sending->requests[i / 2];
		struct bytes whole = { 0 }, stream = { 0 };
		struct sendcp_engine *engine;

		request.flags |= i % 2 ? SENDCP_SEND_DATA_ZERO : SENDCP_SEND_DATA_SKIP;
		whole_stream(sending, &request, &whole);
		step_through(sending, &request, &stream);
		assert_bytes_equal(&whole, &stream);
		for (u32 more = 0; more < 3; more++) {
			stream.size = 0;
			engine = open_engine(sending, &request);
			fill_to_end(engine, sendcp_buffer_min(request.protocol) + more * 5003, 0,
				    &stream);
			assert_bytes_equal(&whole, &stream);
			sendcp_engine_close(engine);
		}
		bytes_free(&whole);
		bytes_free(&stream);
	}
}

/* WRITEs that are split hold the same data and marks, in pieces. */
static void split_writes_hold_the_same(void **state)
{
	static const size_t sizes[] = { 3100, 4150, 5000, 8191, 49000 };

	damage(SENDCP_ERR_DATA_CSUM, -EIO, 3);
	for (u32 i = 0; i < 4 * ARRAY_SIZE(sizes); i++) {
		bool zero = i / 2 % 2;
		struct sendcp_request request = request_of(1 + i % 2, zero ? SENDCP_SEND_DATA_ZERO :
							   SENDCP_SEND_DATA_SKIP);
		struct sendcp_engine *engine = open_engine(*state, &request);
		struct bytes whole = { 0 }, stream = { 0 };
		u32 marks;

		whole_stream(*state, &request, &whole);
		fill_to_end(engine, sizes[i / 4], SENDCP_FILL_SPLIT_WRITES, &stream);
		assert_int_equal(total(&whole, request.protocol, zero),
				 total(&stream, request.protocol, zero));
		check_contents(&stream, &stream, request.protocol, zero, &marks);
		sendcp_engine_close(engine);
		bytes_free(&whole);
		bytes_free(&stream);
	}
}

/* An interruption at any question whether to stop loses nothing and changes nothing. */
static void interrupted_anywhere(void **state)
{
	struct sending *sending = *state;
	struct sendcp_request request = request_of(1, SENDCP_SEND_DATA_ZERO);
	struct bytes whole = { 0 };
	bool struck = true;

	damage(SENDCP_ERR_DATA_CSUM, -EIO, 3);
	whole_stream(sending, &request, &whole);
	for (u64 calls = 0; struck; calls += 11) {
		struct sendcp_engine *engine = open_engine(sending, &request);
		struct bytes stream = { 0 };
		bool end = false;
		int err;

		sending->host.interrupt = calls;
		while (!end) {
			err = fill_once(engine, sendcp_buffer_min(1), 0, &stream, &end);
			assert_true(!err || err == -EINTR);
		}
		struck = sending->host.interrupt == NEVER;
		sending->host.interrupt = NEVER;
		assert_bytes_equal(&whole, &stream);
		sendcp_engine_close(engine);
		bytes_free(&stream);
	}
	bytes_free(&whole);
}

/* What the failures are that are damage: of checksums, of compressed data, of a medium. */
static void only_damage_is_replaced(void **state)
{
	static const struct {
		enum sendcp_reason reason;
		int err;
		bool replaced;
	} cases[] = {
		{ SENDCP_ERR_DATA_CSUM, -EIO, true },
		{ SENDCP_ERR_DATA_DECOMPRESS, -EIO, true },
		{ SENDCP_ERR_DATA_READ, -EIO, true },
		{ SENDCP_ERR_DATA_READ, -ENODATA, true },
		{ SENDCP_ERR_DATA_READ, -ENODEV, false },
		{ SENDCP_ERR_DATA_READ, -ENXIO, false },
		{ SENDCP_ERR_DATA_READ, -ETIMEDOUT, false },
		{ SENDCP_ERR_NODE_CSUM, -EUCLEAN, false },
		{ SENDCP_ERR_ITEM_FORMAT, -EUCLEAN, false },
		{ SENDCP_ERR_NO_MEMORY, -ENOMEM, false },
		{ SENDCP_ERR_CHUNK_UNMAPPED, -EUCLEAN, false },
	};

	for (u32 i = 0; i < 2 * ARRAY_SIZE(cases); i++) {
		struct sendcp_request request = request_of(1, i % 2 ? SENDCP_SEND_DATA_ZERO :
							      SENDCP_SEND_DATA_SKIP);
		struct sendcp_engine *engine = open_engine(*state, &request);
		struct bytes stream = { 0 };
		bool end = false;
		int err = 0;

		damage(cases[i / 2].reason, cases[i / 2].err, 5);
		while (!end && !err)
			err = fill_once(engine, sendcp_buffer_min(1), 0, &stream, &end);
		assert_int_equal(err, cases[i / 2].replaced ? 0 : cases[i / 2].err);
		if (err)
			assert_int_equal(sendcp_engine_error(engine)->reason, cases[i / 2].reason);
		sendcp_engine_close(engine);
		bytes_free(&stream);
	}
}

/* One that is gone may say EIO of each sector: no zeros are made of that. */
static void a_device_that_is_gone_is_no_damage(void **state)
{
	struct sendcp_request request = request_of(1, SENDCP_SEND_DATA_ZERO);
	struct sendcp_engine *engine = open_engine(*state, &request);
	struct bytes stream = { 0 };
	bool end = false;
	int err = 0;

	/* Until the tree blocks are there that the next steps need. */
	damage(SENDCP_ERR_DATA_READ, -EIO, 0);
	while (stream.size < 2000)
		assert_int_equal(fill_once(engine, sendcp_buffer_min(1), SENDCP_FILL_ONE_COMMAND,
					   &stream, &end), 0);
	damage(SENDCP_ERR_DATA_READ, -EIO, 1);
	dead = true;
	while (!err && !end)
		err = fill_once(engine, sendcp_buffer_min(1), 0, &stream, &end);
	dead = false;
	assert_int_equal(err, -EIO);
	assert_int_equal(sendcp_engine_error(engine)->reason, SENDCP_ERR_DATA_READ);
	for (size_t i = 0; i + 20 < stream.size; i++)
		assert_memory_not_equal(stream.data + i, SENDCP_MARK_NAME,
					sizeof(SENDCP_MARK_NAME) - 1);
	sendcp_engine_close(engine);
	bytes_free(&stream);
}

static void the_two_exclude_each_other(void **state)
{
	struct sendcp_request request = request_of(1, SENDCP_SEND_DATA_ZERO |
						      SENDCP_SEND_DATA_SKIP);
	const struct sending *sending = *state;
	struct sendcp_engine *engine;
	struct sendcp_error error;

	assert_int_equal(sendcp_engine_open(sending->volume, &request, &engine, &error), -EINVAL);
	assert_int_equal(error.reason, SENDCP_ERR_FLAGS);
}

/* A checkpoint of one way is none of another. */
static void checkpoints_have_the_way(void **state)
{
	static const u32 ways[] = { 0, SENDCP_SEND_DATA_ZERO, SENDCP_SEND_DATA_SKIP };
	struct bytes checkpoint = { 0 }, stream = { 0 };

	damage(SENDCP_ERR_DATA_CSUM, -EIO, 0);
	for (u32 i = 0; i < 9; i++) {
		struct sendcp_request first = request_of(1, ways[i / 3]);
		struct sendcp_request second = request_of(1, ways[i % 3]);
		struct sendcp_engine *engine = open_engine(*state, &first);
		bool end;

		assert_int_equal(fill_once(engine, sendcp_buffer_min(1), 0, &stream, &end), 0);
		take_checkpoint(engine, &checkpoint);
		sendcp_engine_close(engine);
		engine = open_engine(*state, &second);
		assert_int_equal(sendcp_engine_rearm(engine, checkpoint.data, checkpoint.size),
				 i / 3 == i % 3 ? 0 : -ESTALE);
		sendcp_engine_close(engine);
	}
	bytes_free(&checkpoint);
	bytes_free(&stream);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_damage_nothing_differs),
		cmocka_unit_test(damage_is_replaced_and_marked),
		cmocka_unit_test(the_same_however_it_is_cut),
		cmocka_unit_test(split_writes_hold_the_same),
		cmocka_unit_test(interrupted_anywhere),
		cmocka_unit_test(only_damage_is_replaced),
		cmocka_unit_test(a_device_that_is_gone_is_no_damage),
		cmocka_unit_test(the_two_exclude_each_other),
		cmocka_unit_test(checkpoints_have_the_way),
	};

	return cmocka_run_group_tests(tests, setup, sending_teardown);
}
