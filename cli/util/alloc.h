/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory of the command line: without it, x*() print "out of memory" and exit with EXIT_FAILED.
 *
 * Little has to be put in order before that: files and journals can be resumed after a crash at
 * any place. But a transfer that runs has to end in order, so that all it wrote is durable and the
 * last line is the command that resumes. The functions that it calls (producer, container, lines of
 * the journal) return -ENOMEM instead, and allocate with grow() or malloc().
 */
#ifndef CLI_UTIL_ALLOC_H
#define CLI_UTIL_ALLOC_H

#include <stddef.h>

void *xmalloc(size_t size);
void *xcalloc(size_t count, size_t size);
void *xrealloc(void *block, size_t count, size_t size);
char *xstrdup(const char *text);
char *xasprintf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* @object, which a library has made; it gives NULL without memory. */
void *xobject(void *object);

/*
 * @array, of *@capacity elements of @size bytes, with space for @needed: it becomes twice as large,
 * or more, if it has to. grow() returns NULL without memory; @array is as it was then.
 */
void *grow(void *array, size_t *capacity, size_t needed, size_t size);
void *xgrow(void *array, size_t *capacity, size_t needed, size_t size);

/* Prints it, the first time. Returns -ENOMEM. */
int no_memory(void);
/* What x*() end with. */
void exit_without_memory(void) __attribute__((noreturn));
/*
 * What it does besides, NULL: nothing. It names the command that resumes, and ends with
 * EXIT_BROKEN_OFF; and it removes a file. The strings stay the caller's.
 */
void without_memory_resume(const char *explanation, const char *command);
void without_memory_remove(const char *path);

/*
 * Without memory libarchive ends the program itself. From the first call of begin() to that of
 * end(), such an end becomes that of exit_without_memory().
 */
void without_memory_begin(void);
void without_memory_end(void);

#endif
