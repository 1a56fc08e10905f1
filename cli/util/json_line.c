// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * One JSON object on one line that carries its own checksum.
 */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "util/alloc.h"
#include "util/json_line.h"
#include "util/text.h"

#define SUM_PREFIX ",\"sum\":\""
#define SUM_DIGITS 16
#define SUM_LENGTH (sizeof(SUM_PREFIX) - 1 + SUM_DIGITS + 2)
/* A line's objects nest three deep; deeper ones are not ours. */
#define MAX_DEPTH 8

/* The whole end of a line, so that it can be compared at once. */
static void format_sum(const char *text, size_t length, char *to)
{
	snprintf(to, SUM_LENGTH + 1, SUM_PREFIX "%016llx\"}",
		 (unsigned long long)XXH3_64bits(text, length));
}

char *json_line_format(struct json_object *object, size_t *length)
{
	size_t plain;
	char *line = json_text(object, SUM_LENGTH + 1, &plain);

	if (!line)
		return NULL;
	/* The sum takes the closing brace's place. */
	plain--;
	format_sum(line, plain, line + plain);
	memcpy(line + plain + SUM_LENGTH, "\n", 2);
	*length = plain + SUM_LENGTH + 1;
	return line;
}

/*
 * Two bytes of text may become an object of nearly a kilobyte: so what is in @text is counted
 * before it is parsed. The parser takes other quotes and comments, too, within which a quote means
 * nothing.
 */
static bool few_values(const char *text, size_t length)
{
	size_t values = 0, lists = 0;
	bool quoted = false;

	for (size_t i = 0; i < length; i++) {
		if (quoted && text[i] == '\\') {
			i++;
		} else if (text[i] == '"') {
			quoted = !quoted;
		} else if (!quoted && (text[i] == '\'' || text[i] == '/')) {
			return false;
		} else if (!quoted) {
			values += text[i] == ',';
			lists += text[i] == '{' || text[i] == '[';
		}
	}
	return values <= JSON_VALUES_MAX && lists <= JSON_LISTS_MAX;
}

static struct json_object *parse(const char *text, size_t length)
{
	struct json_tokener *tokener;
	struct json_object *object = NULL;

	tokener = xobject(json_tokener_new_ex(MAX_DEPTH));
	object = json_tokener_parse_ex(tokener, text, (int)length);
	if (object && (json_tokener_get_parse_end(tokener) != length ||
		       !json_object_is_type(object, json_type_object))) {
		json_object_put(object);
		object = NULL;
	}
	json_tokener_free(tokener);
	return object;
}

/*
 * The library drops what it has no memory for, and what is left may look like damage. What parses
 * to an object of its text's own length is whole; of anything else it must find the same twice.
 */
struct json_object *json_text_parse(const char *text, size_t length)
{
	struct json_object *object, *again;

	if (length > INT_MAX || !few_values(text, length))
		return NULL;
	object = parse(text, length);
	if (object && json_text_length(object) == length)
		return object;
	again = parse(text, length);
	if (!object != !again || (object && json_text_length(object) != json_text_length(again)))
		exit_without_memory();
	json_object_put(again);
	return object;
}

struct json_object *json_line_parse(const char *line, size_t length)
{
	char sum[SUM_LENGTH + 1];
	size_t plain;

	if (length <= SUM_LENGTH)
		return NULL;
	plain = length - SUM_LENGTH;
	format_sum(line, plain, sum);
	if (memcmp(line + plain, sum, SUM_LENGTH))
		return NULL;
	return json_text_parse(line, length);
}

static struct json_object *member(struct json_object *object, const char *key, json_type type)
{
	struct json_object *value;

	if (!json_object_object_get_ex(object, key, &value) || !json_object_is_type(value, type))
		return NULL;
	return value;
}

/* json-c turns negative numbers into 0 here, and larger ones into the largest there. */
bool json_get_u64(struct json_object *object, const char *key, u64 *value)
{
	struct json_object *number = member(object, key, json_type_int);

	if (!number || json_object_get_int64(number) < 0)
		return false;
	*value = json_object_get_uint64(number);
	return true;
}

bool json_get_u32(struct json_object *object, const char *key, u32 *value)
{
	u64 wide;

	if (!json_get_u64(object, key, &wide) || wide > UINT32_MAX)
		return false;
	*value = (u32)wide;
	return true;
}

const char *json_get_text(struct json_object *object, const char *key)
{
	struct json_object *text = member(object, key, json_type_string);
	const char *value = text ? json_object_get_string(text) : NULL;

	/* A string with a NUL inside is nothing that was written here. */
	if (value && strlen(value) != (size_t)json_object_get_string_len(text))
		return NULL;
	return value;
}

bool json_get_flag(struct json_object *object, const char *key)
{
	struct json_object *flag = member(object, key, json_type_boolean);

	return flag && json_object_get_boolean(flag);
}

bool json_get_hex(struct json_object *object, const char *key, u8 *bytes, size_t size)
{
	const char *text = json_get_text(object, key);

	return text && sendcp_hex_parse(text, bytes, size);
}

bool json_get_uuid(struct json_object *object, const char *key, u8 uuid[16])
{
	const char *text = json_get_text(object, key);

	return text && sendcp_uuid_from_text(text, uuid);
}

struct json_object *json_get_array(struct json_object *object, const char *key)
{
	return member(object, key, json_type_array);
}

struct json_object *json_get_object(struct json_object *object, const char *key)
{
	return member(object, key, json_type_object);
}

u64 json_get_time(struct json_object *object)
{
	u64 time = 0;

	json_get_u64(object, "time", &time);
	return time;
}
