// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * An engine run for a bounded time, stopped and re-armed on the way.
 */
#include <stdio.h>
#include <stdlib.h>

#include <sendcp/stream.h>

#include "drive.h"

/* A mutated inode may be exabytes long. */
#define BYTES_MAX (3u << 20)
#define CALLS_MAX 3000u
#define BUFFER_MAX (256u << 10)

static u8 buffer[BUFFER_MAX];

/* Empty for the subvolume's root; else names, none of them a way out of it. */
static void check_path(const u8 *path, size_t size)
{
	size_t from = 0;

	for (size_t at = 0; size && at <= size; at++) {
		if (at < size && !path[at])
			abort();
		if (at < size && path[at] != '/')
			continue;
		if (at == from || (at == from + 1 && path[from] == '.') ||
		    (at == from + 2 && !memcmp(path + from, "..", 2)))
			abort();
		from = at + 1;
	}
}

static void check_attributes(const u8 *at, size_t left, u32 protocol)
{
	while (left) {
		u16 type = left < 2 ? 0 : sendcp_get_le16(at);
		size_t size = left < 4 ? 0 : sendcp_get_le16(at + 2);

		if (protocol >= 2 && type == SENDCP_A_DATA)
			return;
		if (left < 4 || size > left - 4)
			abort();
		if (type == SENDCP_A_PATH || type == SENDCP_A_PATH_TO ||
		    type == SENDCP_A_CLONE_PATH)
			check_path(at + 4, size);
		at += 4 + size;
		left -= 4 + size;
	}
}

/* Whatever the image was: whole commands with right checksums, and no paths that lead elsewhere. */
static void check_commands(u8 *at, size_t left, u32 protocol)
{
	if (left >= SENDCP_STREAM_HEADER_SIZE &&
	    !memcmp(at, SENDCP_STREAM_MAGIC, SENDCP_STREAM_MAGIC_SIZE)) {
		at += SENDCP_STREAM_HEADER_SIZE;
		left -= SENDCP_STREAM_HEADER_SIZE;
	}
	while (left) {
		size_t size = left < SENDCP_COMMAND_HEADER_SIZE ? left : sendcp_get_le32(at);
		u32 sum;

		if (left < SENDCP_COMMAND_HEADER_SIZE ||
		    size > left - SENDCP_COMMAND_HEADER_SIZE)
			abort();
		check_attributes(at + SENDCP_COMMAND_HEADER_SIZE, size, protocol);
		size += SENDCP_COMMAND_HEADER_SIZE;
		sum = sendcp_get_le32(at + 6);
		sendcp_put_le32(at + 6, 0);
		if (sendcp_crc32c(0, at, size) != sum)
			abort();
		at += size;
		left -= size;
	}
}

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
		if (sendcp_engine_fill(engine, &fill))
			break;
		if (!drive->forged)
			check_commands(buffer, fill.filled, drive->request.protocol);
		if (fill.end)
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
