// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Delivering queued commands into the caller's buffer, and counting them without reading data.
 *
 * File contents are read to where they belong in the buffer, and the checksum is computed there:
 * the engine makes no other copy of them.
 *
 * A command counts as delivered (state.offset, the queue) only when it is whole in the buffer. So
 * whatever fails, the engine is between two commands, where a checkpoint can be taken and the call
 * repeated. Bytes that revalidating refuses afterwards are the one exception: see
 * sendcp_call_lost().
 */
#include "send/contents.h"
#include "send/encoded.h"
#include "send/engine_private.h"
#include "send/replaced.h"
#include "send/replay.h"
#include "send/revalidate.h"
#include "send/step.h"

size_t sendcp_buffer_min(u32 protocol)
{
	return protocol == 1 ? SENDCP_COMMAND_MAX_V1 : SENDCP_COMMAND_MAX_V2;
}

static int read_file(struct sendcp_engine *engine, const struct sendcp_payload *payload, u8 *to)
{
	int err = sendcp_contents_read(engine, payload->offset, payload->length, to);

	return err ? sendcp_explain_read(engine, err) : 0;
}

static int read_encoded(struct sendcp_engine *engine, const struct sendcp_payload *payload, u8 *to,
			u32 head)
{
	struct sendcp_encoded encoded = {
		.to = to,
		.head = head,
		.length = payload->length,
		.ino = engine->state.ino,
		.offset = payload->offset,
	};

	return sendcp_encoded_read(engine, &encoded);
}

/* The contents of the command at @to, @head bytes of which are there. */
static int read_payload(struct sendcp_engine *engine, const struct sendcp_payload *payload, u8 *to,
			u32 head)
{
	if (payload->kind == SENDCP_PAYLOAD_FILE)
		return read_file(engine, payload, to + head);
	if (payload->kind == SENDCP_PAYLOAD_ENCODED)
		return read_encoded(engine, payload, to, head);
	memset(to + head, 0, payload->length);
	return 0;
}

/* A message about contents has to name the file: its number, the place in it and its path. */
static void name_file(struct sendcp_engine *engine, const struct sendcp_payload *payload)
{
	struct sendcp_error *error = &engine->volume->error;
	const struct sendcp_path *path = &engine->current_path;
	size_t length = path->len;

	if (error->reason != SENDCP_ERR_DATA_CSUM && error->reason != SENDCP_ERR_DATA_READ &&
	    error->reason != SENDCP_ERR_DATA_DECOMPRESS && error->reason != SENDCP_ERR_INCONSISTENT)
		return;
	if (error->inode == SENDCP_NOWHERE) {
		error->root = engine->tree->id;
		error->inode = engine->state.ino;
		error->offset = payload->offset;
	}
	if (error->detail[0])
		return;
	if (length > sizeof(error->detail) - 1)
		length = sizeof(error->detail) - 1;
	memcpy(error->detail, path->bytes, length);
	error->detail[length] = '\0';
}

/*
 * Puts a command whose contents are to be read to @to; @head bytes of it are known. @length may be
 * less than the queued command has: in protocol 1 the last two of the known bytes are the length of
 * the attribute DATA, which is set again.
 */
static int deliver_payload(struct sendcp_engine *engine, const u8 *command, u32 head, u32 length,
			   u8 *to)
{
	struct sendcp_payload payload = engine->encoder.queue.payload;
	int err;

	payload.length = length;
	memcpy(to, command, head);
	if (engine->encoder.protocol == 1)
		sendcp_put_le16(to + head - 2, length);
	err = read_payload(engine, &payload, to, head);
	if (err)
		name_file(engine, &payload);
	else
		sendcp_command_seal(to, head + length);
	return err;
}

/*
 * The length of a WRITE with @head bytes before its data that fits into @capacity, in whole
 * sectors.
 */
static u32 split_length(u32 head, size_t capacity)
{
	size_t length = capacity > head ? capacity - head : 0;

	return length > SENDCP_SECTORSIZE_MIN ? sendcp_round_down(length, SENDCP_SECTORSIZE_MIN) :
		length;
}

/*
 * The queued WRITE begins @given bytes later from now on. Offset and DATA are its last attributes,
 * so the offset's place follows from the end of what is known. A checkpoint taken now has the
 * shortened command: the resumed stream goes on within what would have been one WRITE.
 */
static void shorten(struct sendcp_engine *engine, u8 *command, u32 head, u32 given)
{
	u32 data = engine->encoder.protocol == 1 ? SENDCP_ATTR_HEADER_SIZE : SENDCP_ATTR_TYPE_SIZE;
	u8 *offset = command + head - data - sizeof(u64);

	engine->encoder.queue.payload.offset += given;
	engine->encoder.queue.payload.length -= given;
	sendcp_put_le64(offset, engine->encoder.queue.payload.offset);
}

/*
 * The first command is out. From here on checkpoints are after it, also within a step that is
 * replayed.
 */
static void delivered(struct sendcp_engine *engine, u64 length)
{
	engine->state.offset += length;
	sendcp_queue_pop(&engine->encoder.queue);
	sendcp_replay_emitted(engine);
}

/* @length bytes of contents are at their place after the queued command's @head: they are out. */
static void give_contents(struct sendcp_engine *engine, struct sendcp_fill *fill, u32 head,
			  u32 length)
{
	u32 known;
	u8 *command = sendcp_queue_first(&engine->encoder.queue, &known);

	fill->filled += head + length;
	if (length == engine->encoder.queue.payload.length) {
		delivered(engine, head + length);
		return;
	}
	shorten(engine, command, head, length);
	engine->state.offset += head + length;
}

/*
 * Contents of a file, @length bytes of which are to be given, cannot all be read. Gives what can be
 * read of the beginning; or if nothing can, replaces as much as there is of that.
 */
static int deliver_damaged(struct sendcp_engine *engine, u32 head, u32 length,
			   struct sendcp_fill *fill)
{
	struct sendcp_payload payload = engine->encoder.queue.payload;
	u8 *to = (u8 *)fill->buffer + fill->filled;
	struct sendcp_examined examined;
	int err;

	err = sendcp_contents_examine(engine, payload.offset, length, to + head, &examined);
	if (err) {
		name_file(engine, &payload);
		return err;
	}
	if (examined.damaged) {
		err = sendcp_replace_contents(engine, examined.length);
		if (err || (engine->flags & SENDCP_SEND_DATA_SKIP))
			return err;
		memset(to + head, 0, examined.length);
	}
	if (engine->encoder.protocol == 1)
		sendcp_put_le16(to + head - 2, examined.length);
	sendcp_command_seal(to, head + examined.length);
	if (!examined.damaged) {
		give_contents(engine, fill, head, examined.length);
		return 0;
	}
	fill->filled += head + examined.length;
	engine->state.offset += head + examined.length;
	return 0;
}

/* The first command of the queue, with the first @length bytes of its contents. */
static int deliver_contents(struct sendcp_engine *engine, const u8 *command, u32 head, u32 length,
			    struct sendcp_fill *fill)
{
	u8 *to = (u8 *)fill->buffer + fill->filled;
	int err = deliver_payload(engine, command, head, length, to);

	if (!err) {
		give_contents(engine, fill, head, length);
		return 0;
	}
	if (sendcp_is_stale(engine, err) || !sendcp_is_replaced(engine))
		return err;
	if (engine->encoder.queue.payload.kind == SENDCP_PAYLOAD_ENCODED)
		return sendcp_write_in_place_of_encoded(engine);
	return deliver_damaged(engine, head, length, fill);
}

/* The first command of the queue. -ENOBUFS: it does not fit. */
static int deliver(struct sendcp_engine *engine, struct sendcp_fill *fill)
{
	bool payload = sendcp_queue_first_has_payload(&engine->encoder.queue);
	size_t space = fill->size - fill->filled;
	u32 length = payload ? engine->encoder.queue.payload.length : 0;
	u32 head;
	u8 *command = sendcp_queue_first(&engine->encoder.queue, &head);

	if ((size_t)head + length > space) {
		if (!payload || engine->encoder.queue.payload.kind == SENDCP_PAYLOAD_ENCODED ||
		    !(fill->flags & SENDCP_FILL_SPLIT_WRITES))
			return -ENOBUFS;
		length = split_length(head, space);
		if (!length)
			return -ENOBUFS;
	}
	if (payload)
		return deliver_contents(engine, command, head, length, fill);
	memcpy((u8 *)fill->buffer + fill->filled, command, head);
	fill->filled += head;
	delivered(engine, head);
	return 0;
}

/*
 * END is queued by the step that sets SENDCP_PHASE_DONE, so the phase alone does not mean the end.
 */
static bool is_complete(const struct sendcp_engine *engine)
{
	return engine->state.phase == SENDCP_PHASE_DONE &&
		sendcp_queue_empty(&engine->encoder.queue);
}

static int interrupted(struct sendcp_engine *engine)
{
	const struct sendcp_host *host = engine->volume->host;

	if (!host->ops->interrupted(host->private))
		return 0;
	return sendcp_send_fail(engine, SENDCP_ERR_INTERRUPTED);
}

/*
 * Steps until something is queued or the stream is complete. Very many steps in a row may queue
 * nothing, so this is where it has to be asked whether to stop.
 */
static int refill(struct sendcp_engine *engine)
{
	int err;

	while (sendcp_queue_empty(&engine->encoder.queue) && !is_complete(engine)) {
		err = interrupted(engine);
		if (err)
			return err;
		sendcp_replay_next(engine);
		err = sendcp_step(engine);
		if (err)
			return err;
	}
	return 0;
}

/* Until the next command does not fit, which is the normal end of a call: -ENOBUFS. */
static int fill_some(struct sendcp_engine *engine, struct sendcp_fill *fill)
{
	int err;

	while (!is_complete(engine)) {
		err = interrupted(engine);
		if (!err)
			err = refill(engine);
		if (!err && !sendcp_queue_empty(&engine->encoder.queue))
			err = deliver(engine, fill);
		if (err)
			return err;
		if (fill->filled && (fill->flags & SENDCP_FILL_ONE_COMMAND))
			break;
	}
	return 0;
}

static enum sendcp_revalidate how_to_revalidate(struct sendcp_engine *engine,
						const struct sendcp_fill *fill)
{
	if (is_complete(engine))
		return SENDCP_REVALIDATE_COMMITTED;
	if (engine->encoded.count || (fill->flags & SENDCP_FILL_REVALIDATE))
		return SENDCP_REVALIDATE_NOW;
	return SENDCP_REVALIDATE_IF_DUE;
}

/* Nothing leaves the fill that is not proven. */
static int secure(struct sendcp_engine *engine, const struct sendcp_fill *fill)
{
	int err = sendcp_revalidate(engine, how_to_revalidate(engine, fill));

	if (!err && engine->encoded.count)
		err = sendcp_encoded_prove(engine);
	return err;
}

static int fill_and_secure(struct sendcp_engine *engine, struct sendcp_fill *fill)
{
	int err;

	engine->encoded.count = 0;
	engine->encoded.moved = false;
	err = fill_some(engine, fill);
	if (err == -ENOBUFS)
		sendcp_send_fail(engine, SENDCP_ERR_BUFFER_SIZE);
	/*
	 * Commands made before a failure are delivered, and the failure comes again with the next
	 * call: the step or the read that failed has changed nothing. But if the subvolume was
	 * changed, the bytes before it are as doubtful.
	 */
	if (err && (!fill->filled || sendcp_is_stale(engine, err)))
		return sendcp_call_failed(engine, err);
	err = secure(engine, fill);
	return err ? sendcp_call_lost(engine, err) : 0;
}

int sendcp_engine_fill(struct sendcp_engine *engine, struct sendcp_fill *fill)
{
	int err = sendcp_call_begin(engine);

	fill->filled = 0;
	fill->end = false;
	if (!err)
		err = fill_and_secure(engine, fill);
	if (err)
		fill->filled = 0;
	else
		fill->end = is_complete(engine);
	return err;
}

/* The length of the queue's first command, its contents included. */
static u32 next_length(struct sendcp_engine *engine)
{
	u32 length;

	sendcp_queue_first(&engine->encoder.queue, &length);
	if (sendcp_queue_first_has_payload(&engine->encoder.queue))
		length += engine->encoder.queue.payload.length;
	return length;
}

/* Decides the next command, if there is one. */
static int prepare(struct sendcp_engine *engine, u32 *length, bool *end)
{
	int err = 0;

	*length = 0;
	if (!is_complete(engine) && sendcp_queue_empty(&engine->encoder.queue))
		err = refill(engine);
	*end = !err && is_complete(engine);
	if (!err)
		err = sendcp_revalidate(engine, *end ? SENDCP_REVALIDATE_COMMITTED :
						    SENDCP_REVALIDATE_IF_DUE);
	if (!err && !*end)
		*length = next_length(engine);
	return err;
}

int sendcp_engine_settle_command(struct sendcp_engine *engine, u32 *length, bool *end)
{
	int err = sendcp_call_begin(engine);

	if (!err)
		err = sendcp_call_failed(engine, prepare(engine, length, end));
	return err;
}

/* Puts in all that sealing would, but for the checksum: that needs the contents. */
static void describe_payload(struct sendcp_engine *engine, u8 *head, u32 known, u32 length)
{
	sendcp_put_le32(head, length - SENDCP_COMMAND_HEADER_SIZE);
	sendcp_put_le32(head + offsetof(struct sendcp_command_header, crc), 0);
	if (engine->encoder.protocol == 1)
		sendcp_put_le16(head + known - 2, engine->encoder.queue.payload.length);
}

/* The first command of the queue, whose contents are not wanted, to @head; it is passed over. */
static int pass(struct sendcp_engine *engine, u8 *head, u32 *known, u32 length, bool *end)
{
	u8 *command = sendcp_queue_first(&engine->encoder.queue, known);

	memcpy(head, command, *known);
	if (sendcp_queue_first_has_payload(&engine->encoder.queue))
		describe_payload(engine, head, *known, length);
	delivered(engine, length);
	*end = is_complete(engine);
	return *end ? sendcp_revalidate(engine, SENDCP_REVALIDATE_COMMITTED) : 0;
}

int sendcp_engine_skip_command(struct sendcp_engine *engine, void *head, size_t size, u32 *known,
			       u32 *length, bool *end)
{
	int err = sendcp_call_begin(engine);

	*known = 0;
	if (!err && size < sendcp_buffer_min(engine->encoder.protocol))
		err = sendcp_call_failed(engine, sendcp_send_fail(engine,
								  SENDCP_ERR_BUFFER_SIZE));
	if (err)
		return err;
	err = sendcp_engine_settle_command(engine, length, end);
	if (err || *end)
		return err;
	err = pass(engine, head, known, *length, end);
	return err ? sendcp_call_lost(engine, err) : 0;
}

/* Nothing leaves the engine here, so nothing has to be revalidated. */
int sendcp_engine_measure(struct sendcp_engine *engine, u64 limit, u64 *size, bool *end)
{
	u64 before = *size;
	u32 length;
	int err = sendcp_call_begin(engine);

	engine->measuring = true;
	while (!err && !is_complete(engine) && *size - before < limit) {
		err = interrupted(engine);
		if (!err)
			err = refill(engine);
		if (err)
			break;
		if (sendcp_queue_empty(&engine->encoder.queue))
			continue;
		length = next_length(engine);
		*size += length;
		delivered(engine, length);
	}
	engine->measuring = false;
	*end = is_complete(engine);
	return sendcp_call_failed(engine, err);
}
