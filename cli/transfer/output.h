/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The file or pipe that the stream is written to, and the exact number of bytes that it got.
 */
#ifndef CLI_TRANSFER_OUTPUT_H
#define CLI_TRANSFER_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <sendcp/cancel.h>
#include <sendcp/platform.h>
#include "container/sink.h"
#include "transfer/pipe_reader.h"
#include "util/rate.h"

struct output {
	/* For what wraps the stream; see output_sink(). */
	struct sink sink;
	int fd;
	/* For messages. */
	const char *name;
	/* Opened here, so closed here. */
	bool owned;
	/* Made here, by opening it. */
	bool created;
	/*
	 * A regular file that holds this stream and nothing else, named with -f or as standard
	 * output: its contents can be proven, truncated and resumed. All else is a pipe: bytes
	 * written to it are out of reach.
	 */
	bool file;
	/* Absolute path of standard output that is such a file; malloc'ed. */
	char *stdout_path;
	/* Of a pipe: found out when its reader has taken something. */
	bool reader_known;
	struct pipe_reader reader;
	/* The pipe's reader, if it was started here (command_output.h); NULL: it was not. */
	const char *command;
	/* 0: has not been started, or has ended; then ->status is as of wait(2). */
	pid_t pid;
	int status;
	/* It holds the stream wrapped: ->offset is the container's affair. */
	bool in_container;
	/* Bytes of the stream that are out, or inside the wrapping, from the stream's beginning. */
	u64 offset;
	/* Bytes that the file or pipe has got; of a plain stream the same. */
	u64 file_offset;
	/* ->per_second is set after opening. Once cancelled, there is no limit. */
	struct rate rate;
	/* Stops writing; see output_write(). NULL: nothing does. */
	const struct sendcp_cancel *cancel;
	/* When a pipe that is to get what is left after that is given up; 0: not yet known. */
	u64 deadline;
};

/* stdout, as a pipe even if it is a file. Refuses a terminal: error line, -1. */
int output_stdout(struct output *output);
/* If it is a regular file, empty and at its beginning, it is taken for one named with -f. */
int output_stdout_file(struct output *output);
/*
 * @path; its contents are left alone. @create: it is created with mode 0600 if it is not there. A
 * file is locked until output_close(), and refused if another run has it: error line, -1.
 */
int output_open(struct output *output, const char *path, bool create);
/* Writing continues at these two; a file is truncated there. */
int output_cut(struct output *output, u64 offset, u64 file_offset);
void output_close(struct output *output);
/* The same, for a run that wrote nothing: removes a file that output_open() created. */
void output_discard(struct output *output);
/* Fills in ->reader, once. Best when the reader has taken something, and so has begun. */
void output_find_reader(struct output *output);

/*
 * Writes all of @data, or returns a negative errno, without a message; ->offset says how far it
 * came. -EINTR: ->cancel was set (a file's writes are short and are finished all the same; so are a
 * wrapped stream's if the reader takes it within some seconds, since half a frame is of no use).
 */
int output_write(struct output *output, const void *data, size_t size);
/* output_write() for a layer above. */
struct sink *output_sink(struct output *output);
/* A file's bytes are on the disk. Negative errno. */
int output_sync(const struct output *output);

#endif
