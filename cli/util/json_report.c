// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * One JSON object on one line for --progress=json.
 */
#include <stdio.h>
#include <string.h>

#include "util/json_report.h"

/* Always left free in the line: for the end of a string and of the object. */
#define END_ROOM 4
/* For a key's punctuation and a number. */
#define MEMBER_ROOM 64

/* Nothing is put after what did not fit. */
static bool fits(struct json_report *report, size_t length)
{
	report->full = report->full || report->used + length + END_ROOM > report->size;
	return !report->full;
}

static bool put(struct json_report *report, const char *text)
{
	size_t length = strlen(text);

	if (!fits(report, length))
		return false;
	memcpy(report->line + report->used, text, length);
	report->used += length;
	return true;
}

/* False: there is no room for the member. */
static bool put_key(struct json_report *report, const char *key)
{
	if (!fits(report, strlen(key) + MEMBER_ROOM))
		return false;
	put(report, ",\"");
	put(report, key);
	return put(report, "\":");
}

static bool continues(u8 byte)
{
	return (byte & 0xc0) == 0x80;
}

/* Bytes of the UTF-8 character that @text begins with; 0: it begins with none. */
static size_t character(const u8 *text)
{
	static const u32 least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t length = text[0] < 0x80 ? 1 : text[0] < 0xc0 ? 0 : text[0] < 0xe0 ? 2 :
			text[0] < 0xf0 ? 3 : text[0] < 0xf8 ? 4 : 0;
	u32 code = length > 1 ? text[0] & (0x7fu >> length) : text[0];

	for (size_t i = 1; i < length; i++) {
		if (!continues(text[i]))
			return 0;
		code = code << 6 | (text[i] & 0x3f);
	}
	if (code < least[length] || code > 0x10ffff || (code >= 0xd800 && code < 0xe000))
		return 0;
	return length;
}

/* The characters that @text begins with, as they are within a string; moves it on. */
static void escape(const u8 **text, char to[JSON_REPORT_ESCAPE + 1])
{
	size_t length = character(*text);

	*to = '\0';
	if (!**text)
		return;
	if (!length)
		snprintf(to, JSON_REPORT_ESCAPE + 1, "\\ufffd");
	else if (**text == '"' || **text == '\\')
		snprintf(to, JSON_REPORT_ESCAPE + 1, "\\%c", **text);
	else if (**text < 0x20)
		snprintf(to, JSON_REPORT_ESCAPE + 1, "\\u%04x", **text);
	else
		snprintf(to, JSON_REPORT_ESCAPE + 1, "%.*s", (int)length, (const char *)*text);
	*text += length ? length : 1;
}

static void put_string(struct json_report *report, const char *value)
{
	const u8 *text = (const u8 *)value;
	char escaped[JSON_REPORT_ESCAPE + 1];

	put(report, "\"");
	do {
		escape(&text, escaped);
	} while (*escaped && put(report, escaped));
	/* In the room that put() leaves. */
	report->line[report->used++] = '"';
}

void json_report_begin(struct json_report *report, char *line, size_t size, const char *type)
{
	*report = (struct json_report){ .line = line, .size = size };
	put(report, "{\"message_type\":");
	put_string(report, type);
}

void json_report_string(struct json_report *report, const char *key, const char *value)
{
	if (!value)
		json_report_null(report, key);
	else if (put_key(report, key))
		put_string(report, value);
}

void json_report_u64(struct json_report *report, const char *key, u64 value)
{
	char text[24];

	snprintf(text, sizeof(text), "%llu", value);
	if (put_key(report, key))
		put(report, text);
}

void json_report_decimal(struct json_report *report, const char *key, double value)
{
	char text[48];

	snprintf(text, sizeof(text), "%.3f", value < 1e15 ? value : 1e15);
	if (put_key(report, key))
		put(report, text);
}

void json_report_null(struct json_report *report, const char *key)
{
	if (put_key(report, key))
		put(report, "null");
}

size_t json_report_end(struct json_report *report)
{
	memcpy(report->line + report->used, "}\n", 2);
	return report->used + 2;
}
