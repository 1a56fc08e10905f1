// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Memory for setting up: print and exit instead of failing.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/alloc.h"
#include "util/message.h"

void *xobject(void *object)
{
	if (!object) {
		error_line("out of memory");
		exit(EXIT_FAILED);
	}
	return object;
}

void *xcalloc(size_t count, size_t size)
{
	return xobject(calloc(count ? count : 1, size));
}

void *xrealloc(void *block, size_t count, size_t size)
{
	return xobject(reallocarray(block, count ? count : 1, size));
}

char *xstrdup(const char *text)
{
	return xobject(strdup(text));
}

char *xasprintf(const char *fmt, ...)
{
	char *text = NULL;
	va_list args;
	int len;

	va_start(args, fmt);
	len = vasprintf(&text, fmt, args);
	va_end(args);
	return xobject(len < 0 ? NULL : text);
}
