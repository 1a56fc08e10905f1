// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The command line's messages, unsaid: a fuzz target would print millions of them. They are
 * formatted all the same, so that what goes into them is read.
 */
#include <stdarg.h>
#include <stdio.h>

#include "util/message.h"

static void format(const char *fmt, va_list args)
{
	char line[1024];

	vsnprintf(line, sizeof(line), fmt, args);
}

#define UNSAID(fmt) do {		\
	va_list args;			\
					\
	va_start(args, fmt);		\
	format(fmt, args);		\
	va_end(args);			\
} while (0)

void message_set_verbosity(int verbosity)
{
}

int message_verbosity(void)
{
	return 0;
}

void message_set_json(bool json)
{
}

bool message_json(void)
{
	return false;
}

void notice_line(const char *fmt, ...)
{
	UNSAID(fmt);
}

int error_line(const char *fmt, ...)
{
	UNSAID(fmt);
	return -1;
}

void warn_line(const char *fmt, ...)
{
	UNSAID(fmt);
}

void info_line(const char *fmt, ...)
{
	UNSAID(fmt);
}

void verbose_line(int level, const char *fmt, ...)
{
	UNSAID(fmt);
}

int error_stopped(void)
{
	return -1;
}

int error_stopped_after(const char *after)
{
	return -1;
}

int error_engine(const char *what, const struct sendcp_error *error)
{
	char line[256];

	sendcp_error_format(error, line, sizeof(line));
	return -1;
}

int error_in_use(const char *name)
{
	return error_line("%s", name);
}
