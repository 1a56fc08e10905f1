// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A limit on bytes per second.
 */
#include "util/pause.h"
#include "util/rate.h"

#define TENTH (NANOSECONDS / 10)
#define PART_MAX (64u << 10)

static size_t part_size(const struct rate *rate)
{
	return (size_t)sendcp_max(sendcp_min(rate->per_second / 10, PART_MAX), 1);
}

/* At most PART_MAX, so the product fits. */
static void pay(struct rate *rate, size_t bytes)
{
	u64 cost = bytes * NANOSECONDS + rate->rest;

	rate->used += cost / rate->per_second;
	rate->rest = cost % rate->per_second;
}

size_t rate_next(struct rate *rate, size_t size, u64 now, u64 *when)
{
	*when = now;
	if (!rate->per_second)
		return size;
	if (!rate->used)
		rate->used = now;
	if (!rate->granted) {
		if (rate->used + TENTH < now)
			rate->used = now - TENTH;
		rate->granted = sendcp_min(size, part_size(rate));
		pay(rate, rate->granted);
	}
	*when = rate->used + !!rate->rest;
	return sendcp_min(size, rate->granted);
}
