// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Encoding commands into the queue.
 *
 * The command grows after the queue's tail and becomes part of the queue when it is complete, so
 * that a failure in the middle leaves nothing in the queue. Callers put attributes without looking
 * at errors; sendcp_command_end() reports the first one.
 */
#include "encode/encode.h"

#define PREFIX sizeof(u32)

static u8 *command_at(struct sendcp_encoder *encoder)
{
	return encoder->queue.bytes + encoder->queue.tail + PREFIX;
}

/* Space for @size more bytes of the command; its bytes so far move along. */
static u8 *grow(struct sendcp_encoder *encoder, size_t size)
{
	struct sendcp_queue *queue = &encoder->queue;
	size_t used = encoder->length;
	int err;
	u8 *at;

	if (encoder->error)
		return NULL;
	if (used + size > SENDCP_COMMAND_MAX_V2) {
		encoder->error = encoder->fail(encoder->owner, SENDCP_ERR_COMMAND_SIZE);
		return NULL;
	}
	/* Reserving may shift the queue, so what follows tail must count as part of it. */
	queue->tail += PREFIX + used;
	err = sendcp_queue_reserve(queue, size);
	queue->tail -= PREFIX + used;
	if (err) {
		encoder->error = encoder->fail(encoder->owner, SENDCP_ERR_NO_MEMORY);
		return NULL;
	}
	at = command_at(encoder) + used;
	encoder->length = used + size;
	return at;
}

void sendcp_command_begin(struct sendcp_encoder *encoder, enum sendcp_command command)
{
	u8 *at;

	encoder->error = 0;
	encoder->length = 0;
	if (sendcp_queue_reserve(&encoder->queue, PREFIX)) {
		encoder->error = encoder->fail(encoder->owner, SENDCP_ERR_NO_MEMORY);
		return;
	}
	at = grow(encoder, SENDCP_COMMAND_HEADER_SIZE);
	if (!at)
		return;
	memset(at, 0, SENDCP_COMMAND_HEADER_SIZE);
	sendcp_put_le16(at + offsetof(struct sendcp_command_header, command), command);
}

void sendcp_put_bytes(struct sendcp_encoder *encoder, enum sendcp_attribute attribute,
		      const void *bytes, size_t length)
{
	u8 *at;

	if (length > 0xffff && !encoder->error)
		encoder->error = encoder->fail(encoder->owner, SENDCP_ERR_COMMAND_SIZE);
	at = grow(encoder, SENDCP_ATTR_HEADER_SIZE + length);
	if (!at)
		return;
	sendcp_put_le16(at, attribute);
	sendcp_put_le16(at + 2, length);
	if (length)
		memcpy(at + SENDCP_ATTR_HEADER_SIZE, bytes, length);
}

void sendcp_put_u64(struct sendcp_encoder *encoder, enum sendcp_attribute attribute, u64 value)
{
	u8 bytes[8];

	sendcp_put_le64(bytes, value);
	sendcp_put_bytes(encoder, attribute, bytes, sizeof(bytes));
}

void sendcp_put_u32(struct sendcp_encoder *encoder, enum sendcp_attribute attribute, u32 value)
{
	u8 bytes[4];

	sendcp_put_le32(bytes, value);
	sendcp_put_bytes(encoder, attribute, bytes, sizeof(bytes));
}

void sendcp_put_time(struct sendcp_encoder *encoder, enum sendcp_attribute attribute, u64 sec,
		     u32 nsec)
{
	u8 bytes[12];

	sendcp_put_le64(bytes, sec);
	sendcp_put_le32(bytes + 8, nsec);
	sendcp_put_bytes(encoder, attribute, bytes, sizeof(bytes));
}

void sendcp_put_path(struct sendcp_encoder *encoder, enum sendcp_attribute attribute,
		     const struct sendcp_path *path)
{
	sendcp_put_bytes(encoder, attribute, path->bytes, path->len);
}

void sendcp_command_seal(u8 *command, u32 length)
{
	u8 *crc = command + offsetof(struct sendcp_command_header, crc);

	sendcp_put_le32(command, length - SENDCP_COMMAND_HEADER_SIZE);
	sendcp_put_le32(crc, 0);
	sendcp_put_le32(crc, sendcp_crc32c(0, command, length));
}

/* Is the command just encoded to be queued? It is counted in any case. */
static bool passes_filter(struct sendcp_encoder_filter *filter)
{
	return !filter->active || filter->made++ >= filter->from;
}

/* Makes the bytes that follow tail the queue's last command, unless the filter drops it. */
static void commit(struct sendcp_encoder *encoder)
{
	struct sendcp_queue *queue = &encoder->queue;
	u32 length = encoder->length;

	if (!passes_filter(&encoder->filter))
		return;
	memcpy(queue->bytes + queue->tail, &length, PREFIX);
	queue->tail += PREFIX + length;
}

static size_t command_max(const struct sendcp_encoder *encoder)
{
	return encoder->protocol == 1 ? SENDCP_COMMAND_MAX_V1 : SENDCP_COMMAND_MAX_V2;
}

int sendcp_command_end(struct sendcp_encoder *encoder)
{
	if (encoder->error)
		return encoder->error;
	if (encoder->length > command_max(encoder))
		return encoder->fail(encoder->owner, SENDCP_ERR_COMMAND_SIZE);
	sendcp_command_seal(command_at(encoder), encoder->length);
	commit(encoder);
	return 0;
}

/* The attribute DATA without its bytes. */
static void begin_data(struct sendcp_encoder *encoder, u32 length)
{
	u32 size = encoder->protocol == 1 ? SENDCP_ATTR_HEADER_SIZE : SENDCP_ATTR_TYPE_SIZE;
	u8 *at = grow(encoder, size);

	if (!at)
		return;
	sendcp_put_le16(at, SENDCP_A_DATA);
	if (encoder->protocol == 1)
		sendcp_put_le16(at + 2, length);
}

int sendcp_command_end_payload(struct sendcp_encoder *encoder, const struct sendcp_payload *payload)
{
	begin_data(encoder, payload->length);
	if (encoder->error)
		return encoder->error;
	if (encoder->length + payload->length > command_max(encoder))
		return encoder->fail(encoder->owner, SENDCP_ERR_COMMAND_SIZE);
	commit(encoder);
	encoder->queue.payload = *payload;
	return 0;
}

int sendcp_command_end_data(struct sendcp_encoder *encoder, const void *bytes, u32 length)
{
	u8 *at;

	begin_data(encoder, length);
	at = grow(encoder, length);
	if (at)
		memcpy(at, bytes, length);
	return sendcp_command_end(encoder);
}

int sendcp_queue_stream_header(struct sendcp_encoder *encoder)
{
	u8 header[SENDCP_STREAM_HEADER_SIZE];

	memcpy(header, SENDCP_STREAM_MAGIC, SENDCP_STREAM_MAGIC_SIZE);
	sendcp_put_le32(header + SENDCP_STREAM_MAGIC_SIZE, encoder->protocol);
	if (sendcp_queue_push(&encoder->queue, header, sizeof(header)))
		return encoder->fail(encoder->owner, SENDCP_ERR_NO_MEMORY);
	return 0;
}
