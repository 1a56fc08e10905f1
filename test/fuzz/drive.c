// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * An engine run for a bounded time, stopped and re-armed on the way.
 */
#include <stdio.h>
#include <stdlib.h>

#include "drive.h"

/* A mutated inode may be exabytes long. */
#define BYTES_MAX (3u << 20)
#define CALLS_MAX 3000u
#define BUFFER_MAX (256u << 10)

static u8 buffer[BUFFER_MAX];

/*
 * A fresh engine where @engine was, which is closed; NULL if the tree does not even allow opening
 * one. A checkpoint that the engine itself has made must be taken.
 */
static struct sendcp_engine *start_again(const struct drive *drive, struct sendcp_engine *engine)
{
	struct sendcp_engine *fresh = NULL;
	char line[256];
	size_t size;
	void *blob;
	int ret;

	if (sendcp_engine_checkpoint(engine, &blob, &size))
		return engine;
	if (!sendcp_engine_open(drive->volume, &drive->request, &fresh, NULL)) {
		ret = sendcp_engine_rearm(fresh, blob, size);
		if (ret == -EILSEQ || ret == -ESTALE) {
			fprintf(stderr, "own checkpoint refused: %s\n",
				sendcp_error_format(sendcp_engine_error(fresh), line,
						    sizeof(line)));
			abort();
		}
		if (ret) {
			sendcp_engine_close(fresh);
			fresh = NULL;
		}
	}
	free(blob);
	sendcp_engine_close(engine);
	return fresh;
}

void drive_engine(const struct drive *drive, struct sendcp_engine *engine)
{
	struct sendcp_fill fill = {
		.buffer = buffer,
		.size = sendcp_min(drive->buffer_size, sizeof(buffer)),
		.flags = drive->fill_flags,
	};
	size_t total = 0;
	u32 calls;

	for (calls = 1; engine && calls <= CALLS_MAX && total < BYTES_MAX; calls++) {
		if (sendcp_engine_fill(engine, &fill) || fill.end)
			break;
		total += fill.filled;
		if (drive->rearm_every && calls % drive->rearm_every == 0)
			engine = start_again(drive, engine);
	}
	sendcp_engine_close(engine);
}

static void run_measure(const struct drive *drive)
{
	struct sendcp_engine *engine;
	u64 size = 0;
	bool end;

	if (sendcp_engine_open(drive->volume, &drive->request, &engine, NULL))
		return;
	sendcp_engine_measure(engine, BYTES_MAX, &size, &end);
	sendcp_engine_close(engine);
}

void drive_run(const struct drive *drive)
{
	struct sendcp_engine *engine;

	if (drive->measure)
		run_measure(drive);
	if (!sendcp_engine_open(drive->volume, &drive->request, &engine, NULL))
		drive_engine(drive, engine);
}
