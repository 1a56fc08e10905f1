// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A stream that an engine makes of damaged input.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "parse/check.h"
#include "stream.h"

int stream_fill(struct stream *stream, struct sendcp_engine *engine)
{
	struct sendcp_fill fill = { .size = STREAM_BUFFER };
	int ret = 0;

	while (!ret && !fill.end && stream->size < STREAM_MAX) {
		fill.buffer = stream->bytes + stream->size;
		ret = sendcp_engine_fill(engine, &fill);
		stream->size += ret ? 0 : fill.filled;
	}
	return ret;
}

bool stream_well_formed(const struct stream *stream, char why[CASE_TEXT])
{
	int fd = memfd_create("stream", MFD_CLOEXEC);
	struct unwrap *unwrap = unwrap_open_fd(fd);
	struct stream_reader *reader = stream_reader_new(unwrap);
	struct stream_check check = { .streams = 0 };
	const struct stream_command *command;
	bool good;

	if (fd < 0 || !reader || write(fd, stream->bytes, stream->size) != (ssize_t)stream->size ||
	    lseek(fd, 0, SEEK_SET))
		abort();
	while ((command = stream_next(reader)))
		if (!stream_check(&check, reader, command))
			break;
	good = stream_how(reader) == STREAM_WHOLE ||
	       (stream_how(reader) == STREAM_CUT && stream->size >= STREAM_MAX);
	if (!good)
		snprintf(why, CASE_TEXT, "a stream that is not well-formed: %s",
			 stream_what(reader));
	stream_reader_free(reader);
	unwrap_close(unwrap);
	close(fd);
	return good;
}
