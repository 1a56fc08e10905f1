/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The command line's words: what each command takes, parsed and checked, and the help about it.
 *
 * Options and help come from one table (options.c), so that neither knows what the other does not.
 */
#ifndef CLI_COMMANDS_OPTIONS_H
#define CLI_COMMANDS_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <sendcp/platform.h>

#include "journal/wrapping.h"

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

enum backend {
	BACKEND_AUTO,
	BACKEND_MODULE,
	BACKEND_DIRECT,
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
	bool compressed_data;
	/* 0: highest; -1: not asked for. After options_check() 1 or more. */
	int protocol;

	const char *output;
	struct wrapping wrapping;
	const char *checkpoint;
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

	/* A file that resume looks at and goes on with. */
	const char *append;
	bool at_given;
	u64 at;
	/* A receiver's position with its proof (position.h). */
	const char *have;
	/* What was made so far is thrown away. */
	bool restart;
	/* verify: print the position. */
	bool position;
	bool json;

	char **arguments;
	size_t argument_count;
};

/* A command, as main() finds it and help tells of it. */
struct command {
	const char *name;
	/* Its bit in the option table. */
	unsigned int bit;
	const char *usage;
	const char *summary;
	size_t min_arguments;
	size_t max_arguments;
	/* Returns the program's exit code. */
	int (*run)(const struct options *options);
};

#define COMMAND_SEND	0x1u
#define COMMAND_RESUME	0x2u
#define COMMAND_SHOW	0x4u
#define COMMAND_VERIFY	0x8u
#define COMMAND_DUMP	0x10u
#define COMMAND_CAT	0x20u
#define COMMAND_INFO	0x80u

/*
 * Parses @argv behind the command's name. Returns 0, or -1 with an error line: usage. Lists belong
 * to @options until options_free().
 */
int options_parse(const struct command *command, int argc, char **argv, struct options *options);
void options_free(struct options *options);

/* What @command takes, for people. */
void options_help(const struct command *command, FILE *to);

#endif
