// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The command that resumes a transfer, as a line for a shell.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sendcp/engine.h>

#include "job/resume_command.h"
#include "util/alloc.h"
#include "util/fileio.h"
#include "util/text.h"

/* Takes over @line and returns it with @option and the quoted @word at its end. */
static char *add(char *line, const char *option, const char *word)
{
	char *quoted = shell_quote(word);
	char *longer = xasprintf("%s%s%s %s", line, *option ? " " : "", option, quoted);

	free(quoted);
	free(line);
	return longer;
}

static char *add_flag(char *line, const char *option)
{
	char *longer = xasprintf("%s %s", line, option);

	free(line);
	return longer;
}

/* The line may be run from another directory. */
static char *add_path(char *line, const char *option, const char *path)
{
	char *whole = absolute_path(path);

	line = add(line, option, whole ? whole : path);
	free(whole);
	return line;
}

static char *add_devices(char *line, const struct options *options)
{
	for (size_t i = 0; options && i < options->device_count; i++)
		line = add_path(line, "--device", options->devices[i]);
	if (options && options->ignore_log)
		line = add_flag(line, "--ignore-log");
	return line;
}

/* In an image a subvolume's name is no path of this system. */
static char *add_subvolume(char *line, const char *option, const char *spec,
			   const struct options *options)
{
	if (options->device_count)
		return add(line, option, spec);
	return add_path(line, option, spec);
}

static char *with_journal(const char *checkpoint, const struct options *options)
{
	char *line = add_path(xstrdup("sendcp resume"), "--checkpoint", checkpoint);

	return add_devices(line, options);
}

/* The journal may name another output still: the one before. */
char *resume_command(const char *checkpoint, const struct options *options)
{
	char *line = with_journal(checkpoint, options);

	if (options && options->output)
		return add_path(line, "-f", options->output);
	if (options && options->append)
		return add_path(line, "-f", options->append);
	return line;
}

static char *add_file(char *line, const char *file)
{
	return file ? add_path(line, "--append", file) : add_flag(line, "--append FILE");
}

char *resume_command_append(const char *checkpoint, const struct options *devices,
			    const char *file)
{
	return add_file(with_journal(checkpoint, devices), file);
}

char *resume_command_flow(char *line, const struct options *options)
{
	char number[24];

	if (options->to_command)
		line = add(line, "--to-command", options->to_command);
	if (options->position_command)
		line = add(line, "--position-command", options->position_command);
	if (options->retry) {
		snprintf(number, sizeof(number), "%llu", options->retry);
		line = add(line, "--retry", number);
	}
	if (options->bwlimit) {
		snprintf(number, sizeof(number), "%llu", options->bwlimit);
		line = add(line, "--bwlimit", number);
	}
	return line;
}

char *resume_command_ask(char *line, const char *file)
{
	char *quoted, *command;

	if (!file)
		return add_flag(line, "--position-command COMMAND");
	quoted = shell_quote(file);
	command = xasprintf("sendcp verify --position %s", quoted);
	line = add(line, "--position-command", command);
	free(command);
	free(quoted);
	return line;
}

/* In an image a name may begin as an option does. */
static bool looks_like_option(const struct options *options)
{
	for (size_t i = 0; options->device_count && i < options->argument_count; i++)
		if (options->arguments[i][0] == '-')
			return true;
	return false;
}

char *resume_command_alone(const struct options *options, const char *file)
{
	char *line = add_file(xstrdup("sendcp resume"), file);

	line = add_devices(line, options);
	if (options->parent)
		line = add_subvolume(line, "-p", options->parent, options);
	for (size_t i = 0; i < options->clone_count; i++)
		line = add_subvolume(line, "-c", options->clone_sources[i], options);
	if (options->one_end)
		line = add_flag(line, "-e");
	if (options->no_data)
		line = add_flag(line, "--no-data");
	if (options->compressed_data)
		line = add_flag(line, "--compressed-data");
	if (options->data_error)
		line = add_flag(line, options->data_error == SENDCP_SEND_DATA_ZERO ?
				"--on-data-error=zero" : "--on-data-error=skip");
	if (looks_like_option(options))
		line = add_flag(line, "--");
	for (size_t i = 0; i < options->argument_count; i++)
		line = add_subvolume(line, "", options->arguments[i], options);
	return line;
}
