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
	/* Bytes of the stream that are out, from the stream's beginning. */
	u64 offset;
};

/* stdout. Refuses a terminal: error line, -1. */
int output_stdout(struct output *output);
/* @path, created with mode 0600 if it is not there; its contents are left alone. */
int output_open(struct output *output, const char *path);
/* The file shall be @size bytes long, and writing goes on there. Nothing for a pipe. */
int output_cut(struct output *output, u64 size);
void output_close(struct output *output);

/*
 * Writes all of @data, or returns a negative errno, without a message; ->offset tells how far it
 * came. -EINTR: asked to stop (a file's writes are short and are finished all the same).
 */
int output_write(struct output *output, const void *data, size_t size);
/* A file's bytes are on the disk. Negative errno. */
int output_sync(const struct output *output);
/* Has a pipe's reader gone? What the pipe still held is lost then. */
bool output_reader_gone(const struct output *output);

#endif
