// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Pulls commands out of a send stream.
 *
 * One buffer: commands are handed out from within it, the rest at its end moves to its front before
 * more is read. No command is larger than its protocol's limit, so neither is the buffer, for any
 * input.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "container/foreign.h"
#include "parse/reader.h"
#include "util/alloc.h"

/* Fits into a processor's own cache and leaves some, and takes several of the largest. */
#define BUFFER_SIZE (512u << 10)
/* Units that end between the last whole command and what was read ahead. */
#define UNITS_AHEAD 64u

struct stream_reader {
	struct unwrap *unwrap;
	stream_tap_fn tap;
	void *tap_context;
	enum stream_how how;
	char what[512];
	/* Of 0: no header has been read. */
	u32 protocol;
	bool inside;
	/* The plain stream's offset of the next command, and its index in the buffer. */
	u64 offset;
	size_t from;
	size_t filled;
	/* The last one was handed out; when the next is asked for, it was whole and good. */
	u64 whole;
	/* It ended by a fault in the stream itself and not in its wrapping. */
	bool fault_inside;
	struct unwrap_place unit;
	struct unwrap_place ahead[UNITS_AHEAD];
	u32 ahead_count;
	struct stream_command command;
	u8 buffer[BUFFER_SIZE];
};

struct stream_reader *stream_reader_new(struct unwrap *unwrap)
{
	struct stream_reader *reader = xmalloc(sizeof(*reader));

	/* All but the buffer. */
	memset(reader, 0, offsetof(struct stream_reader, buffer));
	reader->unwrap = unwrap;
	return reader;
}

void stream_reader_free(struct stream_reader *reader)
{
	free(reader);
}

void stream_reader_tap(struct stream_reader *reader, stream_tap_fn function, void *context)
{
	reader->tap = function;
	reader->tap_context = context;
}

static void end_as(struct stream_reader *reader, enum stream_how how, const char *fmt, va_list args)
{
	reader->how = how;
	vsnprintf(reader->what, sizeof(reader->what), fmt, args);
}

__attribute__((format(printf, 3, 4)))
static const struct stream_command *ended(struct stream_reader *reader, enum stream_how how,
					  const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	end_as(reader, how, fmt, args);
	va_end(args);
	return NULL;
}

void stream_reject(struct stream_reader *reader, const char *fmt, ...)
{
	va_list args;

	/* The whole part ends before that command until the next is asked for. */
	reader->fault_inside = true;
	va_start(args, fmt);
	end_as(reader, STREAM_DAMAGED, fmt, args);
	va_end(args);
}

/* If there are too many, it is the latest one that is not remembered. */
static void note_unit(struct stream_reader *reader)
{
	struct unwrap_place unit = unwrap_whole(reader->unwrap);
	u32 count = reader->ahead_count;
	u64 last = count ? reader->ahead[count - 1].file : reader->unit.file;

	if (unit.file == last)
		return;
	if (count == UNITS_AHEAD)
		count--;
	reader->ahead[count] = unit;
	reader->ahead_count = count + 1;
}

/* Those before the next command are whole in every respect. */
static void settle_units(struct stream_reader *reader)
{
	u32 passed = 0;

	while (passed < reader->ahead_count && reader->ahead[passed].plain <= reader->offset)
		reader->unit = reader->ahead[passed++];
	if (!passed)
		return;
	reader->ahead_count -= passed;
	memmove(reader->ahead, reader->ahead + passed,
		reader->ahead_count * sizeof(reader->ahead[0]));
}

/* At least @wanted bytes from the next command on, if the input has them. Returns how many. */
static size_t have(struct stream_reader *reader, size_t wanted)
{
	size_t left = reader->filled - reader->from;

	if (left >= wanted)
		return left;
	memmove(reader->buffer, reader->buffer + reader->from, left);
	reader->from = 0;
	reader->filled = left;
	while (reader->filled < wanted) {
		u8 *to = reader->buffer + reader->filled;
		size_t got = unwrap_read(reader->unwrap, to, BUFFER_SIZE - reader->filled);

		if (!got)
			break;
		if (reader->tap)
			reader->tap(reader->tap_context, to, got);
		note_unit(reader);
		reader->filled += got;
	}
	return reader->filled;
}

/*
 * The stream's own view of its end: the item that the input ends in, or NULL if it may end there.
 */
static const char *cut_inside(const struct stream_reader *reader, size_t left, char *buffer,
			      size_t size)
{
	char name[24];

	if (left >= SENDCP_COMMAND_HEADER_SIZE && reader->inside)
		snprintf(buffer, size, "inside %s",
			 stream_command_name(reader->command.type, name));
	else if (left)
		snprintf(buffer, size, reader->inside ? "inside a command's header" :
						       "inside a stream header");
	else if (reader->inside)
		snprintf(buffer, size, "without END");
	else if (!reader->protocol)
		snprintf(buffer, size, "before any stream");
	else
		return NULL;
	return buffer;
}

/* The input has no more than @left bytes of what should come next. */
static const struct stream_command *input_ended(struct stream_reader *reader, size_t left)
{
	const struct unwrap_ending *ending = unwrap_ending(reader->unwrap);
	char buffer[64];
	const char *where = cut_inside(reader, left, buffer, sizeof(buffer));
	u64 at = reader->offset + left;

	switch (ending->how) {
	case UNWRAP_COMPLETE:
		if (where)
			return ended(reader, STREAM_CUT, "it ends at byte %llu, %s", at, where);
		return ended(reader, STREAM_WHOLE, "%s", "");
	case UNWRAP_TRUNCATED:
		return ended(reader, STREAM_CUT, "%s", ending->what);
	case UNWRAP_DAMAGED:
		return ended(reader, STREAM_DAMAGED, "%s", ending->what);
	default:
		return ended(reader, STREAM_FAILED, "%s", ending->what);
	}
}

static u32 get_u32(const u8 *from)
{
	__le32 value;

	memcpy(&value, from, sizeof(value));
	return le32_to_cpu(value);
}

static u32 get_u16(const u8 *from)
{
	__le16 value;

	memcpy(&value, from, sizeof(value));
	return le16_to_cpu(value);
}

static const struct stream_command *hand_out(struct stream_reader *reader, u32 size)
{
	struct stream_command *command = &reader->command;

	command->bytes = reader->buffer + reader->from;
	command->size = size;
	command->offset = reader->offset;
	command->protocol = reader->protocol;
	reader->from += size;
	reader->offset += size;
	return command;
}

static const struct stream_command *no_header(struct stream_reader *reader)
{
	const struct foreign *foreign = foreign_find(reader->buffer + reader->from,
						     reader->filled - reader->from);

	reader->fault_inside = true;
	if (reader->protocol)
		return ended(reader, STREAM_DAMAGED, "there is no stream header after END at byte "
			     "%llu", reader->offset);
	if (foreign)
		return ended(reader, STREAM_DAMAGED, "it is %s: unpack it first: %s | sendcp "
			     "verify -", foreign->how, foreign->command);
	return ended(reader, STREAM_DAMAGED, "it is no send stream, and no container of one");
}

static const struct stream_command *unknown_protocol(struct stream_reader *reader, u32 protocol)
{
	reader->fault_inside = true;
	return ended(reader, STREAM_DAMAGED, "the stream header at byte %llu has protocol %u, "
		     "1 to %u are supported", reader->offset, protocol, STREAM_PROTOCOL_MAX);
}

static const struct stream_command *next_header(struct stream_reader *reader)
{
	size_t left = have(reader, SENDCP_STREAM_HEADER_SIZE);
	const u8 *bytes = reader->buffer + reader->from;
	u32 protocol;

	if (memcmp(bytes, SENDCP_STREAM_MAGIC, sendcp_min(left, SENDCP_STREAM_MAGIC_SIZE)))
		return no_header(reader);
	if (left < SENDCP_STREAM_HEADER_SIZE)
		return input_ended(reader, left);
	protocol = get_u32(bytes + SENDCP_STREAM_MAGIC_SIZE);
	if (!protocol || protocol > STREAM_PROTOCOL_MAX)
		return unknown_protocol(reader, protocol);
	reader->protocol = protocol;
	reader->inside = true;
	reader->command.type = 0;
	reader->command.attribute_count = 0;
	return hand_out(reader, SENDCP_STREAM_HEADER_SIZE);
}

/* Over the header with zeros in the CRC's place, and the body. */
static u32 command_crc(const u8 *bytes, u32 size)
{
	u8 header[SENDCP_COMMAND_HEADER_SIZE] = { 0 };
	u32 crc;

	memcpy(header, bytes, offsetof(struct sendcp_command_header, crc));
	crc = sendcp_crc32c(0, header, sizeof(header));
	return sendcp_crc32c(crc, bytes + sizeof(header), size - sizeof(header));
}

/* Cuts one attribute off the front of @left bytes; returns its whole size, 0: malformed. */
static u32 split_attribute(const struct stream_reader *reader, const u8 *bytes, u32 left,
			   struct stream_attribute *attribute)
{
	u32 head = SENDCP_ATTR_HEADER_SIZE;

	if (left < SENDCP_ATTR_TYPE_SIZE)
		return 0;
	attribute->type = get_u16(bytes);
	if (attribute->type == SENDCP_A_DATA && reader->protocol >= 2) {
		head = SENDCP_ATTR_TYPE_SIZE;
		attribute->length = left - head;
	} else if (left < head) {
		return 0;
	} else {
		attribute->length = get_u16(bytes + SENDCP_ATTR_TYPE_SIZE);
	}
	attribute->value = bytes + head;
	return attribute->length <= left - head ? head + attribute->length : 0;
}

static bool split_attributes(struct stream_reader *reader, const u8 *body, u32 length)
{
	struct stream_command *command = &reader->command;
	u32 at = 0;

	command->attribute_count = 0;
	while (at < length) {
		u32 size;

		if (command->attribute_count == STREAM_ATTRIBUTES_MAX)
			return false;
		size = split_attribute(reader, body + at, length - at,
				       &command->attributes[command->attribute_count]);
		if (!size)
			return false;
		command->attribute_count++;
		at += size;
	}
	return true;
}

static const struct stream_command *bad_command(struct stream_reader *reader, const char *why)
{
	char name[24];

	reader->fault_inside = true;
	return ended(reader, STREAM_DAMAGED, "%s at byte %llu %s",
		     stream_command_name(reader->command.type, name), reader->offset, why);
}

/*
 * The length comes first, and a wrong one must not make what follows look cut: a limit for it, and
 * a number that is a command's.
 */
static const struct stream_command *next_command(struct stream_reader *reader)
{
	size_t left = have(reader, SENDCP_COMMAND_HEADER_SIZE);
	const u8 *bytes = reader->buffer + reader->from;
	struct stream_command *command = &reader->command;
	u32 length;

	if (left < SENDCP_COMMAND_HEADER_SIZE)
		return input_ended(reader, left);
	length = get_u32(bytes);
	command->type = get_u16(bytes + offsetof(struct sendcp_command_header, command));
	if (!command->type || command->type > stream_command_last(reader->protocol))
		return bad_command(reader, "is not a command of its protocol");
	if (length > stream_command_max(reader->protocol) - SENDCP_COMMAND_HEADER_SIZE)
		return bad_command(reader, "is longer than its protocol allows");
	length += SENDCP_COMMAND_HEADER_SIZE;
	left = have(reader, length);
	bytes = reader->buffer + reader->from;
	if (left < length)
		return input_ended(reader, left);
	if (get_u32(bytes + offsetof(struct sendcp_command_header, crc)) !=
	    command_crc(bytes, length))
		return bad_command(reader, "has a wrong checksum");
	if (!split_attributes(reader, bytes + SENDCP_COMMAND_HEADER_SIZE,
			      length - SENDCP_COMMAND_HEADER_SIZE))
		return bad_command(reader, "is not made of whole attributes");
	command->number++;
	if (command->type == SENDCP_C_END)
		reader->inside = false;
	return hand_out(reader, length);
}

const struct stream_command *stream_next(struct stream_reader *reader)
{
	if (reader->how != STREAM_GOING_ON)
		return NULL;
	reader->whole = reader->offset;
	if (reader->ahead_count)
		settle_units(reader);
	if (reader->inside)
		return next_command(reader);
	/* After END there may be nothing. */
	if (!have(reader, 1))
		return input_ended(reader, 0);
	return next_header(reader);
}

enum stream_how stream_how(const struct stream_reader *reader)
{
	return reader->how;
}

const char *stream_what(const struct stream_reader *reader)
{
	return reader->what;
}

u64 stream_whole(const struct stream_reader *reader)
{
	return reader->whole;
}

struct unwrap_place stream_unit(const struct stream_reader *reader)
{
	return reader->fault_inside ? reader->unit : unwrap_whole(reader->unwrap);
}

const struct stream_attribute *stream_attribute(const struct stream_command *command, u32 type)
{
	for (u32 i = command->attribute_count; i > 0; i--)
		if (command->attributes[i - 1].type == type)
			return &command->attributes[i - 1];
	return NULL;
}

u64 stream_attribute_u64(const struct stream_attribute *attribute)
{
	__le64 value = 0;

	memcpy(&value, attribute->value, sendcp_min(attribute->length, sizeof(value)));
	return le64_to_cpu(value);
}
