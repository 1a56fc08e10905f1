/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A limit on bytes per second: when may the next ones go?
 *
 * Every byte is paid for with time before it goes, so there are never more than the rate allows
 * since the first one. Time that was not used counts for up to a tenth of a second, which makes up
 * for waits that took too long; the parts are as small.
 */
#ifndef CLI_UTIL_RATE_H
#define CLI_UTIL_RATE_H

#include <stddef.h>
#include <sendcp/platform.h>

/* All zeros but ->per_second: nothing went yet. */
struct rate {
	/* 0: no limit. */
	u64 per_second;
	/* The time that is used up, in nanoseconds, and the rest of the last division. */
	u64 used;
	u64 rest;
	/* Bytes that may go at ->used and have not. */
	size_t granted;
};

/*
 * At the time @now: how many of @size bytes are to go next; they may from *@when on. The caller
 * takes from ->granted what went.
 */
size_t rate_next(struct rate *rate, size_t size, u64 now, u64 *when);

#endif
