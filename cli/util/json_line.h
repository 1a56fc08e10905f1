/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One JSON object on one line that carries its own checksum, and typed access to its members.
 *
 * The last member is "sum": 16 lower-case hexadecimal digits of the XXH3-64 (seed 0) of all bytes
 * of the line before the comma that precedes it:
 *
 *	{"type":"complete","output_offset":4711,"sum":"f6c1..."}
 *	^------------- summed up ---------------^
 */
#ifndef CLI_UTIL_JSON_LINE_H
#define CLI_UTIL_JSON_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <json-c/json.h>
#include <sendcp/platform.h>

/*
 * The most values, and objects and arrays among them, in a text that is parsed: what the longest
 * header of a journal has. They bound the memory that a made-up line takes.
 */
#define JSON_VALUES_MAX 1300000u
#define JSON_LISTS_MAX 132000u

/* Does what this thread has built since the last text lack something? */
bool json_take_lacking(void);
/*
 * @object on one line, malloc'ed with @room bytes more than its text and the NUL; NULL without
 * memory.
 */
char *json_text(struct json_object *object, size_t room, size_t *length);
/* Of the same text. */
size_t json_text_length(struct json_object *object);
/* Prints and frees @object; exits without memory. */
void json_print(struct json_object *object, bool pretty, FILE *to);

/* @object's line with sum and newline, malloc'ed; NULL without memory. @object is not empty. */
char *json_line_format(struct json_object *object, size_t *length);
/*
 * @line is without its newline. NULL if the sum is not right, it is no JSON object, or has more
 * values than any line of ours.
 */
struct json_object *json_line_parse(const char *line, size_t length);
/*
 * As json_line_parse(), but without checking the sum: to tell a newer format from a damaged line.
 */
struct json_object *json_text_parse(const char *text, size_t length);

/*
 * Building. Without memory an object lacks something, or is NULL; that is noted, and no text is
 * made of it. json_put() and json_array_add() take @value over, which was made for it.
 */
struct json_object *json_new(void);
struct json_object *json_new_array(void);
void json_array_add(struct json_object *array, struct json_object *value);
void json_put(struct json_object *object, const char *key, struct json_object *value);
void json_put_null(struct json_object *object, const char *key);
/* @text may be NULL, and then so is the member. */
void json_put_text(struct json_object *object, const char *key, const char *text);
void json_put_u64(struct json_object *object, const char *key, u64 value);
void json_put_string(struct json_object *object, const char *key, const char *value);
void json_put_bool(struct json_object *object, const char *key, bool value);
void json_put_hex(struct json_object *object, const char *key, const u8 *bytes, size_t size);
void json_put_uuid(struct json_object *object, const char *key, const u8 uuid[16]);

/* The member "time": seconds since 1970. 0 is not put, and what a missing one gives. */
void json_put_time(struct json_object *object, u64 time);
u64 json_get_time(struct json_object *object);

/* False if the member is missing, of another type, or out of range. */
bool json_get_u64(struct json_object *object, const char *key, u64 *value);
bool json_get_u32(struct json_object *object, const char *key, u32 *value);
/* NULL if there is no such string. Lives as long as @object. */
const char *json_get_text(struct json_object *object, const char *key);
/* A missing member is false. */
bool json_get_flag(struct json_object *object, const char *key);
bool json_get_hex(struct json_object *object, const char *key, u8 *bytes, size_t size);
bool json_get_uuid(struct json_object *object, const char *key, u8 uuid[16]);
/* NULL if there is no such array. */
struct json_object *json_get_array(struct json_object *object, const char *key);
struct json_object *json_get_object(struct json_object *object, const char *key);

#endif
