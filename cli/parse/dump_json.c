// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Commands as JSON Lines: all of a command but file data, of which the length is shown.
 *
 * JSON's strings are Unicode, names are any bytes. Values that are not UTF-8 come in base64, in a
 * member whose name ends in _base64, so that nothing is lost and nothing is taken for something
 * else.
 */
#include <stdlib.h>

#include "parse/dump.h"
#include "util/alloc.h"
#include "util/json_line.h"
#include "util/printable.h"
#include "util/text.h"

/* The number of bytes that follow the first byte of a character; -1: none begins with it. */
static int tail_length(u8 first)
{
	if (first < 0x80)
		return 0;
	if (first >= 0xc2 && first < 0xe0)
		return 1;
	if (first >= 0xe0 && first < 0xf0)
		return 2;
	return first >= 0xf0 && first < 0xf5 ? 3 : -1;
}

/* Overlong forms, surrogates, and values beyond Unicode are recognised by the second byte. */
static bool second_possible(u8 first, u8 second)
{
	switch (first) {
	case 0xe0:
		return second >= 0xa0;
	case 0xed:
		return second < 0xa0;
	case 0xf0:
		return second >= 0x90;
	case 0xf4:
		return second < 0x90;
	default:
		return true;
	}
}

static bool is_utf8(const u8 *bytes, size_t size)
{
	size_t i = 0;

	while (i < size) {
		u8 first = bytes[i++];
		int tail = tail_length(first);

		if (tail < 0 || (size_t)tail > size - i ||
		    (tail && !second_possible(first, bytes[i])))
			return false;
		for (; tail > 0; tail--)
			if ((bytes[i++] & 0xc0) != 0x80)
				return false;
	}
	return true;
}

static void put_bytes(struct json_object *object, const char *name,
		      const struct stream_attribute *attribute)
{
	const char *text = (const char *)attribute->value;
	char key[64];
	char *encoded;

	if (is_utf8(attribute->value, attribute->length)) {
		json_put(object, name, json_object_new_string_len(text, (int)attribute->length));
		return;
	}
	encoded = xobject(base64_encode(attribute->value, attribute->length));
	snprintf(key, sizeof(key), "%s_base64", name);
	json_put_string(object, key, encoded);
	free(encoded);
}

static void put_time(struct json_object *object, const char *name,
		     const struct stream_attribute *attribute)
{
	struct stream_attribute nanoseconds = { .value = attribute->value + 8, .length = 4 };
	struct json_object *time = json_new();
	s64 seconds = (s64)stream_attribute_u64(attribute);

	json_put(time, "seconds", json_object_new_int64(seconds));
	json_put_u64(time, "nanoseconds", stream_attribute_u64(&nanoseconds));
	json_put(object, name, time);
}

static void put_attribute(struct json_object *object, const struct stream_attribute *attribute)
{
	const struct stream_attribute_info *info = stream_attribute_info(attribute->type);

	switch (info->value) {
	case STREAM_U8:
	case STREAM_U32:
	case STREAM_U64:
		json_put_u64(object, info->name, stream_attribute_u64(attribute));
		break;
	case STREAM_UUID:
		json_put_uuid(object, info->name, attribute->value);
		break;
	case STREAM_TIME:
		put_time(object, info->name, attribute);
		break;
	default:
		if (attribute->type == SENDCP_A_DATA)
			json_put_u64(object, "data_length", attribute->length);
		else
			put_bytes(object, info->name, attribute);
	}
}

void stream_dump_json(const struct stream_command *command, FILE *to)
{
	struct json_object *object = json_new();
	char name[24];

	json_put_string(object, "command", command->type ?
			stream_command_name(command->type, name) : "header");
	json_put_u64(object, "stream_offset", command->offset);
	json_put_u64(object, "stream_length", command->size);
	if (!command->type)
		json_put_u64(object, "protocol", command->protocol);
	for (u32 i = 0; i < command->attribute_count; i++)
		put_attribute(object, &command->attributes[i]);
	json_print(object, false, to);
}
