/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The commands and attributes of protocols 1 to 3: their names and values, and which are required.
 */
#ifndef CLI_PARSE_FORMAT_H
#define CLI_PARSE_FORMAT_H

#include <sendcp/stream.h>

#define STREAM_PROTOCOL_MAX 3u
#define STREAM_COMMAND_LAST 26u
#define STREAM_ATTRIBUTE_LAST 35u

/* The type of an attribute's value. */
enum stream_value {
	STREAM_U8,
	STREAM_U32,
	STREAM_U64,
	STREAM_UUID,
	STREAM_TIME,
	/* A path, name or link target. */
	STREAM_TEXT,
	STREAM_BYTES,
};

struct stream_attribute_info {
	/* As JSON calls it. */
	const char *name;
	enum stream_value value;
};

struct stream_command_info {
	/* As btrfs receive --dump calls it. */
	const char *name;
	/* Lowest protocol that has it. */
	u32 protocol;
	/* Bits (1 << attribute). */
	u64 required;
	u64 optional;
};

/* NULL: there is no such number. */
const struct stream_attribute_info *stream_attribute_info(u32 type);
const struct stream_command_info *stream_command_info(u32 command);
/* "write", "command 77". @buffer is for the latter. */
const char *stream_command_name(u32 command, char buffer[24]);
/* Bytes of a value; 0: any number. */
u32 stream_value_size(enum stream_value value);
/* Highest attribute and command of @protocol. */
u32 stream_attribute_last(u32 protocol);
u32 stream_command_last(u32 protocol);
/* Largest command, with its header, that any sender makes. */
u32 stream_command_max(u32 protocol);

#endif
