// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * JSON objects as text: made twice, first without a buffer, so that the memory is known before a
 * byte is written. The library's own text lacks what it had no memory for, and nothing says so.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/alloc.h"
#include "util/json_line.h"
#include "util/printable.h"

#define INDENT 2u

/* @bytes is NULL while the text is measured. */
struct text {
	char *bytes;
	size_t length;
	bool pretty;
};

static void put_value(struct text *text, struct json_object *value, unsigned int depth);

static void put_bytes(struct text *text, const char *bytes, size_t size)
{
	if (text->bytes)
		memcpy(text->bytes + text->length, bytes, size);
	text->length += size;
}

static void put_text(struct text *text, const char *string)
{
	put_bytes(text, string, strlen(string));
}

static void put_escaped(struct text *text, unsigned char c)
{
	static const char letters[] = "\"\"\\\\\bb\nn\rr\tt\ff";
	char escaped[8] = { '\\' };

	for (size_t i = 0; i < sizeof(letters) - 1; i += 2) {
		if (c == (unsigned char)letters[i]) {
			escaped[1] = letters[i + 1];
			put_bytes(text, escaped, 2);
			return;
		}
	}
	snprintf(escaped, sizeof(escaped), "\\u%04x", c);
	put_text(text, escaped);
}

static void put_quoted(struct text *text, const char *string, size_t size)
{
	size_t done = 0;

	put_text(text, "\"");
	for (size_t i = 0; i < size; i++) {
		unsigned char c = (unsigned char)string[i];

		if (c >= ' ' && c != '"' && c != '\\')
			continue;
		put_bytes(text, string + done, i - done);
		put_escaped(text, c);
		done = i + 1;
	}
	put_bytes(text, string + done, size - done);
	put_text(text, "\"");
}

static void put_line_break(struct text *text, unsigned int depth)
{
	if (!text->pretty)
		return;
	put_text(text, "\n");
	for (unsigned int i = 0; i < INDENT * depth; i++)
		put_text(text, " ");
}

/* NOLINTNEXTLINE(misc-no-recursion): as deep as the object, see put_value(). */
static void put_object(struct text *text, struct json_object *object, unsigned int depth)
{
	bool any = false;

	put_text(text, "{");
	json_object_object_foreach(object, key, value) {
		put_text(text, any ? "," : "");
		put_line_break(text, depth + 1);
		put_quoted(text, key, strlen(key));
		put_text(text, ":");
		put_value(text, value, depth + 1);
		any = true;
	}
	if (any)
		put_line_break(text, depth);
	put_text(text, "}");
}

/* NOLINTNEXTLINE(misc-no-recursion): as deep as the object, see put_value(). */
static void put_array(struct text *text, struct json_object *array, unsigned int depth)
{
	size_t count = json_object_array_length(array);

	put_text(text, "[");
	for (size_t i = 0; i < count; i++) {
		put_text(text, i ? "," : "");
		put_line_break(text, depth + 1);
		put_value(text, json_object_array_get_idx(array, i), depth + 1);
	}
	if (count)
		put_line_break(text, depth);
	put_text(text, "]");
}

/* A negative number is never made as an unsigned one. */
static void put_number(struct text *text, struct json_object *number)
{
	char digits[24];
	int64_t low = json_object_get_int64(number);

	if (low < 0)
		snprintf(digits, sizeof(digits), "%" PRId64, low);
	else
		snprintf(digits, sizeof(digits), "%" PRIu64, json_object_get_uint64(number));
	put_text(text, digits);
}

/* As deep as the objects of the programs that call this, which is not deep. */
/* NOLINTNEXTLINE(misc-no-recursion) */
static void put_value(struct text *text, struct json_object *value, unsigned int depth)
{
	switch (json_object_get_type(value)) {
	case json_type_object:
		put_object(text, value, depth);
		break;
	case json_type_array:
		put_array(text, value, depth);
		break;
	case json_type_string:
		put_quoted(text, json_object_get_string(value),
			   (size_t)json_object_get_string_len(value));
		break;
	case json_type_boolean:
		put_text(text, json_object_get_boolean(value) ? "true" : "false");
		break;
	case json_type_int:
		put_number(text, value);
		break;
	default:
		put_text(text, "null");
	}
}

size_t json_text_length(struct json_object *object)
{
	struct text text = { 0 };

	put_value(&text, object, 0);
	return text.length;
}

char *json_text(struct json_object *object, size_t room, size_t *length)
{
	struct text text = { 0 };
	char *bytes;

	if (json_take_lacking() || !object)
		return NULL;
	put_value(&text, object, 0);
	bytes = malloc(text.length + room + 1);
	if (!bytes)
		return NULL;
	text = (struct text){ .bytes = bytes };
	put_value(&text, object, 0);
	bytes[text.length] = '\0';
	*length = text.length;
	return bytes;
}

void json_print(struct json_object *object, bool pretty, FILE *to)
{
	struct text text = { .pretty = pretty };
	char *bytes;

	if (json_take_lacking() || !object)
		exit_without_memory();
	put_value(&text, object, 0);
	bytes = xmalloc(text.length + 1);
	text = (struct text){ .bytes = bytes, .pretty = pretty };
	put_value(&text, object, 0);
	bytes[text.length] = '\0';
	fputs_json(bytes, to);
	putc('\n', to);
	free(bytes);
	json_object_put(object);
}
