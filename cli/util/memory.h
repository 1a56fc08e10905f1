/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How much memory this process may still take, so that a limit is met before a stream begins and
 * not in its middle.
 */
#ifndef CLI_UTIL_MEMORY_H
#define CLI_UTIL_MEMORY_H

#include <sendcp/platform.h>

#define MEMORY_UNLIMITED UINT64_MAX

/*
 * The least that its resource limits, its memory cgroups and the machine leave it, in bytes; what
 * the page cache has counts as free. MEMORY_UNLIMITED: nothing is known.
 */
u64 memory_left(void);

/* In whole MiB, rounded up: for messages. */
u64 memory_mib(u64 bytes);

/*
 * malloc() of a size that a file names. NULL with an error line that says what for if there is not
 * so much left: where the machine gives out more than it has, malloc() would not say it.
 */
void *memory_take(u64 size, const char *what);

/*
 * With a limit on addresses, threads share their heap: one of its own would take 64 MiB of them.
 * Before there is a thread.
 */
void memory_begin(void);

#endif
