// SPDX-License-Identifier: GPL-2.0-or-later
/* TAP on standard output. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tap.h"

static unsigned int count;
static unsigned int failed;

static bool result(bool pass, const char *format, va_list arguments)
{
	count++;
	failed += !pass;
	printf("%sok %u - ", pass ? "" : "not ", count);
	vprintf(format, arguments);
	putchar('\n');
	fflush(stdout);
	return pass;
}

bool ok(bool pass, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	result(pass, format, arguments);
	va_end(arguments);
	return pass;
}

bool is_errno(int got, int expected, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	result(got == expected, format, arguments);
	va_end(arguments);
	if (got != expected)
		note("got %s, expected %s", got ? strerrorname_np(-got) : "success",
		     expected ? strerrorname_np(-expected) : "success");
	return got == expected;
}

void note(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	printf("# ");
	vprintf(format, arguments);
	putchar('\n');
	va_end(arguments);
	fflush(stdout);
}

void give_up(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	printf("# cannot go on: ");
	vprintf(format, arguments);
	putchar('\n');
	va_end(arguments);
	exit(99);
}

int tap_end(void)
{
	printf("1..%u\n", count);
	return failed ? 1 : 0;
}
