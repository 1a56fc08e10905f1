// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The help about a command and its options.
 */
#include <stdlib.h>
#include <string.h>

#include "commands/options_table.h"
#include "util/alloc.h"

#define HELP_COLUMN 30

/* "  -f, --output FILE"; returns its length. */
static int help_name(const struct option_spec *spec, FILE *to)
{
	const char *argument = spec->argument ? spec->argument : "";
	const char *joint = !spec->argument || option_optional(spec) ? "" : " ";
	int length = 0;

	length += spec->key < 256 ? fprintf(to, "  -%c%s", spec->key, spec->name ? ", " : "") :
				    fprintf(to, "      ");
	if (spec->name)
		length += fprintf(to, "--%s", spec->name);
	if (option_optional(spec))
		length += fprintf(to, "[=%.*s]", (int)strlen(argument) - 2, argument + 1);
	else
		length += fprintf(to, "%s%s", joint, argument);
	return length;
}

/* With the values where they belong; malloc'ed. */
static char *help_text(const struct option_spec *spec)
{
	const char *at = strchr(spec->help, '@');

	if (!at)
		return xstrdup(spec->help);
	return xasprintf("%.*s%s%s", (int)(at - spec->help), spec->help, spec->values, at + 1);
}

static void help_option(const struct option_spec *spec, FILE *to)
{
	int column = help_name(spec, to);
	char *text = help_text(spec);
	const char *line = text;

	if (column > HELP_COLUMN - 2) {
		fputc('\n', to);
		column = 0;
	}
	while (line) {
		const char *newline = strchr(line, '\n');
		int length = newline ? (int)(newline - line) : (int)strlen(line);

		fprintf(to, "%*s%.*s\n", HELP_COLUMN - column, "", length, line);
		line = newline ? newline + 1 : NULL;
		column = 0;
	}
	free(text);
}

void options_help(const struct command *command, FILE *to)
{
	fprintf(to, "usage: sendcp %s\n\n%s\n\n", command->usage, command->summary);
	for (size_t i = 0; i < option_count; i++)
		if (option_table[i].commands & command->bit)
			help_option(&option_table[i], to);
}
