/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One JSON object on one line for --progress=json, put together in memory that is there already:
 * running out of memory is one of the things to be reported. Bytes that are not UTF-8 become
 * U+FFFD.
 */
#ifndef CLI_UTIL_JSON_REPORT_H
#define CLI_UTIL_JSON_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <sendcp/platform.h>

/* A byte becomes at most so many; so many more are needed for all but strings. */
#define JSON_REPORT_ESCAPE 6
#define JSON_REPORT_ROOM 1024

struct json_report {
	char *line;
	size_t size;
	size_t used;
	/* Something did not fit: nothing more is put. */
	bool full;
};

/* @type is the first member, "message_type". */
void json_report_begin(struct json_report *report, char *line, size_t size, const char *type);
/* @value NULL: null. One that does not fit into the line is cut. */
void json_report_string(struct json_report *report, const char *key, const char *value);
void json_report_u64(struct json_report *report, const char *key, u64 value);
/* Three places. */
void json_report_decimal(struct json_report *report, const char *key, double value);
void json_report_null(struct json_report *report, const char *key);
/* Returns the line's length, with its newline. */
size_t json_report_end(struct json_report *report);

#endif
