/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An engine run for a bounded time, stopped and re-armed on the way.
 */
#ifndef TEST_FUZZ_DRIVE_H
#define TEST_FUZZ_DRIVE_H

#include <sendcp/engine.h>

struct drive {
	struct sendcp_volume *volume;
	struct sendcp_request request;
	u32 fill_flags;
	size_t buffer_size;
	/* After this many calls a fresh engine is resumed from a checkpoint; 0: never. */
	u32 rearm_every;
	/* It is resumed from a forged checkpoint, whose commands are taken as they are. */
	bool forged;
	/* Compute the stream's length first. */
	bool measure;
};

/* Runs a stream of at most a few MiB. A checkpoint that is refused ends the program. */
void drive_run(const struct drive *drive);
/* Continues with @engine, which it closes. */
void drive_engine(const struct drive *drive, struct sendcp_engine *engine);

#endif
