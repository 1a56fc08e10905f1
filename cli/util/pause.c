// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Waiting for a time, or until asked to stop.
 */
#include <time.h>

#include "util/pause.h"

/* What sets a cancel need not interrupt this thread, so it is looked at so often. */
#define SLICE (NANOSECONDS / 20)

u64 pause_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (u64)now.tv_sec * NANOSECONDS + (u64)now.tv_nsec;
}

bool pause_until(u64 when, const struct sendcp_cancel *cancel)
{
	u64 now;

	while (!sendcp_cancelled(cancel) && (now = pause_now()) < when) {
		const struct timespec part = { .tv_nsec = (long)sendcp_min(when - now, SLICE) };

		nanosleep(&part, NULL);
	}
	return !sendcp_cancelled(cancel);
}
