// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Checkpoints that are damaged, foreign or forged, and requests that cannot be served.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "send/checkpoint.h"
#include "send/engine_private.h"
#include "sending.h"

#define HEADER(field) offsetof(struct sendcp_checkpoint_header, field)
#define PIN(field) (sizeof(struct sendcp_checkpoint_header) + \
		    offsetof(struct sendcp_checkpoint_pin, field))

/* A checkpoint from somewhere inside @request's stream, after @commands commands. */
static void checkpoint_in(const struct sending *sending, const struct sendcp_request *request,
			  u32 commands, struct bytes *checkpoint)
{
	size_t size = sendcp_buffer_min(request->protocol);
	struct sendcp_engine *engine = open_engine(sending, request);
	struct bytes stream = { 0 };
	bool end;

	while (commands--)
		assert_int_equal(fill_once(engine, size, SENDCP_FILL_ONE_COMMAND, &stream, &end),
				 0);
	take_checkpoint(engine, checkpoint);
	sendcp_engine_close(engine);
	bytes_free(&stream);
}

static void checkpoint_behind(const struct sending *sending, u32 commands,
			      struct bytes *checkpoint)
{
	checkpoint_in(sending, &sending->requests[0], commands, checkpoint);
}

static void rearm_fails(struct sendcp_engine *engine, const struct bytes *checkpoint, int err,
			enum sendcp_reason reason)
{
	assert_int_equal(sendcp_engine_rearm(engine, checkpoint->data, checkpoint->size), err);
	assert_int_equal(sendcp_engine_error(engine)->reason, reason);
}

static void every_flipped_byte_is_noticed(void **state)
{
	struct sendcp_request request = request_of(1, 0);
	struct sendcp_engine *engine = open_engine(*state, &request);
	struct bytes checkpoint = { 0 };
	struct sendcp_checkpoint_info info;
	struct sendcp_error error;
	size_t i;

	checkpoint_behind(*state, 300, &checkpoint);
	for (i = 0; i < checkpoint.size; i++) {
		checkpoint.data[i] ^= (u8)(1 + i % 255);
		assert_int_equal(sendcp_engine_rearm(engine, checkpoint.data, checkpoint.size),
				 -EILSEQ);
		assert_int_equal(sendcp_checkpoint_info(checkpoint.data, checkpoint.size, &info,
							&error), -EILSEQ);
		checkpoint.data[i] ^= (u8)(1 + i % 255);
	}
	assert_int_equal(sendcp_engine_rearm(engine, checkpoint.data, checkpoint.size), 0);
	sendcp_engine_close(engine);
	bytes_free(&checkpoint);
}

static void every_shorter_checkpoint_is_noticed(void **state)
{
	struct sendcp_request request = request_of(1, 0);
	struct sendcp_engine *engine = open_engine(*state, &request);
	struct bytes checkpoint = { 0 };
	size_t size;

	checkpoint_behind(*state, 100, &checkpoint);
	for (size = 0; size < checkpoint.size; size++) {
		u8 *copy = test_malloc(size + !size);

		memcpy(copy, checkpoint.data, size);
		assert_int_equal(sendcp_engine_rearm(engine, copy, size), -EILSEQ);
		/* Even when it says so itself. */
		if (size >= sizeof(struct sendcp_checkpoint_header)) {
			sendcp_put_le32(copy + HEADER(size), (u32)size);
			sendcp_checkpoint_sign(copy, size);
			assert_int_equal(sendcp_engine_rearm(engine, copy, size), -EILSEQ);
		}
		test_free(copy);
	}
	sendcp_engine_close(engine);
	bytes_free(&checkpoint);
}

/* Over all checkpoints of @request, one before each command. */
static u32 crc_of_checkpoints(const struct sending *sending, const struct sendcp_request *request)
{
	struct sendcp_engine *engine = open_engine(sending, request);
	struct bytes checkpoint = { 0 }, stream = { 0 };
	bool end = false;
	u32 crc = ~0u;

	while (!end) {
		checkpoint.size = 0;
		take_checkpoint(engine, &checkpoint);
		crc = sendcp_crc32c(crc, checkpoint.data, checkpoint.size);
		assert_int_equal(fill_once(engine, sendcp_buffer_min(request->protocol),
					   SENDCP_FILL_ONE_COMMAND, &stream, &end), 0);
	}
	sendcp_engine_close(engine);
	bytes_free(&checkpoint);
	bytes_free(&stream);
	return crc;
}

static void checkpoints_are(const struct sending *sending, const u32 *crcs, u32 count)
{
	u32 i;

	assert_int_equal(sending->request_count, count);
	for (i = 0; i < count; i++)
		assert_int_equal(crc_of_checkpoints(sending, &sending->requests[i]), crcs[i]);
}

/*
 * A send may be resumed by a newer sendcp than it was begun with. So what is written where changes
 * with SENDCP_CHECKPOINT_FORMAT_VERSION only, what is decided with SENDCP_COMPAT_KERNEL only; then,
 * and when the images are made anew, these numbers are others.
 */
static void full_checkpoints_keep_their_bytes(void **state)
{
	static const u32 crcs[] = {
		0xde746ab1, 0x61b45c9b, 0xc013866f, 0x26c969ce, 0xc290c315, 0x8cd28ceb, 0x665cd061,
	};

	checkpoints_are(*state, crcs, ARRAY_SIZE(crcs));
}

static void incremental_checkpoints_keep_their_bytes(void **state)
{
	static const u32 crcs[] = {
		0x0c477ed4, 0x0ddd3e09, 0xdb34afe9, 0x2284d57c, 0x74cff2a1,
	};

	checkpoints_are(*state, crcs, ARRAY_SIZE(crcs));
}

static void checkpoints_with_moves_keep_their_bytes(void **state)
{
	static const u32 crcs[] = { 0x59d076a6, 0xac081f6c };

	checkpoints_are(*state, crcs, ARRAY_SIZE(crcs));
}

/* Continues for a while from a forged checkpoint, if it was taken. */
static void try_forged(struct sendcp_engine *engine, const struct bytes *checkpoint)
{
	struct bytes stream = { 0 };
	bool end = false;
	int calls;

	if (!sendcp_engine_rearm(engine, checkpoint->data, checkpoint->size)) {
		for (calls = 0; calls < 20 && !end; calls++)
			if (fill_once(engine, sendcp_buffer_min(1), 0, &stream, &end))
				break;
	}
	bytes_free(&stream);
}

/* Any answer is right, as long as the engine lives on. */
static void forged_checkpoints_do_no_harm(void **state)
{
	static const u32 places[] = { 0, 1, 20, 100, 180, 240, 300 };
	const struct sending *sending = *state;
	struct sendcp_engine *engine = open_engine(sending, &sending->requests[0]);
	struct bytes checkpoint = { 0 }, whole = { 0 }, stream = { 0 };
	size_t p, i;

	for (p = 0; p < ARRAY_SIZE(places); p++) {
		checkpoint_behind(sending, places[p], &checkpoint);
		for (i = HEADER(version); i < checkpoint.size; i++) {
			u8 was = checkpoint.data[i];

			checkpoint.data[i] = (u8)(i % 2 ? was + 1 : 0xff - was);
			sendcp_checkpoint_sign(checkpoint.data, checkpoint.size);
			try_forged(engine, &checkpoint);
			checkpoint.data[i] = was;
		}
	}
	checkpoint_behind(sending, 0, &checkpoint);
	assert_int_equal(sendcp_engine_rearm(engine, checkpoint.data, checkpoint.size), 0);
	fill_to_end(engine, sendcp_buffer_min(1), 0, &stream);
	whole_stream(sending, &sending->requests[0], &whole);
	assert_bytes_equal(&whole, &stream);
	sendcp_engine_close(engine);
	bytes_free(&checkpoint);
	bytes_free(&whole);
	bytes_free(&stream);
}

/* Each field of the position that a step could trip over, with every value of one byte. */
static void forged_positions_do_no_harm(void **state)
{
	static const u32 places[] = { 20, 120, 250 };
	const struct sending *sending = *state;
	struct sendcp_engine *engine = open_engine(sending, &sending->requests[0]);
	struct bytes checkpoint = { 0 };
	size_t start, p, i;
	u32 value;

	start = sizeof(struct sendcp_checkpoint_header) +
		(sending->requests[0].clone_count + 1 + !!sending->requests[0].parent) *
		sizeof(struct sendcp_checkpoint_pin);
	for (p = 0; p < ARRAY_SIZE(places); p++) {
		checkpoint_behind(sending, places[p], &checkpoint);
		for (i = 0; i < offsetof(struct sendcp_checkpoint_state, key); i++) {
			u8 was = checkpoint.data[start + i];

			for (value = 0; value < 256; value++) {
				checkpoint.data[start + i] = (u8)value;
				sendcp_checkpoint_sign(checkpoint.data, checkpoint.size);
				try_forged(engine, &checkpoint);
			}
			checkpoint.data[start + i] = was;
		}
	}
	sendcp_engine_close(engine);
	bytes_free(&checkpoint);
}

/* Commands that make an inode, in a stream that begins in the middle. */
static u32 count_creations(const struct bytes *stream)
{
	u32 count = 0;
	u16 command;
	size_t at;

	for (at = 0; at < stream->size; at += SENDCP_COMMAND_HEADER_SIZE +
	     sendcp_get_le32(stream->data + at)) {
		assert_true(stream->size - at >= SENDCP_COMMAND_HEADER_SIZE);
		command = sendcp_get_le16(stream->data + at +
					  offsetof(struct sendcp_command_header, command));
		count += command >= SENDCP_C_MKFILE && command <= SENDCP_C_SYMLINK;
	}
	return count;
}

/* No key is after it: the stream ends there, and does not begin again with the smallest key. */
static void nothing_is_after_the_last_key(void **state)
{
	static const u32 places[] = { 20, 120, 300, 700 };
	const struct sending *sending = *state;
	struct sendcp_engine *engine = open_engine(sending, &sending->requests[0]);
	struct bytes checkpoint = { 0 }, stream = { 0 };
	struct sendcp_checkpoint_state *position;
	u32 i, tried = 0;

	for (i = 0; i < ARRAY_SIZE(places); i++) {
		checkpoint.size = 0;
		checkpoint_behind(sending, places[i], &checkpoint);
		position = (void *)(checkpoint.data + sizeof(struct sendcp_checkpoint_header) +
				    sizeof(struct sendcp_checkpoint_pin));
		if (position->phase != SENDCP_PHASE_CHANGE)
			continue;
		tried++;
		memset(&position->key, 0xff, sizeof(position->key));
		sendcp_checkpoint_sign(checkpoint.data, checkpoint.size);
		assert_int_equal(sendcp_engine_rearm(engine, checkpoint.data, checkpoint.size), 0);
		stream.size = 0;
		fill_to_end(engine, sendcp_buffer_min(1), 0, &stream);
		assert_int_equal(count_creations(&stream), 0);
	}
	assert_true(tried > 0);
	sendcp_engine_close(engine);
	bytes_free(&checkpoint);
	bytes_free(&stream);
}

/* Offset of the number of delayed moves. */
static size_t moves_at(const struct bytes *checkpoint, u32 pins)
{
	size_t at = sizeof(struct sendcp_checkpoint_header) +
		    pins * sizeof(struct sendcp_checkpoint_pin) +
			    sizeof(struct sendcp_checkpoint_state);

	at += sizeof(u16) + sendcp_get_le16(checkpoint->data + at);
	return at + sizeof(u32) + sendcp_get_le32(checkpoint->data + at) * 2 * sizeof(u64);
}

/* @checkpoint with @count more moves, of directories from @first on; the last is @last's. */
static void with_moves(const struct bytes *checkpoint, size_t at, u32 count, u64 first, u64 last,
		       struct bytes *forged)
{
	struct sendcp_checkpoint_move move = { .blocked_on = cpu_to_le64(~0ULL) };
	u32 i;

	forged->size = 0;
	bytes_append(forged, checkpoint->data, at + sizeof(u32));
	for (i = 0; i < count; i++) {
		move.ino = cpu_to_le64(i + 1 == count ? last : first + i);
		bytes_append(forged, &move, sizeof(move));
	}
	bytes_append(forged, checkpoint->data + at + sizeof(u32),
		     checkpoint->size - at - sizeof(u32));
	sendcp_put_le32(forged->data + at, sendcp_get_le32(checkpoint->data + at) + count);
	sendcp_put_le32(forged->data + HEADER(size), (u32)forged->size);
	sendcp_checkpoint_sign(forged->data, forged->size);
}

/*
 * As many moves as checkpoints may have to hold, and none of them twice. Comparing each with all
 * others would take minutes.
 */
static void very_many_moves_are_taken(void **state)
{
	const struct sending *sending = *state;
	const struct sendcp_request *request = &sending->requests[0];
	struct sendcp_engine *engine = open_engine(sending, request);
	struct bytes checkpoint = { 0 }, forged = { 0 }, again = { 0 };
	u64 first = 1ULL << 40;
	size_t at;

	checkpoint_behind(sending, 20, &checkpoint);
	at = moves_at(&checkpoint, request->clone_count + 1 + !!request->parent);
	with_moves(&checkpoint, at, 1000000, first, first - 1, &forged);
	assert_int_equal(sendcp_engine_rearm(engine, forged.data, forged.size), 0);
	take_checkpoint(engine, &again);
	assert_bytes_equal(&forged, &again);
	with_moves(&checkpoint, at, 1000000, first, first + 500000, &forged);
	rearm_fails(engine, &forged, -EILSEQ, SENDCP_ERR_CHECKPOINT_FORMAT);
	sendcp_engine_close(engine);
	bytes_free(&checkpoint);
	bytes_free(&forged);
	bytes_free(&again);
}

/* Offset of the queue's length in a full send's checkpoint: no moves, no deferred removals. */
static size_t queue_at(const struct bytes *checkpoint)
{
	size_t at = moves_at(checkpoint, 1) + 2 * sizeof(u32) +
		    sizeof(struct sendcp_checkpoint_range);

	return at + sizeof(u32) + sendcp_get_le32(checkpoint->data + at) * sizeof(u64);
}

/* @checkpoint with one command of @length known bytes in its queue, and @payload. */
static void with_command(const struct bytes *checkpoint, u32 length,
			 const struct sendcp_checkpoint_payload *payload, struct bytes *forged)
{
	u32 total = length + le32_to_cpu(payload->length);
	u8 *command = calloc(1, sizeof(u32) + length);
	size_t at = queue_at(checkpoint);
	u8 size[4];

	assert_non_null(command);
	sendcp_put_le32(command, length);
	sendcp_put_le32(command + sizeof(u32), total - SENDCP_COMMAND_HEADER_SIZE);
	sendcp_put_le32(size, (u32)sizeof(u32) + length);
	forged->size = 0;
	bytes_append(forged, checkpoint->data, at);
	bytes_append(forged, size, sizeof(size));
	bytes_append(forged, command, sizeof(u32) + length);
	bytes_append(forged, payload, sizeof(*payload));
	sendcp_put_le32(forged->data + HEADER(size), (u32)forged->size);
	sendcp_checkpoint_sign(forged->data, forged->size);
	free(command);
}

/* Buffers of sendcp_buffer_min() bytes have to be large enough for any command. */
static void no_command_is_larger_than_a_buffer(void **state)
{
	static const struct sendcp_checkpoint_payload none;
	struct sendcp_checkpoint_payload zeros = { .kind = SENDCP_PAYLOAD_ZEROS };
	const struct sending *sending = *state;
	struct bytes checkpoint = { 0 }, forged = { 0 };
	u32 protocol;

	for (protocol = SENDCP_PROTOCOL_MIN; protocol <= SENDCP_PROTOCOL_MAX; protocol++) {
		struct sendcp_request request = request_of(protocol, 0);
		struct sendcp_engine *engine = open_engine(sending, &request);
		u32 most = (u32)sendcp_buffer_min(protocol), length, known;
		u8 *head = malloc(most);
		bool end;

		checkpoint.size = 0;
		checkpoint_in(sending, &request, 300, &checkpoint);
		with_command(&checkpoint, most, &none, &forged);
		assert_int_equal(sendcp_engine_rearm(engine, forged.data, forged.size), 0);
		assert_int_equal(sendcp_engine_skip_command(engine, head, most, &known, &length,
							    &end), 0);
		assert_int_equal(known, most);
		with_command(&checkpoint, most + 1, &none, &forged);
		rearm_fails(engine, &forged, -EILSEQ, SENDCP_ERR_CHECKPOINT_FORMAT);
		zeros.length = cpu_to_le32(4096);
		with_command(&checkpoint, most - 4096, &zeros, &forged);
		assert_int_equal(sendcp_engine_rearm(engine, forged.data, forged.size), 0);
		with_command(&checkpoint, most - 4095, &zeros, &forged);
		rearm_fails(engine, &forged, -EILSEQ, SENDCP_ERR_CHECKPOINT_FORMAT);
		sendcp_engine_close(engine);
		free(head);
	}
	bytes_free(&checkpoint);
	bytes_free(&forged);
}

/* The place where they wait is looked up in the parent, which is not there. */
static void a_full_send_has_no_delayed_moves(void **state)
{
	const struct sending *sending = *state;
	const struct sendcp_request *request = &sending->requests[0];
	struct sendcp_engine *engine = open_engine(sending, request);
	struct bytes checkpoint = { 0 }, forged = { 0 };
	u32 commands;

	for (commands = 0; commands <= 300; commands += 100) {
		checkpoint.size = 0;
		checkpoint_behind(sending, commands, &checkpoint);
		with_moves(&checkpoint, moves_at(&checkpoint, request->clone_count + 1), 1, 257,
			   257, &forged);
		rearm_fails(engine, &forged, -EILSEQ, SENDCP_ERR_CHECKPOINT_FORMAT);
	}
	sendcp_engine_close(engine);
	bytes_free(&checkpoint);
	bytes_free(&forged);
}

/* Headers and pins of another send, and how they are refused. */
static void other_sends_are_told_apart(void **state)
{
	static const struct {
		size_t offset;
		int err;
		enum sendcp_reason reason;
	} rows[] = {
		{ HEADER(magic), -EILSEQ, SENDCP_ERR_CHECKPOINT_FORMAT },
		{ HEADER(version), -EILSEQ, SENDCP_ERR_CHECKPOINT_VERSION },
		{ HEADER(size), -EILSEQ, SENDCP_ERR_CHECKPOINT_FORMAT },
		{ HEADER(compat_kernel), -EILSEQ, SENDCP_ERR_CHECKPOINT_VERSION },
		{ HEADER(protocol), -ESTALE, SENDCP_ERR_CHECKPOINT_REQUEST },
		{ HEADER(flags), -ESTALE, SENDCP_ERR_CHECKPOINT_REQUEST },
		{ HEADER(fsid), -ESTALE, SENDCP_ERR_FILESYSTEM_OTHER },
		{ HEADER(root_count), -ESTALE, SENDCP_ERR_CHECKPOINT_REQUEST },
		{ HEADER(subvolume), -ESTALE, SENDCP_ERR_SUBVOLUME_REPLACED },
		{ HEADER(parent), -ESTALE, SENDCP_ERR_CHECKPOINT_REQUEST },
		{ PIN(uuid), -ESTALE, SENDCP_ERR_SUBVOLUME_REPLACED },
		{ PIN(ctransid), -ESTALE, SENDCP_ERR_SUBVOLUME_CHANGED },
	};
	struct sendcp_request request = request_of(1, 0);
	struct sendcp_engine *engine = open_engine(*state, &request);
	struct bytes checkpoint = { 0 }, before = { 0 }, after = { 0 };
	size_t i;

	checkpoint_behind(*state, 50, &checkpoint);
	take_checkpoint(engine, &before);
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		checkpoint.data[rows[i].offset]++;
		sendcp_checkpoint_sign(checkpoint.data, checkpoint.size);
		rearm_fails(engine, &checkpoint, rows[i].err, rows[i].reason);
		checkpoint.data[rows[i].offset]--;
	}
	/* After a failure the engine is where it was. */
	take_checkpoint(engine, &after);
	assert_bytes_equal(&before, &after);
	sendcp_engine_close(engine);
	bytes_free(&checkpoint);
	bytes_free(&before);
	bytes_free(&after);
}

static void other_requests_are_told_apart(void **state)
{
	static const u64 source = IMAGE_OLDER;
	static const struct {
		struct sendcp_request request;
		enum sendcp_reason reason;
	} rows[] = {
		{ { .protocol = 2, .subvolume = IMAGE_SNAP }, SENDCP_ERR_CHECKPOINT_REQUEST },
		{ { .protocol = 1, .flags = SENDCP_SEND_NO_FILE_DATA, .subvolume = IMAGE_SNAP },
		  SENDCP_ERR_CHECKPOINT_REQUEST },
		{ { .protocol = 1, .subvolume = IMAGE_OLDER }, SENDCP_ERR_SUBVOLUME_REPLACED },
		{ { .protocol = 1, .subvolume = IMAGE_SNAP, .clone_sources = &source,
		    .clone_count = 1 }, SENDCP_ERR_CHECKPOINT_REQUEST },
	};
	struct bytes checkpoint = { 0 };
	size_t i;

	checkpoint_behind(*state, 50, &checkpoint);
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		struct sendcp_engine *engine = open_engine(*state, &rows[i].request);

		rearm_fails(engine, &checkpoint, -ESTALE, rows[i].reason);
		sendcp_engine_close(engine);
	}
	bytes_free(&checkpoint);
}

static void impossible_requests_are_refused(void **state)
{
	static const u64 missing = 4711;
	static const struct {
		struct sendcp_request request;
		int err;
		enum sendcp_reason reason;
	} rows[] = {
		{ { .protocol = 0, .subvolume = IMAGE_SNAP }, -EPROTO, SENDCP_ERR_PROTOCOL },
		{ { .protocol = 3, .subvolume = IMAGE_SNAP }, -EPROTO, SENDCP_ERR_PROTOCOL },
		{ { .protocol = 1, .flags = 0x8000, .subvolume = IMAGE_SNAP }, -EINVAL,
		  SENDCP_ERR_FLAGS },
		{ { .protocol = 1, .flags = SENDCP_SEND_COMPRESSED, .subvolume = IMAGE_SNAP },
		  -EINVAL, SENDCP_ERR_FLAGS },
		{ { .protocol = 1, .subvolume = 4711 }, -ENOENT, SENDCP_ERR_SUBVOLUME_MISSING },
		{ { .protocol = 1, .subvolume = 0 }, -ENOENT, SENDCP_ERR_SUBVOLUME_MISSING },
		{ { .protocol = 1, .subvolume = 2 }, -ENOENT, SENDCP_ERR_SUBVOLUME_MISSING },
		{ { .protocol = 1, .subvolume = (u64)-9 }, -ENOENT, SENDCP_ERR_SUBVOLUME_MISSING },
		{ { .protocol = 1, .subvolume = IMAGE_BASE }, -EPERM,
		  SENDCP_ERR_SUBVOLUME_WRITABLE },
		{ { .protocol = 1, .subvolume = IMAGE_SNAP, .clone_sources = &missing,
		    .clone_count = 1 }, -ENOENT, SENDCP_ERR_SUBVOLUME_MISSING },
		{ { .protocol = 1, .subvolume = IMAGE_SNAP, .clone_sources = &missing,
		    .clone_count = ~0u }, -EINVAL, SENDCP_ERR_FLAGS },
	};
	struct sending *sending = *state;
	struct sendcp_engine *engine;
	struct sendcp_error error;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		assert_int_equal(sendcp_engine_open(sending->volume, &rows[i].request, &engine,
						    &error), rows[i].err);
		assert_null(engine);
		assert_int_equal(error.reason, rows[i].reason);
		assert_int_equal(error.err, rows[i].err);
	}
}

static void information_is_what_was_sent(void **state)
{
	static const u64 sources[] = { IMAGE_OLDER, IMAGE_BASE };
	struct sendcp_request request = {
		.protocol = 2,
		.flags = SENDCP_SEND_COMPRESSED | SENDCP_SEND_WRITABLE_OK,
		.subvolume = IMAGE_SNAP,
		.clone_sources = sources,
		.clone_count = ARRAY_SIZE(sources),
	};
	struct sendcp_engine *engine = open_engine(*state, &request);
	struct bytes checkpoint = { 0 }, stream = { 0 }, whole = { 0 };
	struct sendcp_checkpoint_info info;
	struct sendcp_error error;
	bool end;

	whole_stream(*state, &request, &whole);
	assert_int_equal(fill_once(engine, sendcp_buffer_min(2), 0, &stream, &end), 0);
	take_checkpoint(engine, &checkpoint);
	assert_int_equal(sendcp_checkpoint_info(checkpoint.data, checkpoint.size, &info, &error),
			 0);
	assert_int_equal(info.protocol, 2);
	assert_int_equal(info.flags & SENDCP_SEND_COMPRESSED, SENDCP_SEND_COMPRESSED);
	assert_int_equal(info.offset, stream.size);
	assert_int_equal(info.subvolume.id, IMAGE_SNAP);
	assert_int_equal(info.parent.id, 0);
	assert_int_equal(info.clone_count, ARRAY_SIZE(sources));
	/* Not even when only END is left. */
	while (stream.size < whole.size) {
		assert_false(info.end);
		assert_int_equal(fill_once(engine, sendcp_buffer_min(2), SENDCP_FILL_ONE_COMMAND,
					   &stream, &end), 0);
		take_checkpoint(engine, &checkpoint);
		assert_int_equal(sendcp_checkpoint_info(checkpoint.data, checkpoint.size, &info,
							&error), 0);
	}
	assert_int_equal(info.offset, stream.size);
	assert_true(info.end);
	sendcp_engine_close(engine);
	bytes_free(&checkpoint);
	bytes_free(&stream);
	bytes_free(&whole);
}

/* One that nobody could store is not made; the caller learns why. */
static void too_large_checkpoints_are_refused(void **state)
{
	struct sending *sending = *state;
	struct sendcp_engine *engine = open_engine(sending, &sending->requests[0]);
	struct bytes checkpoint = { 0 };
	size_t size;
	void *blob;
	u64 ino;

	for (ino = 1; ino <= SENDCP_CHECKPOINT_SIZE_MAX / (2 * sizeof(u64)); ino++)
		assert_int_equal(sendcp_inode_set_add(&engine->deferred.utimes, ino, 1), 0);
	assert_int_equal(sendcp_engine_checkpoint(engine, &blob, &size), -E2BIG);
	assert_null(blob);
	assert_int_equal(sendcp_engine_error(engine)->reason, SENDCP_ERR_CHECKPOINT_SIZE);
	sendcp_inode_set_clear(&engine->deferred.utimes);
	take_checkpoint(engine, &checkpoint);
	bytes_free(&checkpoint);
	sendcp_engine_close(engine);
}

/* The checkpoint before the first command of @request. */
static void first_information(struct sending *sending, const struct sendcp_request *request,
			      struct sendcp_checkpoint_info *info)
{
	struct sendcp_engine *engine = open_engine(sending, request);
	struct bytes checkpoint = { 0 };
	struct sendcp_error error;

	take_checkpoint(engine, &checkpoint);
	assert_int_equal(sendcp_checkpoint_info(checkpoint.data, checkpoint.size, info, &error), 0);
	sendcp_engine_close(engine);
	bytes_free(&checkpoint);
}

static void information_knows_the_parent(void **state)
{
	static const u64 others[] = { IMAGE_BASE }, both[] = { IMAGE_BASE, IMAGE_OLDER };
	const struct sendcp_request rows[] = {
		{ .protocol = 1, .subvolume = IMAGE_SNAP, .parent = IMAGE_OLDER,
		  .flags = SENDCP_SEND_WRITABLE_OK },
		{ .protocol = 1, .subvolume = IMAGE_SNAP, .parent = IMAGE_OLDER,
		  .flags = SENDCP_SEND_WRITABLE_OK,
		  .clone_sources = others, .clone_count = ARRAY_SIZE(others) },
		{ .protocol = 1, .subvolume = IMAGE_SNAP, .parent = IMAGE_OLDER,
		  .flags = SENDCP_SEND_WRITABLE_OK,
		  .clone_sources = both, .clone_count = ARRAY_SIZE(both) },
	};
	static const u8 none[sizeof(((struct sendcp_pin *)NULL)->uuid)];
	struct sendcp_checkpoint_info info;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		first_information(*state, &rows[i], &info);
		assert_int_equal(info.subvolume.id, IMAGE_SNAP);
		assert_int_equal(info.parent.id, IMAGE_OLDER);
		assert_memory_not_equal(info.parent.uuid, none, sizeof(none));
		assert_int_equal(info.clone_count, rows[i].clone_count);
	}
}

int main(void)
{
	const struct CMUnitTest full[] = {
		cmocka_unit_test(full_checkpoints_keep_their_bytes),
		cmocka_unit_test(every_flipped_byte_is_noticed),
		cmocka_unit_test(every_shorter_checkpoint_is_noticed),
		cmocka_unit_test(forged_checkpoints_do_no_harm),
		cmocka_unit_test(forged_positions_do_no_harm),
		cmocka_unit_test(nothing_is_after_the_last_key),
		cmocka_unit_test(no_command_is_larger_than_a_buffer),
		cmocka_unit_test(a_full_send_has_no_delayed_moves),
		cmocka_unit_test(other_sends_are_told_apart),
		cmocka_unit_test(other_requests_are_told_apart),
		cmocka_unit_test(impossible_requests_are_refused),
		cmocka_unit_test(information_is_what_was_sent),
		cmocka_unit_test(information_knows_the_parent),
		cmocka_unit_test(too_large_checkpoints_are_refused),
	};
	const struct CMUnitTest incremental[] = {
		cmocka_unit_test(incremental_checkpoints_keep_their_bytes),
		cmocka_unit_test(forged_checkpoints_do_no_harm),
		cmocka_unit_test(forged_positions_do_no_harm),
		cmocka_unit_test(very_many_moves_are_taken),
	};
	const struct CMUnitTest moving[] = {
		cmocka_unit_test(checkpoints_with_moves_keep_their_bytes),
	};
	int failed;

	failed = cmocka_run_group_tests(full, sending_setup_tiny, sending_teardown);
	failed += cmocka_run_group_tests(incremental, sending_setup_changes, sending_teardown);
	return failed + cmocka_run_group_tests(moving, sending_setup_moves, sending_teardown);
}
