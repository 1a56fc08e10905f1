/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The command line as data. commands/options.c parses and checks it.
 */
#ifndef CLI_JOB_OPTIONS_H
#define CLI_JOB_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <sendcp/platform.h>

#include "backend/sender.h"
#include "journal/container_spec.h"

#define DEFAULT_BUFFER_SIZE (4ULL << 20)
#define DEFAULT_BUFFERS 4
#define MAX_BUFFERS 64
#define DEFAULT_INTERVAL (64ULL << 20)

enum progress_when {
	PROGRESS_AUTO,
	PROGRESS_ALWAYS,
	PROGRESS_NEVER,
	PROGRESS_JSON,
};

struct options {
	int verbosity;
	bool help;

	const char *parent;
	size_t parent_count;
	const char **clone_sources;
	size_t clone_count;
	bool one_end;
	bool no_data;
	/* SENDCP_SEND_DATA_ZERO, _DATA_SKIP; 0: contents that cannot be read are a failure. */
	u32 data_error;
	bool data_error_given;
	bool compressed_data;
	/* 0: highest; -1: not asked for. After options_parse() 1 or more. */
	int protocol;

	const char *output;
	/* "-" was given for it: resume does not write where the last run did. */
	bool to_stdout;
	struct container_spec container;
	const char *checkpoint;
	/* A pipe's stream, and a file's, have none. */
	bool no_checkpoint;
	u64 interval;
	const char **devices;
	size_t device_count;
	/* Writable subvolumes of an image as they are, without what is in the filesystem's log. */
	bool ignore_log;
	enum backend backend;
	/* 0: not given. */
	u64 buffer_size;
	u32 buffers;
	bool step;
	bool dry_run;
	enum progress_when progress;
	/* The process title shows the progress. */
	bool title;

	/* A file that resume surveys and continues. */
	const char *append;
	bool at_given;
	u64 at;
	/* A receiver's position with its proof (position.h). */
	const char *have;
	/* The part made so far is thrown away. */
	bool restart;
	/* Bytes per second that the output gets at most; 0: no limit. */
	u64 bwlimit;
	/* Commands for a shell: one takes the stream, one says how much of it is there. */
	const char *to_command;
	const char *position_command;
	/* Seconds without progress after which nothing more is tried; 0: one try. */
	u64 retry;
	/* send: a complete stream of the same request stays as it is. */
	bool continues;
	/*
	 * Set by send for the run that continues an earlier one: what is there must be of the same
	 * request, and ->append gets its checkpoint file here (NULL: beside it, not to be kept).
	 */
	bool continued;
	/* With ->checkpoint, the hash of its first line when that was seen. */
	const u8 *seen_header;
	const char *new_checkpoint;
	/* verify: print the position. */
	bool position;
	bool json;

	char **arguments;
	size_t argument_count;
	/* Memory of a name that was not given but found. */
	char *found;
};

#endif
