// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Lines for people on stderr, or for programs: then each is a JSON object.
 */
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/json_report.h"
#include "util/message.h"
#include "util/printable.h"
#include "util/signals.h"
#include "util/terminal.h"

#define ERROR_PREFIX "sendcp: "
#define WARN_PREFIX "sendcp: warning: "
#define LINE_MAX_BYTES 8192u

static int verbosity_level;
static bool as_json;
static bool in_use;

/* "message_type", and what precedes the same text as a line. */
struct message_kind {
	const char *type;
	const char *prefix;
};

static const struct message_kind error_kind = { "error", ERROR_PREFIX };
static const struct message_kind warning_kind = { "warning", WARN_PREFIX };
static const struct message_kind notice_kind = { "info", ERROR_PREFIX };
static const struct message_kind info_kind = { "info", "" };

void message_set_verbosity(int verbosity)
{
	__atomic_store_n(&verbosity_level, verbosity, __ATOMIC_RELAXED);
}

int message_verbosity(void)
{
	return __atomic_load_n(&verbosity_level, __ATOMIC_RELAXED);
}

void message_set_json(bool json)
{
	as_json = json;
}

bool message_json(void)
{
	return as_json;
}

void make_printable(char *line)
{
	while (*line) {
		size_t length = printable_length(line);

		if (!length)
			*line = '?';
		line += length ? length : 1;
	}
}

static void put_object(const char *type, const char *text)
{
	char line[JSON_REPORT_ESCAPE * LINE_MAX_BYTES + JSON_REPORT_ROOM];
	struct json_report report;

	json_report_begin(&report, line, sizeof(line), type);
	json_report_string(&report, "text", text);
	terminal_print(line, json_report_end(&report));
}

/*
 * A line that is too long is cut. No allocation: running out of memory is one of the failures to be
 * reported.
 */
static void put_line(const struct message_kind *kind, const char *fmt, va_list args)
{
	char line[LINE_MAX_BYTES];
	size_t start = as_json ? 0 : (size_t)snprintf(line, sizeof(line), "%s", kind->prefix);
	size_t capacity = sizeof(line) - start - 1;
	int made = vsnprintf(line + start, capacity, fmt, args);
	size_t end;

	if (made < 0)
		made = 0;
	end = start + ((size_t)made < capacity ? (size_t)made : capacity - 1);
	line[end] = '\0';
	make_printable(line);
	if (as_json) {
		put_object(kind->type, line);
		return;
	}
	line[end] = '\n';
	terminal_print(line, end + 1);
}

int error_line(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	put_line(&error_kind, fmt, args);
	va_end(args);
	in_use = false;
	return -1;
}

int error_in_use(const char *name)
{
	error_line("%s is in use by another sendcp", name);
	in_use = true;
	return -1;
}

bool message_in_use(void)
{
	return in_use;
}

void warn_line(const char *fmt, ...)
{
	va_list args;

	if (message_verbosity() < 0)
		return;
	va_start(args, fmt);
	put_line(&warning_kind, fmt, args);
	va_end(args);
}

void notice_line(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	put_line(&notice_kind, fmt, args);
	va_end(args);
}

void info_line(const char *fmt, ...)
{
	va_list args;

	if (message_verbosity() < 0)
		return;
	va_start(args, fmt);
	put_line(&info_kind, fmt, args);
	va_end(args);
}

void verbose_line(int level, const char *fmt, ...)
{
	va_list args;

	if (message_verbosity() < level)
		return;
	va_start(args, fmt);
	put_line(&info_kind, fmt, args);
	va_end(args);
}

int error_stopped_after(const char *after)
{
	static atomic_bool printed;

	if (!atomic_exchange(&printed, true))
		error_line("stopped by SIG%s%s", sigabbrev_np(signals_caught()), after);
	return -1;
}

int error_stopped(void)
{
	return error_stopped_after("");
}

int error_engine(const char *what, const struct sendcp_error *error)
{
	char text[512];

	return error_line("%s: %s", what, sendcp_error_format(error, text, sizeof(text)));
}
