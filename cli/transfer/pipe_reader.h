/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Finding the process that reads the pipe of the stream, and the file that it writes.
 *
 * A guess from /proc, for messages only: it says which file to look at, and nothing about its
 * contents.
 */
#ifndef CLI_TRANSFER_PIPE_READER_H
#define CLI_TRANSFER_PIPE_READER_H

#include <stdbool.h>

struct pipe_reader {
	/* Absolute path of the file at the end of the pipeline, malloc'ed; NULL: unknown. */
	char *file;
	/* btrfs receive, here or at the other end of an ssh. */
	bool receive;
};

/*
 * Follows @fd, from reader to reader, to a regular file that can be found by its path. Nothing
 * found is no failure. pipe_reader_clear() afterwards.
 */
void pipe_reader_find(int fd, struct pipe_reader *reader);
void pipe_reader_clear(struct pipe_reader *reader);

#endif
