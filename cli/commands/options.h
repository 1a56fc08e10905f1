/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The command line's words: the options of each command, parsed and checked, and the help about
 * them.
 *
 * Options and help come from one table (options_table.c), so that they cannot differ.
 */
#ifndef CLI_COMMANDS_OPTIONS_H
#define CLI_COMMANDS_OPTIONS_H

#include <stddef.h>
#include <stdio.h>

#include "job/options.h"

/* A command, as main() finds it and help shows it. */
struct command {
	const char *name;
	/* Its bit in the option table. */
	unsigned int bit;
	const char *usage;
	/* For the list of commands, and for the command's own help. */
	const char *brief;
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
#define COMMAND_LIST	0x40u
#define COMMAND_INFO	0x80u
#define COMMAND_HELP	0x4000u
#define COMMAND_VERSION	0x8000u

/*
 * Parses @argv after the command's name. Returns 0, or -1 with an error line: usage. Lists belong
 * to @options until options_free().
 */
int options_parse(const struct command *command, int argc, char **argv, struct options *options);
void options_free(struct options *options);

/* Prints the help of @command. */
void options_help(const struct command *command, FILE *to);

#endif
