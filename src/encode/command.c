// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Encoding commands into the queue.
 *
 * The command grows after the queue's tail and becomes part of the queue when it is complete, so
 * that a failure in the middle leaves nothing in the queue. Callers put attributes without looking
 * at errors; scp_command_end() reports the first one.
 */
#include "encode/encode.h"

#define PREFIX sizeof(u32)

static u8 *command_at(struct scp_encoder *encoder)
{
	return encoder->queue.bytes + encoder->queue.tail + PREFIX;
}

/* Space for @size more bytes of the command; its bytes so far move along. */
static u8 *grow(struct scp_encoder *encoder, size_t size)
{
	struct scp_queue *queue = &encoder->queue;
	size_t used = encoder->length;
	int err;
	u8 *at;

	if (encoder->error)
		return NULL;
	if (used + size > SCP_COMMAND_MAX_V2) {
		encoder->error = encoder->fail(encoder->owner, SCP_COMMAND_SIZE);
		return NULL;
	}
	/* Reserving may shift the queue, so what follows tail must count as part of it. */
	queue->tail += PREFIX + used;
	err = scp_queue_reserve(queue, size);
	queue->tail -= PREFIX + used;
	if (err) {
		encoder->error = encoder->fail(encoder->owner, SCP_NO_MEMORY);
		return NULL;
	}
	at = command_at(encoder) + used;
	encoder->length = used + size;
	return at;
}

void scp_command_begin(struct scp_encoder *encoder, enum scp_command command)
{
	u8 *at;

	encoder->error = 0;
	encoder->length = 0;
	if (scp_queue_reserve(&encoder->queue, PREFIX)) {
		encoder->error = encoder->fail(encoder->owner, SCP_NO_MEMORY);
		return;
	}
	at = grow(encoder, SCP_COMMAND_HEADER_SIZE);
	if (!at)
		return;
	memset(at, 0, SCP_COMMAND_HEADER_SIZE);
	scp_put_le16(at + offsetof(struct scp_command_header, command), command);
}

void scp_put_bytes(struct scp_encoder *encoder, enum scp_attribute attribute, const void *bytes,
		   size_t length)
{
	u8 *at;

	if (length > 0xffff && !encoder->error)
		encoder->error = encoder->fail(encoder->owner, SCP_COMMAND_SIZE);
	at = grow(encoder, SCP_ATTR_HEADER_SIZE + length);
	if (!at)
		return;
	scp_put_le16(at, attribute);
	scp_put_le16(at + 2, length);
	if (length)
		memcpy(at + SCP_ATTR_HEADER_SIZE, bytes, length);
}

void scp_put_u64(struct scp_encoder *encoder, enum scp_attribute attribute, u64 value)
{
	u8 bytes[8];

	scp_put_le64(bytes, value);
	scp_put_bytes(encoder, attribute, bytes, sizeof(bytes));
}

void scp_put_u32(struct scp_encoder *encoder, enum scp_attribute attribute, u32 value)
{
	u8 bytes[4];

	scp_put_le32(bytes, value);
	scp_put_bytes(encoder, attribute, bytes, sizeof(bytes));
}

void scp_put_time(struct scp_encoder *encoder, enum scp_attribute attribute, u64 sec, u32 nsec)
{
	u8 bytes[12];

	scp_put_le64(bytes, sec);
	scp_put_le32(bytes + 8, nsec);
	scp_put_bytes(encoder, attribute, bytes, sizeof(bytes));
}

void scp_put_path(struct scp_encoder *encoder, enum scp_attribute attribute,
		  const struct scp_path *path)
{
	scp_put_bytes(encoder, attribute, path->bytes, path->len);
}

void scp_command_seal(u8 *command, u32 length)
{
	u8 *crc = command + offsetof(struct scp_command_header, crc);

	scp_put_le32(command, length - SCP_COMMAND_HEADER_SIZE);
	scp_put_le32(crc, 0);
	scp_put_le32(crc, scp_crc32c(0, command, length));
}

/* Is the command just encoded to be queued? It is counted in any case. */
static bool passes_filter(struct scp_encoder_filter *filter)
{
	u32 number;

	if (!filter->active)
		return true;
	number = filter->made++;
	if (number < filter->from)
		return false;
	if (number - filter->from < filter->max)
		return true;
	filter->more = true;
	return false;
}

/* Makes the bytes that follow tail the queue's last command, unless the filter drops it. */
static void commit(struct scp_encoder *encoder)
{
	struct scp_queue *queue = &encoder->queue;
	u32 length = encoder->length;

	if (!passes_filter(&encoder->filter))
		return;
	memcpy(queue->bytes + queue->tail, &length, PREFIX);
	queue->tail += PREFIX + length;
}

static size_t command_max(const struct scp_encoder *encoder)
{
	return encoder->protocol == 1 ? SCP_COMMAND_MAX_V1 : SCP_COMMAND_MAX_V2;
}

int scp_command_end(struct scp_encoder *encoder)
{
	if (encoder->error)
		return encoder->error;
	if (encoder->length > command_max(encoder))
		return encoder->fail(encoder->owner, SCP_COMMAND_SIZE);
	scp_command_seal(command_at(encoder), encoder->length);
	commit(encoder);
	return 0;
}

/* The attribute DATA without its bytes. */
static void begin_data(struct scp_encoder *encoder, u32 length)
{
	u32 size = encoder->protocol == 1 ? SCP_ATTR_HEADER_SIZE : SCP_ATTR_TYPE_SIZE;
	u8 *at = grow(encoder, size);

	if (!at)
		return;
	scp_put_le16(at, SCP_A_DATA);
	if (encoder->protocol == 1)
		scp_put_le16(at + 2, length);
}

int scp_command_end_payload(struct scp_encoder *encoder, const struct scp_payload *payload)
{
	begin_data(encoder, payload->length);
	if (encoder->error)
		return encoder->error;
	if (encoder->length + payload->length > command_max(encoder))
		return encoder->fail(encoder->owner, SCP_COMMAND_SIZE);
	commit(encoder);
	encoder->queue.payload = *payload;
	return 0;
}

int scp_command_end_data(struct scp_encoder *encoder, const void *bytes, u32 length)
{
	u8 *at;

	begin_data(encoder, length);
	at = grow(encoder, length);
	if (at)
		memcpy(at, bytes, length);
	return scp_command_end(encoder);
}

int scp_queue_stream_header(struct scp_encoder *encoder)
{
	u8 header[SCP_STREAM_HEADER_SIZE];

	memcpy(header, SCP_STREAM_MAGIC, SCP_STREAM_MAGIC_SIZE);
	scp_put_le32(header + SCP_STREAM_MAGIC_SIZE, encoder->protocol);
	if (scp_queue_push(&encoder->queue, header, sizeof(header)))
		return encoder->fail(encoder->owner, SCP_NO_MEMORY);
	return 0;
}
