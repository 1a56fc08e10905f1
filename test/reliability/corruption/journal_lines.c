// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Lines of JSON with their sums, changed in one place.
 */
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "journal_lines.h"

#define SUM ",\"sum\":\""
#define SUM_DIGITS 16u

/* The values that a member gets, as JSON; NULL: it is left out. */
static const char * const values[] = {
	NULL, "0", "1", "-1", "2", "4096", "4294967295", "4294967296", "9223372036854775807",
	"9223372036854775808", "18446744073709551615", "1.5", "true", "false", "null", "\"\"",
	"\"x\"", "\"/\"", "\"..\"", "\"\\u0000\"", "\"FILE\"", "[]", "{}", "[null]",
	"[[[[[[[[]]]]]]]]",
};

static struct json_object *parse(const struct content *content, size_t start, size_t length)
{
	struct json_tokener *tokener = json_tokener_new();
	struct json_object *object;

	/* The end of the line stands after its sum. */
	object = json_tokener_parse_ex(tokener, (const char *)content->bytes + start,
				       (int)(length + strlen(SUM) + SUM_DIGITS + 2));
	json_tokener_free(tokener);
	return object;
}

static void add_line(struct lines *lines, const struct content *content, size_t start,
		     size_t length)
{
	struct json_object *object = parse(content, start, length);

	if (!object)
		return;
	if (lines->count == LINES_MAX)
		abort();
	lines->lines[lines->count].start = start;
	lines->lines[lines->count].length = length;
	lines->lines[lines->count].members = (u32)json_object_object_length(object);
	lines->count++;
	json_object_put(object);
}

void lines_find(struct lines *lines, const struct content *content)
{
	const u8 *end = content->bytes + content->size, *start = content->bytes, *sum;
	const u8 *line;

	lines->count = 0;
	while ((sum = memmem(start, (size_t)(end - start), SUM, strlen(SUM)))) {
		/* In an archive, other things precede the line: its brace follows one of them. */
		line = sum;
		while (line > start && line[-1] != '\n' && line[-1])
			line--;
		add_line(lines, content, (size_t)(line - content->bytes), (size_t)(sum - line));
		start = sum + strlen(SUM) + SUM_DIGITS;
	}
}

u64 lines_bytes(const struct lines *lines)
{
	u64 bytes = 0;

	for (u32 i = 0; i < lines->count; i++)
		bytes += lines->lines[i].length;
	return bytes;
}

static void put_sum(u8 *line, size_t length, u8 *digits)
{
	char text[SUM_DIGITS + 1];

	snprintf(text, sizeof(text), "%016llx", (unsigned long long)XXH3_64bits(line, length));
	memcpy(digits, text, SUM_DIGITS);
}

/* The line with byte @byte of all lines' bytes, which becomes the byte in it. */
static u32 line_of(const struct lines *lines, u64 *byte)
{
	u32 i;

	for (i = 0; *byte >= lines->lines[i].length; i++)
		*byte -= lines->lines[i].length;
	return i;
}

void lines_change_byte(const struct lines *lines, struct content *content, u64 byte, u32 pattern)
{
	u32 i = line_of(lines, &byte);
	size_t length = lines->lines[i].length;
	u8 *line = content->bytes + lines->lines[i].start;

	line[byte] = pattern_apply(pattern, line[byte], byte);
	put_sum(line, length, line + length + strlen(SUM));
}

u64 lines_fields(const struct lines *lines)
{
	u64 members = 0;

	for (u32 i = 0; i < lines->count; i++)
		members += lines->lines[i].members;
	return members * ARRAY_SIZE(values);
}

/* The line and the member that are changed, and the value. */
static const char *find_field(const struct lines *lines, u64 number, u32 *line, u32 *member)
{
	u64 place = number / ARRAY_SIZE(values);

	for (*line = 0; place >= lines->lines[*line].members; (*line)++)
		place -= lines->lines[*line].members;
	*member = (u32)place;
	return values[number % ARRAY_SIZE(values)];
}

bool lines_in_first(const struct lines *lines, u64 number)
{
	return number / ARRAY_SIZE(values) < lines->lines[0].members;
}

/* Into @text: the object with the member changed, and without its sum and closing brace. */
static size_t print_changed(struct json_object *object, u32 member, const char *value, char *text,
			    size_t room)
{
	size_t size = 0;
	u32 number = 0;

	json_object_object_foreach(object, name, old) {
		const char *now = number++ == member ? value :
			json_object_to_json_string_ext(old, JSON_C_TO_STRING_PLAIN);

		if (now && strcmp(name, "sum"))
			size += (size_t)snprintf(text + size, room - size, "%c\"%s\":%s",
						 size ? ',' : '{', name, now);
	}
	return size;
}

bool lines_change_field(const struct lines *lines, const struct content *whole, u64 number,
			struct content *changed)
{
	u32 line, member;
	const char *value = find_field(lines, number, &line, &member);
	size_t start = lines->lines[line].start;
	size_t end = start + lines->lines[line].length + strlen(SUM) + SUM_DIGITS;
	struct json_object *object = parse(whole, start, lines->lines[line].length);
	size_t length, size;

	length = print_changed(object, member, value, (char *)changed->bytes + start,
			       sizeof(changed->bytes) - start);
	json_object_put(object);
	memcpy(changed->bytes + start + length, SUM, strlen(SUM));
	size = start + length + strlen(SUM);
	put_sum(changed->bytes + start, length, changed->bytes + size);
	size += SUM_DIGITS;
	memcpy(changed->bytes + size, whole->bytes + end, whole->size - end);
	changed->size = size + whole->size - end;
	return !content_equal(changed, whole);
}

void lines_describe(const struct lines *lines, const struct content *whole, u64 number, bool field,
		    char text[CASE_TEXT])
{
	u64 byte = number / PATTERNS;
	u32 line, member, at = 0;
	struct json_object *object;
	const char *value;

	if (!field) {
		line = line_of(lines, &byte);
		snprintf(text, CASE_TEXT, "line %u, byte %llu: %s", line + 1,
			 (unsigned long long)byte, pattern_text((u32)(number % PATTERNS)));
		return;
	}
	value = find_field(lines, number, &line, &member);
	object = parse(whole, lines->lines[line].start, lines->lines[line].length);
	json_object_object_foreach(object, name, old) {
		if (at++ == member)
			snprintf(text, CASE_TEXT, "line %u, %s: %s", line + 1, name,
				 old && value ? value : "left out");
	}
	json_object_put(object);
}
