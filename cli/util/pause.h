/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Waiting for a time, or until asked to stop.
 */
#ifndef CLI_UTIL_PAUSE_H
#define CLI_UTIL_PAUSE_H

#include <stdbool.h>
#include <sendcp/cancel.h>
#include <sendcp/platform.h>

#define NANOSECONDS 1000000000ULL

/* Nanoseconds of a clock that only goes forward. */
u64 pause_now(void);
/* Returns at @when, with true, or soon after @cancel (may be NULL) was set, with false. */
bool pause_until(u64 when, const struct sendcp_cancel *cancel);

#endif
