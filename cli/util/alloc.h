/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory for setting up: these print "out of memory" and exit instead of failing.
 *
 * Only for small things before the stream starts; code that allocates while it runs handles its own
 * failures.
 */
#ifndef CLI_UTIL_ALLOC_H
#define CLI_UTIL_ALLOC_H

#include <stddef.h>

void *xcalloc(size_t count, size_t size);
void *xrealloc(void *block, size_t count, size_t size);
/* @object, which a library has made; it gives NULL without memory. */
void *xobject(void *object);
char *xstrdup(const char *text);
char *xasprintf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
