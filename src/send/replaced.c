// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Contents that cannot be read: the commands that stand for them.
 *
 * The mark comes after the zeros: a state between the two needs nothing but the mark in the queue,
 * and a stream that is truncated between them has no mark for bytes that a resumed run makes again.
 */
#include "send/attributes.h"
#include "send/range.h"
#include "send/replaced.h"

static int queue_mark(struct sendcp_engine *engine, u64 offset, u32 length)
{
	const char *how = engine->flags & SENDCP_SEND_DATA_ZERO ? SENDCP_MARK_ZERO :
								SENDCP_MARK_SKIP;
	int err = sendcp_begin_at(engine, SENDCP_C_UPDATE_EXTENT, offset);

	if (err)
		return err;
	sendcp_put_u64(&engine->encoder, SENDCP_A_SIZE, length);
	sendcp_put_bytes(&engine->encoder, SENDCP_A_XATTR_NAME, SENDCP_MARK_NAME,
			 sizeof(SENDCP_MARK_NAME) - 1);
	sendcp_put_bytes(&engine->encoder, SENDCP_A_XATTR_DATA, how, strlen(how));
	return sendcp_command_end(&engine->encoder);
}

static int queue_write(struct sendcp_engine *engine, u64 offset, u32 length)
{
	struct sendcp_payload payload = {
		.kind = SENDCP_PAYLOAD_FILE,
		.offset = offset,
		.length = length,
	};
	int err;

	if (!length) {
		engine->encoder.queue.payload.kind = SENDCP_PAYLOAD_NONE;
		return 0;
	}
	err = sendcp_begin_at(engine, SENDCP_C_WRITE, offset);
	return err ? err : sendcp_command_end_payload(&engine->encoder, &payload);
}

/* Nothing is written up to the file's end at @end, and a write was to give the file its size. */
static bool ends_short(const struct sendcp_engine *engine, u64 end)
{
	return (engine->flags & SENDCP_SEND_DATA_SKIP) && end == engine->state.size;
}

int sendcp_replace_contents(struct sendcp_engine *engine, u32 length)
{
	struct sendcp_queue *queue = &engine->encoder.queue;
	struct sendcp_payload payload = queue->payload;
	size_t used = queue->tail - queue->head;
	int err = queue_mark(engine, payload.offset, length);

	if (!err && ends_short(engine, payload.offset + length))
		err = sendcp_send_truncate(engine, engine->state.size);
	if (!err)
		err = queue_write(engine, payload.offset + length, payload.length - length);
	if (err) {
		queue->tail = queue->head + used;
		queue->payload = payload;
		return err;
	}
	sendcp_queue_pop(queue);
	return 0;
}

/* The attribute of 64 bits at *@at of the command; a forged checkpoint may have none there. */
static int take_u64(const u8 *command, u32 size, u32 *at, enum sendcp_attribute attribute,
		    u64 *value)
{
	const u8 *field = command + *at;

	if (size - *at < SENDCP_ATTR_HEADER_SIZE + sizeof(u64) ||
	    sendcp_get_le16(field) != attribute || sendcp_get_le16(field + 2) != sizeof(u64))
		return -EILSEQ;
	*value = sendcp_get_le64(field + SENDCP_ATTR_HEADER_SIZE);
	*at += SENDCP_ATTR_HEADER_SIZE + sizeof(u64);
	return 0;
}

/* The range of the file that the ENCODED_WRITE fills: it begins with path, offset and length. */
static int encoded_range(const struct sendcp_queue *queue, u64 *offset, u64 *length)
{
	u32 size;
	const u8 *command = sendcp_queue_first(queue, &size);
	u32 at = SENDCP_COMMAND_HEADER_SIZE;
	u32 path;

	if (size < at + SENDCP_ATTR_HEADER_SIZE)
		return -EILSEQ;
	path = sendcp_get_le16(command + at + 2);
	at += SENDCP_ATTR_HEADER_SIZE;
	if (size - at < path)
		return -EILSEQ;
	at += path;
	if (take_u64(command, size, &at, SENDCP_A_FILE_OFFSET, offset) ||
	    take_u64(command, size, &at, SENDCP_A_UNENCODED_FILE_LEN, length))
		return -EILSEQ;
	return 0;
}

int sendcp_write_in_place_of_encoded(struct sendcp_engine *engine)
{
	struct sendcp_queue *queue = &engine->encoder.queue;
	struct sendcp_payload payload = queue->payload;
	size_t used = queue->tail - queue->head;
	u64 offset, length;
	int err;

	if (encoded_range(queue, &offset, &length) || !length || length > SENDCP_CHUNK_V2 ||
	    offset > engine->state.size || length > engine->state.size - offset)
		return sendcp_send_fail(engine, SENDCP_ERR_CHECKPOINT_FORMAT);
	err = queue_write(engine, offset, (u32)length);
	if (err) {
		queue->tail = queue->head + used;
		queue->payload = payload;
		return err;
	}
	sendcp_queue_pop(queue);
	return 0;
}
