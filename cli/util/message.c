// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Lines for people on stderr.
 *
 * Each line is put together in memory and written at once, so that lines of two threads never mix.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "util/message.h"
#include "util/printable.h"

#define ERROR_PREFIX "sendcp: "
#define WARN_PREFIX "sendcp: warning: "
#define LINE_MAX_BYTES 8192u

static int verbosity_level;

void message_set_verbosity(int verbosity)
{
	__atomic_store_n(&verbosity_level, verbosity, __ATOMIC_RELAXED);
}

int message_verbosity(void)
{
	return __atomic_load_n(&verbosity_level, __ATOMIC_RELAXED);
}

/* Nothing useful can be done when stderr itself is broken, so failures end the attempt. */
static void write_all(const char *bytes, size_t size)
{
	while (size) {
		ssize_t done = write(STDERR_FILENO, bytes, size);

		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			return;
		bytes += done;
		size -= done;
	}
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

/*
 * A line that is too long is cut. No allocation: running out of memory is one of the failures to be
 * reported.
 */
static void put_line(const char *prefix, const char *fmt, va_list args)
{
	char line[LINE_MAX_BYTES];
	size_t start = (size_t)snprintf(line, sizeof(line), "%s", prefix);
	size_t capacity = sizeof(line) - start - 1;
	int made = vsnprintf(line + start, capacity, fmt, args);
	size_t end;

	if (made < 0)
		made = 0;
	end = start + ((size_t)made < capacity ? (size_t)made : capacity - 1);
	make_printable(line);
	line[end] = '\n';
	write_all(line, end + 1);
}

int error_line(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	put_line(ERROR_PREFIX, fmt, args);
	va_end(args);
	return -1;
}

void warn_line(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	put_line(WARN_PREFIX, fmt, args);
	va_end(args);
}

void info_line(const char *fmt, ...)
{
	va_list args;

	if (message_verbosity() < 0)
		return;
	va_start(args, fmt);
	put_line("", fmt, args);
	va_end(args);
}

void verbose_line(int level, const char *fmt, ...)
{
	va_list args;

	if (message_verbosity() < level)
		return;
	va_start(args, fmt);
	put_line("", fmt, args);
	va_end(args);
}

int error_engine(const char *what, const struct sendcp_error *error)
{
	char text[512];

	return error_line("%s: %s", what, sendcp_error_format(error, text, sizeof(text)));
}
