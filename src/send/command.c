// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Encoding commands into the queue.
 *
 * The command grows behind the queue's tail and becomes part of the queue when it is complete, so
 * that a failure in the middle leaves nothing behind. Callers put attributes without looking at
 * errors; scp_command_end() reports the first one.
 */
#include "send/engine_private.h"

#define PREFIX sizeof(u32)

static u8 *command_at(struct scp_engine *engine)
{
	return engine->queue.bytes + engine->queue.tail + PREFIX;
}

/* Room for @size more bytes of the command; its bytes so far move along. */
static u8 *grow(struct scp_engine *engine, size_t size)
{
	struct scp_queue *queue = &engine->queue;
	size_t used = engine->command_length;
	int err;
	u8 *at;

	if (engine->command_error)
		return NULL;
	if (used + size > SCP_COMMAND_MAX_V2) {
		engine->command_error = scp_send_fail(engine, SCP_COMMAND_SIZE);
		return NULL;
	}
	/* Reserving may shift the queue, so what is behind tail must count as part of it. */
	queue->tail += PREFIX + used;
	err = scp_queue_reserve(queue, size);
	queue->tail -= PREFIX + used;
	if (err) {
		engine->command_error = scp_send_fail(engine, SCP_NO_MEMORY);
		return NULL;
	}
	at = command_at(engine) + used;
	engine->command_length = used + size;
	return at;
}

void scp_command_begin(struct scp_engine *engine, enum scp_command command)
{
	u8 *at;

	engine->command_error = 0;
	engine->command_length = 0;
	if (scp_queue_reserve(&engine->queue, PREFIX)) {
		engine->command_error = scp_send_fail(engine, SCP_NO_MEMORY);
		return;
	}
	at = grow(engine, SCP_COMMAND_HEADER_SIZE);
	if (!at)
		return;
	memset(at, 0, SCP_COMMAND_HEADER_SIZE);
	scp_put_le16(at + offsetof(struct scp_command_header, command), command);
}

void scp_put_bytes(struct scp_engine *engine, enum scp_attribute attribute, const void *bytes,
		   size_t length)
{
	u8 *at;

	if (length > 0xffff && !engine->command_error)
		engine->command_error = scp_send_fail(engine, SCP_COMMAND_SIZE);
	at = grow(engine, SCP_ATTR_HEADER_SIZE + length);
	if (!at)
		return;
	scp_put_le16(at, attribute);
	scp_put_le16(at + 2, length);
	if (length)
		memcpy(at + SCP_ATTR_HEADER_SIZE, bytes, length);
}

void scp_put_u64(struct scp_engine *engine, enum scp_attribute attribute, u64 value)
{
	u8 bytes[8];

	scp_put_le64(bytes, value);
	scp_put_bytes(engine, attribute, bytes, sizeof(bytes));
}

void scp_put_u32(struct scp_engine *engine, enum scp_attribute attribute, u32 value)
{
	u8 bytes[4];

	scp_put_le32(bytes, value);
	scp_put_bytes(engine, attribute, bytes, sizeof(bytes));
}

void scp_put_time(struct scp_engine *engine, enum scp_attribute attribute,
		  const struct scp_time *time)
{
	u8 bytes[12];

	scp_put_le64(bytes, time->sec);
	scp_put_le32(bytes + 8, time->nsec);
	scp_put_bytes(engine, attribute, bytes, sizeof(bytes));
}

void scp_put_path(struct scp_engine *engine, enum scp_attribute attribute,
		  const struct scp_path *path)
{
	scp_put_bytes(engine, attribute, path->bytes, path->len);
}

void scp_command_seal(u8 *command, u32 length)
{
	u8 *crc = command + offsetof(struct scp_command_header, crc);

	scp_put_le32(command, length - SCP_COMMAND_HEADER_SIZE);
	scp_put_le32(crc, 0);
	scp_put_le32(crc, scp_crc32c(0, command, length));
}

/* Makes the bytes behind tail the queue's last command, unless the window drops it. */
static void commit(struct scp_engine *engine)
{
	struct scp_queue *queue = &engine->queue;
	u32 length = engine->command_length;

	if (!scp_window_takes(engine))
		return;
	memcpy(queue->bytes + queue->tail, &length, PREFIX);
	queue->tail += PREFIX + length;
}

static size_t command_max(const struct scp_engine *engine)
{
	return engine->protocol == 1 ? SCP_COMMAND_MAX_V1 : SCP_COMMAND_MAX_V2;
}

int scp_command_end(struct scp_engine *engine)
{
	if (engine->command_error)
		return engine->command_error;
	if (engine->command_length > command_max(engine))
		return scp_send_fail(engine, SCP_COMMAND_SIZE);
	scp_command_seal(command_at(engine), engine->command_length);
	commit(engine);
	return 0;
}

/* The attribute DATA without its bytes. */
static void begin_data(struct scp_engine *engine, u32 length)
{
	u32 size = engine->protocol == 1 ? SCP_ATTR_HEADER_SIZE : SCP_ATTR_TYPE_SIZE;
	u8 *at = grow(engine, size);

	if (!at)
		return;
	scp_put_le16(at, SCP_A_DATA);
	if (engine->protocol == 1)
		scp_put_le16(at + 2, length);
}

int scp_command_end_payload(struct scp_engine *engine, const struct scp_payload *payload)
{
	begin_data(engine, payload->length);
	if (engine->command_error)
		return engine->command_error;
	if (engine->command_length + payload->length > command_max(engine))
		return scp_send_fail(engine, SCP_COMMAND_SIZE);
	commit(engine);
	engine->queue.payload = *payload;
	return 0;
}

int scp_command_end_data(struct scp_engine *engine, const void *bytes, u32 length)
{
	u8 *at;

	begin_data(engine, length);
	at = grow(engine, length);
	if (at)
		memcpy(at, bytes, length);
	return scp_command_end(engine);
}

int scp_queue_stream_header(struct scp_engine *engine)
{
	u8 header[SCP_STREAM_HEADER_SIZE];

	memcpy(header, SCP_STREAM_MAGIC, SCP_STREAM_MAGIC_SIZE);
	scp_put_le32(header + SCP_STREAM_MAGIC_SIZE, engine->protocol);
	if (scp_queue_push(&engine->queue, header, sizeof(header)))
		return scp_send_fail(engine, SCP_NO_MEMORY);
	return 0;
}
