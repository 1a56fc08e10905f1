/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where the stream goes: stdout or a file, and exactly how many bytes went there.
 */
#ifndef CLI_OUTPUT_H
#define CLI_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <sendcp/platform.h>

struct output {
	int fd;
	/* For messages. */
	const char *name;
	/* Opened here, so closed here. */
	bool owned;
	/*
	 * A regular file named with -f: its contents can be read back, cut and gone on with. All
	 * else is a pipe: what was written is out of reach.
	 */
	bool file;
	/* It holds the stream wrapped: ->offset is the wrapping's affair. */
	bool wrapped;
	/* Bytes of the stream that are out, or inside the wrapping, from the stream's beginning. */
	u64 offset;
	/* Bytes that the file or pipe has got; of a plain stream the same. */
	u64 file_offset;
	/* When a pipe that is to get what is left after a signal is given up; 0: not yet known. */
	u64 deadline;
};

/* stdout. Refuses a terminal: error line, -1. */
int output_stdout(struct output *output);
/*
 * @path, created with mode 0600 if it is not there; its contents are left alone. A file is locked
 * until output_close(), and refused if another run has it: error line, -1.
 */
int output_open(struct output *output, const char *path);
/* Writing goes on at these two; a file is cut there. */
int output_cut(struct output *output, u64 offset, u64 file_offset);
void output_close(struct output *output);

/*
 * Writes all of @data, or returns a negative errno, without a message; ->offset tells how far it
 * came. -EINTR: asked to stop (a file's writes are short and are finished all the same; so are a
 * wrapped stream's if the reader takes it within some seconds, since half a frame is of no use).
 */
int output_write(struct output *output, const void *data, size_t size);
/* A file's bytes are on the disk. Negative errno. */
int output_sync(const struct output *output);
/* Has a pipe's reader gone? What the pipe still held is lost then. */
bool output_reader_gone(const struct output *output);

#endif
