// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Parsing and checking the command line.
 */
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include <sendcp/engine.h>

#include "commands/options_table.h"
#include "job/resume_command.h"
#include "util/alloc.h"
#include "util/message.h"

struct getopt_tables {
	/* A colon first; a letter and its colon for each; the terminator. */
	char letters[2 * OPTIONS_MAX + 2];
	struct option longs[OPTIONS_MAX + 1];
};

static void make_tables(const struct command *command, struct getopt_tables *tables)
{
	char *letter = tables->letters;
	struct option *entry = tables->longs;

	memset(tables, 0, sizeof(*tables));
	/* A colon first: a missing argument is distinguished from an unknown option. */
	*letter++ = ':';
	for (size_t i = 0; i < option_count; i++) {
		const struct option_spec *spec = &option_table[i];

		if (!(spec->commands & command->bit))
			continue;
		if (spec->key < 256) {
			*letter++ = (char)spec->key;
			if (spec->argument)
				*letter++ = ':';
		}
		if (!spec->name)
			continue;
		*entry++ = (struct option){
			.name = spec->name,
			.has_arg = option_optional(spec) ? optional_argument :
				   spec->argument ? required_argument : no_argument,
			.val = spec->key,
		};
	}
}

static const struct option_spec *find_spec(const struct command *command, int key)
{
	for (size_t i = 0; i < option_count; i++)
		if (option_table[i].key == key && option_table[i].commands & command->bit)
			return &option_table[i];
	return NULL;
}

static int set_option(const struct option_spec *spec, struct options *options)
{
	if (!spec->set) {
		*(bool *)((char *)options + spec->flag) = true;
		return 0;
	}
	if (spec->set(options, optarg))
		return 0;
	if (spec->name)
		return error_line("--%s: invalid value: %s", spec->name,
				  optarg ? optarg : "(none)");
	return error_line("-%c: invalid value", spec->key);
}

/*
 * getopt takes any unambiguous beginning of a name, but one that is unambiguous now may be another
 * option in a later version, so only whole names are taken.
 */
static int check_whole_name(const struct command *command, char **argv, const char *name)
{
	const char *word = argv[optind - 1];

	if (optarg == word)
		word = argv[optind - 2];
	if (!strncmp(word, "--", 2) && strcspn(word + 2, "=") == strlen(name))
		return 0;
	return error_line("%s: no such option: %s", command->name, word);
}

static int no_such_option(const struct command *command, char **argv)
{
	if (optopt && optopt < 256)
		return error_line("%s: no such option: -%c", command->name, optopt);
	return error_line("%s: no such option: %s", command->name, argv[optind - 1]);
}

static int parse_words(const struct command *command, int argc, char **argv,
		       struct options *options)
{
	struct getopt_tables tables;
	int key, index;

	make_tables(command, &tables);
	/* 0 and not 1: forget a word in whose middle an earlier call stopped. */
	optind = 0;
	do {
		index = -1;
		key = getopt_long(argc, argv, tables.letters, tables.longs, &index);
		if (key == ':')
			return error_line("%s needs an argument", argv[optind - 1]);
		if (key == '?')
			return no_such_option(command, argv);
		if (index >= 0 && check_whole_name(command, argv, tables.longs[index].name))
			return -1;
		if (key != -1 && set_option(find_spec(command, key), options))
			return -1;
	} while (key != -1);
	options->arguments = argv + optind;
	options->argument_count = (size_t)(argc - optind);
	return 0;
}

/* --compressed-data alone implies protocol 2; no other protocol has it. */
static int settle_protocol(struct options *options)
{
	if (options->protocol < 0)
		options->protocol = options->compressed_data ? 2 : 1;
	if (!options->protocol)
		options->protocol = SENDCP_PROTOCOL_MAX;
	if (options->protocol > SENDCP_PROTOCOL_MAX)
		return error_line("protocol %d is not supported, the highest is %d",
				  options->protocol, SENDCP_PROTOCOL_MAX);
	if (options->compressed_data && options->protocol < 2)
		return error_line("--compressed-data needs protocol 2 or higher");
	return 0;
}

/* At most one of them says where the stream is resumed. */
static int check_place(const struct options *options)
{
	int places = options->at_given + options->restart + (options->have != NULL) +
		     (options->append != NULL);

	if (options->append && options->output)
		return error_line("resume: --append names the output, so -f cannot be given with "
				  "it");
	if (places > 1)
		return error_line("resume: only one of --at, --have, --append and --restart can be "
				  "given");
	return 0;
}

/* Longer ones would be cut in the last line, of which there is more than these. */
#define FLOW_MAX 4096

static int check_length(const struct options *options)
{
	char *line = resume_command_flow(xstrdup(""), options);
	size_t length = strlen(line);

	free(line);
	if (length <= FLOW_MAX)
		return 0;
	return error_line("the commands are too long: %zu of at most %u bytes, quoted. Put them "
			  "into a script", length, FLOW_MAX);
}

/* The output is a command: what it is resumed with. */
static int check_flow(const struct command *command, const struct options *options)
{
	if (!options->to_command && options->position_command)
		return error_line("%s: --position-command needs --to-command", command->name);
	if (options->retry && !options->position_command)
		return error_line("%s: --retry needs --to-command and --position-command, which "
				  "says where to resume", command->name);
	if (!options->to_command)
		return 0;
	if (options->output || options->append)
		return error_line("%s: --to-command is the output: %s cannot be given with it",
				  command->name, options->output ? "-f" : "--append");
	if (options->no_checkpoint)
		return error_line("--to-command and --no-checkpoint exclude each other");
	return check_length(options);
}

/* With a journal the subvolumes are known; only without one they have to be given. */
static int check_resume(const struct options *options)
{
	bool places = options->at_given || options->have || options->restart || options->output ||
		      options->to_command;
	bool named = options->argument_count || options->parent || options->clone_count ||
		    options->one_end || options->no_data || options->compressed_data;

	if (check_place(options))
		return -1;
	if (options->checkpoint && named)
		return error_line("resume: SUBVOL, -p, -c, -e, --no-data and --compressed-data "
				  "are for --append without --checkpoint: the checkpoint file "
				  "has them");
	if (options->checkpoint)
		return 0;
	if (!options->append && (named || places))
		return error_line("resume: --checkpoint FILE is missing");
	return 0;
}

/* Rules about several options. */
static int check(const struct command *command, struct options *options)
{
	if (options->argument_count < command->min_arguments)
		return error_line("%s: missing argument: sendcp %s", command->name,
				  command->usage);
	if (options->argument_count > command->max_arguments)
		return error_line("%s: too many arguments: %s", command->name,
				  options->arguments[command->max_arguments]);
	if (options->parent_count > 1)
		return error_line("only one parent can be given");
	if (command->bit == COMMAND_RESUME && check_resume(options))
		return -1;
	if (check_flow(command, options))
		return -1;
	if (options->checkpoint && options->no_checkpoint)
		return error_line("--checkpoint and --no-checkpoint exclude each other");
	if (options->restart && options->continues)
		return error_line("--restart and --continue exclude each other");
	if (options->device_count && options->backend != BACKEND_AUTO)
		return error_line("--device reads an unmounted filesystem, --backend %s a mounted "
				  "one", options->backend == BACKEND_MODULE ? "module" : "direct");
	if (options->ignore_log && !options->device_count)
		return error_line("--ignore-log needs --device: it is for unmounted filesystems");
	return settle_protocol(options);
}

int options_parse(const struct command *command, int argc, char **argv, struct options *options)
{
	*options = (struct options){
		.protocol = -1,
		.interval = DEFAULT_INTERVAL,
	};
	if (parse_words(command, argc, argv, options))
		return -1;
	return options->help ? 0 : check(command, options);
}

void options_free(struct options *options)
{
	free(options->clone_sources);
	free(options->devices);
}
