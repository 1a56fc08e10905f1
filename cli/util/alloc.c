// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Memory of the command line.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sendcp/platform.h>

#include "util/alloc.h"
#include "util/message.h"
#include "util/summary.h"

/* Fewer elements are not worth growing by. */
#define GROW_MIN 16

static _Atomic(const char *) last_explanation;
static _Atomic(const char *) last_command;
static _Atomic(const char *) temporary_file;
/* The program ends because it decided to. */
static atomic_bool leaving;

int no_memory(void)
{
	static atomic_bool printed;

	/* What is done about it may fail in the same way. */
	if (!atomic_exchange(&printed, true))
		error_line("out of memory");
	return -ENOMEM;
}

void without_memory_resume(const char *explanation, const char *command)
{
	atomic_store(&last_explanation, explanation);
	atomic_store(&last_command, command);
}

void without_memory_remove(const char *path)
{
	atomic_store(&temporary_file, path);
}

/* Says it, and what is to be done; returns the exit status. */
static int end_without_memory(void)
{
	const char *explanation = atomic_load(&last_explanation);
	const char *command = atomic_load(&last_command);
	const char *path = atomic_load(&temporary_file);

	atomic_store(&leaving, true);
	no_memory();
	if (path)
		unlink(path);
	if (!command)
		return EXIT_FAILED;
	if (explanation)
		error_line("%s", explanation);
	error_line("interrupted; resume with: %s", command);
	summary_resume(command);
	return EXIT_BROKEN_OFF;
}

void exit_without_memory(void)
{
	exit(end_without_memory());
}

static void at_exit(int status, void *unused)
{
	if (atomic_load(&leaving))
		return;
	status = end_without_memory();
	summary_print(status);
	_exit(status);
}

void without_memory_begin(void)
{
	on_exit(at_exit, NULL);
}

void without_memory_end(void)
{
	atomic_store(&leaving, true);
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
