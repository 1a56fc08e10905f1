/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pulls commands out of a send stream in any wrapping: framing, limits and CRCs are right in the
 * commands it hands out. Their meaning and order is the subject of check.h.
 */
#ifndef CLI_PARSE_READER_H
#define CLI_PARSE_READER_H

#include "container/unwrap.h"
#include "parse/format.h"

/* Each number once, and a few for repeated ones. */
#define STREAM_ATTRIBUTES_MAX 40

struct stream_attribute {
	u32 type;
	u32 length;
	const u8 *value;
};

/* A command, or a stream's header, for which type is 0. Valid until the next is asked for. */
struct stream_command {
	u32 type;
	u32 protocol;
	/* Counted over the whole input from 1, headers not counted; 0 before the first. */
	u64 number;
	/* Of its first byte in the plain stream; its bytes as they are there. */
	u64 offset;
	const u8 *bytes;
	u32 size;
	u32 attribute_count;
	struct stream_attribute attributes[STREAM_ATTRIBUTES_MAX];
};

enum stream_how {
	STREAM_GOING_ON,
	/* The last stream has its END, and the wrapping its own end. */
	STREAM_WHOLE,
	/* Right as far as it goes, but it does not go to the end. */
	STREAM_CUT,
	STREAM_DAMAGED,
	/* Input errors, memory. */
	STREAM_FAILED,
};

struct stream_reader;
/* All plain bytes in order, before they are looked at. */
typedef void (*stream_tap_fn)(void *context, const u8 *bytes, size_t size);

/* Takes @unwrap over only for reading; NULL without memory. */
struct stream_reader *stream_reader_new(struct unwrap *unwrap);
void stream_reader_free(struct stream_reader *reader);
void stream_reader_tap(struct stream_reader *reader, stream_tap_fn function, void *context);

/* The next command or header, or NULL: ended. */
const struct stream_command *stream_next(struct stream_reader *reader);

/* How it ended; the fault, as a text with places in it ("" if there is none). */
enum stream_how stream_how(const struct stream_reader *reader);
const char *stream_what(const struct stream_reader *reader);
/* End of the last whole command, in the plain stream. */
u64 stream_whole(const struct stream_reader *reader);
/*
 * The last whole unit of the wrapping (unwrap_whole()) in which nothing is wrong as far as commands
 * go. Both 0: none.
 */
struct unwrap_place stream_unit(const struct stream_reader *reader);

/* For who finds fault with the last command: it ends there, before that command. */
void stream_reject(struct stream_reader *reader, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* NULL if the command has no such attribute; the last counts, as for btrfs receive. */
const struct stream_attribute *stream_attribute(const struct stream_command *command, u32 type);
u64 stream_attribute_u64(const struct stream_attribute *attribute);

#endif
