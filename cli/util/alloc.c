// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Memory of the command line.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sendcp/platform.h>

#include "util/alloc.h"
#include "util/message.h"

/* Fewer elements are not worth growing by. */
#define GROW_MIN 16

int no_memory(void)
{
	error_line("out of memory");
	return -ENOMEM;
}

void exit_without_memory(void)
{
	no_memory();
	exit(EXIT_FAILED);
}

void *xobject(void *object)
{
	if (!object)
		exit_without_memory();
	return object;
}

void *xmalloc(size_t size)
{
	return xobject(malloc(size ? size : 1));
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

void *grow(void *array, size_t *capacity, size_t needed, size_t size)
{
	size_t larger = sendcp_max(needed, sendcp_max(2 * *capacity, GROW_MIN));
	void *grown;

	if (needed <= *capacity)
		return array;
	grown = reallocarray(array, larger, size);
	if (grown)
		*capacity = larger;
	return grown;
}

void *xgrow(void *array, size_t *capacity, size_t needed, size_t size)
{
	return xobject(grow(array, capacity, needed, size));
}
