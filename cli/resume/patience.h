/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How long to go on trying: until a time without progress has passed.
 *
 * Progress is what the receiver has, as it says before each try: bytes that were only written may
 * be lost on the way again and again. So a try that wrote something counts as progress until the
 * receiver was asked. Pure functions; times are in nanoseconds.
 */
#ifndef CLI_RESUME_PATIENCE_H
#define CLI_RESUME_PATIENCE_H

#include <stdbool.h>
#include <sendcp/platform.h>

struct patience {
	/* 0: there is only one try. */
	u64 limit;
	/* When the last progress was made. */
	u64 since;
	/* When a try ended of which nobody knows yet how far it came; 0: there is none. */
	u64 ended;
	/* The most that the receiver ever had. */
	u64 best;
	/* Before the next try. */
	u64 delay;
};

void patience_begin(struct patience *patience, u64 limit, u64 now);
/* A try that wrote to the receiver has ended. */
void patience_tried(struct patience *patience, u64 now);
/* The receiver has @bytes. False: that is no progress, and time is up. */
bool patience_asked(struct patience *patience, u64 bytes, u64 now);
/* Time is up: nothing more is to be tried. */
bool patience_over(const struct patience *patience, u64 now);
/* The time of the next try, and twice the delay for the one after it. */
u64 patience_next(struct patience *patience, u64 now);

#endif
