// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * How long to go on trying.
 */
#include "resume/patience.h"
#include "util/pause.h"

#define DELAY_FIRST NANOSECONDS
#define DELAY_MOST (60 * NANOSECONDS)

void patience_begin(struct patience *patience, u64 limit, u64 now)
{
	*patience = (struct patience){ .limit = limit, .since = now, .delay = DELAY_FIRST };
}

void patience_tried(struct patience *patience, u64 now)
{
	patience->ended = now;
}

bool patience_asked(struct patience *patience, u64 bytes, u64 now)
{
	u64 ended = patience->ended;

	patience->ended = 0;
	if (bytes > patience->best) {
		patience->best = bytes;
		patience->since = ended ? ended : now;
		patience->delay = DELAY_FIRST;
		return true;
	}
	return !ended || now - patience->since < patience->limit;
}

bool patience_over(const struct patience *patience, u64 now)
{
	return now - sendcp_max(patience->since, patience->ended) >= patience->limit;
}

/* A last try when time is up, and not after it. */
u64 patience_next(struct patience *patience, u64 now)
{
	u64 end = sendcp_max(patience->since, patience->ended) + patience->limit;
	u64 next = now + patience->delay;

	patience->delay = sendcp_min(2 * patience->delay, DELAY_MOST);
	return sendcp_min(next, sendcp_max(end, now));
}
