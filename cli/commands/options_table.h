/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The table of all options, from which getopt's tables and the help are made.
 */
#ifndef CLI_COMMANDS_OPTIONS_TABLE_H
#define CLI_COMMANDS_OPTIONS_TABLE_H

#include "commands/options.h"

struct option_spec {
	/* A letter is the short form. */
	int key;
	const char *name;
	/* NULL: takes none; "[...]": may be left out. */
	const char *argument;
	unsigned int commands;
	/* Takes the argument; false: it is not a value the option takes. */
	bool (*set)(struct options *options, const char *argument);
	/* Without ->set: the offset in struct options of the bool that becomes true. */
	size_t flag;
	/* What ->set takes, for people: of every option whose ->set can be false. */
	const char *values;
	/* Its lines are separated by newlines; '@' stands for ->values. */
	const char *help;
};

#define OPTIONS_MAX 96

/* In the order the help shows them. */
extern const struct option_spec option_table[];
extern const size_t option_count;

/* Its argument may be left out. */
bool option_optional(const struct option_spec *spec);

#endif
