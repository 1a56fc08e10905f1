// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Streams made from an image in memory, whole or piece by piece.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <sendcp/stream.h>

#include "sending.h"

#define WRITABLE SENDCP_SEND_WRITABLE_OK

static const u64 sources[] = { IMAGE_OLDER, IMAGE_BASE };

static const struct sendcp_request full_requests[] = {
	{ .protocol = 1, .subvolume = IMAGE_SNAP },
	{ .protocol = 2, .subvolume = IMAGE_SNAP },
	{ .protocol = 2, .flags = SENDCP_SEND_COMPRESSED, .subvolume = IMAGE_SNAP },
	{ .protocol = 1, .flags = SENDCP_SEND_NO_FILE_DATA, .subvolume = IMAGE_SNAP },
	{ .protocol = 2, .flags = SENDCP_SEND_OMIT_HEADER | SENDCP_SEND_OMIT_END,
	  .subvolume = IMAGE_SNAP },
	{ .protocol = 1, .flags = WRITABLE, .subvolume = IMAGE_SNAP, .clone_sources = sources,
	  .clone_count = ARRAY_SIZE(sources) },
	{ .protocol = 2, .flags = WRITABLE | SENDCP_SEND_COMPRESSED, .subvolume = IMAGE_BASE,
	  .clone_sources = sources, .clone_count = 1 },
};

static const struct sendcp_request incremental_requests[] = {
	{ .protocol = 1, .subvolume = IMAGE_SNAP, .parent = IMAGE_OLDER, .clone_sources = sources,
	  .clone_count = 1 },
	{ .protocol = 2, .flags = SENDCP_SEND_COMPRESSED, .subvolume = IMAGE_SNAP,
	  .parent = IMAGE_OLDER, .clone_sources = sources, .clone_count = 1 },
	{ .protocol = 2, .flags = SENDCP_SEND_NO_FILE_DATA, .subvolume = IMAGE_SNAP,
	  .parent = IMAGE_OLDER },
	/* Backwards: the stream removes things. */
	{ .protocol = 1, .subvolume = IMAGE_OLDER, .parent = IMAGE_SNAP },
	{ .protocol = 2, .flags = WRITABLE, .subvolume = IMAGE_SNAP, .parent = IMAGE_OLDER,
	  .clone_sources = sources, .clone_count = ARRAY_SIZE(sources) },
};

static const struct sendcp_request moving_requests[] = {
	{ .protocol = 2, .subvolume = IMAGE_SNAP, .parent = IMAGE_OLDER },
	{ .protocol = 1, .subvolume = IMAGE_OLDER, .parent = IMAGE_SNAP },
};

struct sendcp_request request_of(u32 protocol, u32 flags)
{
	struct sendcp_request request = {
		.protocol = protocol,
		.flags = flags,
		.subvolume = IMAGE_SNAP,
	};

	return request;
}

static int open_volume(struct sending *sending)
{
	struct sendcp_error error;

	if (image_host_init(&sending->host, sending->image))
		return -1;
	return image_host_open(&sending->host, &sending->volume, &error);
}

static int setup(void **state, const char *name, const struct sendcp_request *requests, u32 count)
{
	struct sending *sending = calloc(1, sizeof(*sending));

	if (!sending)
		return -1;
	sending->image = image_load(name);
	sending->requests = requests;
	sending->request_count = count;
	*state = sending;
	return sending->image ? open_volume(sending) : -1;
}

int sending_setup_tiny(void **state)
{
	return setup(state, "tiny", full_requests, ARRAY_SIZE(full_requests));
}

int sending_setup_links(void **state)
{
	return setup(state, "links", full_requests, 1);
}

int sending_setup_changes(void **state)
{
	return setup(state, "changes", incremental_requests, ARRAY_SIZE(incremental_requests));
}

int sending_setup_moves(void **state)
{
	return setup(state, "moves", moving_requests, ARRAY_SIZE(moving_requests));
}

int sending_teardown(void **state)
{
	struct sending *sending = *state;

	image_host_close(&sending->host, sending->volume);
	image_host_release(&sending->host);
	image_free(sending->image);
	free(sending);
	return 0;
}

void sending_open_again(struct sending *again, const struct sending *sending)
{
	again->image = sending->image;
	assert_int_equal(open_volume(again), 0);
}

void sending_close_again(struct sending *again)
{
	image_host_close(&again->host, again->volume);
	image_host_release(&again->host);
}

void bytes_append(struct bytes *bytes, const void *data, size_t size)
{
	if (bytes->size + size > bytes->capacity) {
		bytes->capacity = (bytes->size + size) * 2;
		bytes->data = realloc(bytes->data, bytes->capacity);
		assert_non_null(bytes->data);
	}
	if (size)
		memcpy(bytes->data + bytes->size, data, size);
	bytes->size += size;
}

void bytes_free(struct bytes *bytes)
{
	free(bytes->data);
	memset(bytes, 0, sizeof(*bytes));
}

void assert_bytes_equal(const struct bytes *a, const struct bytes *b)
{
	assert_int_equal(a->size, b->size);
	assert_memory_equal(a->data, b->data, a->size);
}

struct sendcp_engine *open_engine(const struct sending *sending,
				  const struct sendcp_request *request)
{
	struct sendcp_engine *engine;
	struct sendcp_error error;

	assert_int_equal(sendcp_engine_open(sending->volume, request, &engine, &error), 0);
	return engine;
}

void take_checkpoint(struct sendcp_engine *engine, struct bytes *checkpoint)
{
	void *blob;

	bytes_free(checkpoint);
	assert_int_equal(sendcp_engine_checkpoint(engine, &blob, &checkpoint->size), 0);
	checkpoint->data = blob;
	checkpoint->capacity = checkpoint->size;
}

struct sendcp_engine *rearmed_engine(const struct sending *sending,
				     const struct sendcp_request *request,
				     const struct bytes *checkpoint)
{
	struct sendcp_engine *engine = open_engine(sending, request);

	assert_int_equal(sendcp_engine_rearm(engine, checkpoint->data, checkpoint->size), 0);
	return engine;
}

int fill_once(struct sendcp_engine *engine, size_t size, u32 flags, struct bytes *stream, bool *end)
{
	struct sendcp_fill fill = {
		.buffer = malloc(size),
		.size = size,
		.flags = flags,
	};
	int err;

	assert_non_null(fill.buffer);
	err = sendcp_engine_fill(engine, &fill);
	if (!err)
		bytes_append(stream, fill.buffer, fill.filled);
	else
		assert_int_equal(fill.filled, 0);
	if (!err && !fill.end)
		assert_int_not_equal(fill.filled, 0);
	*end = fill.end;
	free(fill.buffer);
	return err;
}

void fill_to_end(struct sendcp_engine *engine, size_t size, u32 flags, struct bytes *stream)
{
	bool end = false;

	while (!end)
		assert_int_equal(fill_once(engine, size, flags, stream, &end), 0);
}

void whole_stream(const struct sending *sending, const struct sendcp_request *request,
		  struct bytes *stream)
{
	struct sendcp_engine *engine = open_engine(sending, request);

	fill_to_end(engine, 1 << 20, 0, stream);
	assert_int_equal(sendcp_engine_offset(engine), stream->size);
	sendcp_engine_close(engine);
}

/* A WRITE taken apart: the part before the file offset (its path), the offset, and the data. */
struct write_command {
	const u8 *path;
	u32 path_size;
	u64 offset;
	const u8 *data;
	u32 size;
};

static struct write_command parse_write(const u8 *command, u32 length, u32 protocol)
{
	struct write_command out;
	u32 data_header = protocol == 1 ? SENDCP_ATTR_HEADER_SIZE : SENDCP_ATTR_TYPE_SIZE;
	u32 at;

	out.path = command + SENDCP_COMMAND_HEADER_SIZE;
	out.path_size = SENDCP_ATTR_HEADER_SIZE + sendcp_get_le16(out.path + 2);
	at = SENDCP_COMMAND_HEADER_SIZE + out.path_size + SENDCP_ATTR_HEADER_SIZE;
	out.offset = sendcp_get_le64(command + at);
	at += sizeof(u64) + data_header;
	assert_true(at < length);
	out.data = command + at;
	out.size = length - at;
	return out;
}

static bool adjoins(const struct write_command *last, const struct write_command *next)
{
	return last->path_size == next->path_size && last->offset + last->size == next->offset &&
	       !memcmp(last->path, next->path, last->path_size);
}

void merge_writes(const struct bytes *stream, u32 protocol, struct bytes *out)
{
	struct write_command last = { 0 };
	struct write_command next;
	size_t at = SENDCP_STREAM_HEADER_SIZE;
	u32 length;

	while (at < stream->size) {
		const u8 *command = stream->data + at;

		assert_true(stream->size - at >= SENDCP_COMMAND_HEADER_SIZE);
		length = sendcp_get_le32(command) + SENDCP_COMMAND_HEADER_SIZE;
		assert_true(length <= stream->size - at);
		at += length;
		if (sendcp_get_le16(command + 4) != SENDCP_C_WRITE) {
			bytes_append(out, command, length);
			last.path_size = 0;
			continue;
		}
		next = parse_write(command, length, protocol);
		if (!last.path_size || !adjoins(&last, &next)) {
			bytes_append(out, next.path, next.path_size);
			bytes_append(out, &next.offset, sizeof(next.offset));
		}
		bytes_append(out, next.data, next.size);
		last = next;
	}
}
