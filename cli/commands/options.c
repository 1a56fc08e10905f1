// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Parsing and checking the command line.
 */
#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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

struct parser {
	const struct command *command;
	char **argv;
	struct options *options;
	/* The option as it was written whose file or subvolume was the last word taken. */
	const char *taker;
	/* The last option whose value, which may be left out, was the word after it. */
	const struct option_spec *apart;
	/* The last such option that did not take the word after it, which is no file either. */
	const struct option_spec *unknown;
	const char *unknown_word;
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

/* An error line that ends with where the usage is; -1. */
static int __attribute__((format(printf, 2, 3))) usage_error(const struct command *command,
							     const char *fmt, ...)
{
	char text[4096];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	return error_line("%s; see sendcp %s --help", text, command->name);
}

static int invalid_value(const struct command *command, const struct option_spec *spec,
			 const char *value)
{
	return usage_error(command, "--%s: invalid value: %s (possible: %s)", spec->name,
			   *value ? value : "(nothing)", spec->values);
}

/* Does the option take @value? Tried on options of its own. */
static bool possible(const struct option_spec *spec, const char *value)
{
	struct options trial = { .protocol = -1 };

	return spec->set(&trial, value);
}

/*
 * The word after an option whose value may be left out, as in "--compress 9", is the value if it
 * can be nothing else. *@value stays NULL if it is not.
 */
static int next_word(struct parser *parser, const struct option_spec *spec, const char **value)
{
	const char *word = parser->argv[optind];
	bool there;

	if (!word || !*word || *word == '-' || strchr(word, '/'))
		return 0;
	there = !access(word, F_OK);
	if (possible(spec, word)) {
		if (there)
			return usage_error(parser->command, "--%s %s: there is a file %s, too: "
					   "give --%s=%s, or ./%s for the file", spec->name, word,
					   word, spec->name, word, word);
		parser->apart = spec;
		*value = word;
		optind++;
	} else if (!there) {
		parser->unknown = spec;
		parser->unknown_word = word;
	}
	return 0;
}

static bool takes_name(const struct option_spec *spec)
{
	return spec->argument && (!strcmp(spec->argument, "SUBVOL") ||
				  !strcmp(spec->argument, "FILE"));
}

static int set_option(struct parser *parser, const struct option_spec *spec)
{
	const char *value = optarg;

	if (!spec->set) {
		*(bool *)((char *)parser->options + spec->flag) = true;
		return 0;
	}
	if (option_optional(spec) && !value && next_word(parser, spec, &value))
		return -1;
	if (takes_name(spec) && value == parser->argv[optind - 1])
		parser->taker = parser->argv[optind - 2];
	return spec->set(parser->options, value) ? 0 :
						   invalid_value(parser->command, spec, value);
}

/*
 * getopt takes any unambiguous beginning of a name, but one that is unambiguous now may be another
 * option in a later version, so only whole names are taken.
 */
static int check_whole_name(const struct parser *parser, const char *name)
{
	const char *word = parser->argv[optind - 1];

	if (optarg == word)
		word = parser->argv[optind - 2];
	if (!strncmp(word, "--", 2) && strcspn(word + 2, "=") == strlen(name))
		return 0;
	return usage_error(parser->command, "%s: no such option: %s", parser->command->name, word);
}

static int no_such_option(const struct parser *parser)
{
	const char *name = parser->command->name;

	if (optopt && optopt < 256)
		return usage_error(parser->command, "%s: no such option: -%c", name, optopt);
	return usage_error(parser->command, "%s: no such option: %s", name,
			   parser->argv[optind - 1]);
}

static int missing_value(const struct parser *parser)
{
	const struct option_spec *spec = find_spec(parser->command, optopt);
	const char *option = parser->argv[optind - 1];

	if (!spec || !spec->values)
		return usage_error(parser->command, "%s: %s is missing", option,
				   spec ? spec->argument : "its value");
	return usage_error(parser->command, "%s: %s is missing (possible: %s)", option,
			   spec->argument, spec->values);
}

static int parse_words(struct parser *parser, int argc)
{
	const struct option_spec *spec;
	struct getopt_tables tables;
	int key, index;

	make_tables(parser->command, &tables);
	/* 0 and not 1: forget a word in whose middle an earlier call stopped. */
	optind = 0;
	do {
		index = -1;
		key = getopt_long(argc, parser->argv, tables.letters, tables.longs, &index);
		if (key == ':')
			return missing_value(parser);
		if (key == '?')
			return no_such_option(parser);
		if (index >= 0 && check_whole_name(parser, tables.longs[index].name))
			return -1;
		spec = find_spec(parser->command, key);
		if (key != -1 && (!spec || set_option(parser, spec)))
			return -1;
	} while (key != -1);
	parser->options->arguments = parser->argv + optind;
	parser->options->argument_count = (size_t)(argc - optind);
	return 0;
}

/* --compressed-data alone implies protocol 2; no other protocol has it. */
static int settle_protocol(const struct command *command, struct options *options)
{
	if (options->protocol < 0)
		options->protocol = options->compressed_data ? 2 : 1;
	if (!options->protocol)
		options->protocol = SENDCP_PROTOCOL_MAX;
	if (options->protocol > SENDCP_PROTOCOL_MAX)
		return usage_error(command, "protocol %d is not supported, the highest is %d",
				   options->protocol, SENDCP_PROTOCOL_MAX);
	if (options->compressed_data && options->protocol < 2)
		return usage_error(command, "--compressed-data needs protocol 2 or higher");
	return 0;
}

/* At most one of them says where the stream is resumed. */
static int check_place(const struct command *command, const struct options *options)
{
	int places = options->at_given + options->restart + (options->have != NULL) +
		     (options->append != NULL);

	if (options->append && (options->output || options->to_stdout))
		return usage_error(command, "resume: --append names the output, so -f cannot be "
				   "given with it");
	if (places > 1)
		return usage_error(command, "resume: only one of --at, --have, --append and "
				   "--restart can be given");
	return 0;
}

/* Longer ones would be cut in the last line, of which there is more than these. */
#define FLOW_MAX 4096

static int check_length(const struct command *command, const struct options *options)
{
	char *line = resume_command_flow(xstrdup(""), options);
	size_t length = strlen(line);

	free(line);
	if (length <= FLOW_MAX)
		return 0;
	return usage_error(command, "the commands are too long: %zu of at most %u bytes, quoted. "
			   "Put them into a script", length, FLOW_MAX);
}

/* The output is a command: what it is resumed with. */
static int check_flow(const struct command *command, const struct options *options)
{
	if (!options->to_command && options->position_command)
		return usage_error(command, "%s: --position-command needs --to-command",
				   command->name);
	if (options->retry && !options->position_command)
		return usage_error(command, "%s: --retry needs --to-command and "
				   "--position-command, which says where to resume", command->name);
	if (!options->to_command)
		return 0;
	if (options->output || options->append || options->to_stdout)
		return usage_error(command, "%s: --to-command is the output: %s cannot be given "
				   "with it", command->name, options->append ? "--append" : "-f");
	if (options->no_checkpoint)
		return usage_error(command, "--to-command and --no-checkpoint exclude each other");
	return check_length(command, options);
}

/* The checkpoint file may be named alone, and that of the file to append to may be beside it. */
static void find_checkpoint(struct options *options, bool described)
{
	if (options->checkpoint)
		return;
	if (!options->append && options->argument_count == 1) {
		options->checkpoint = options->arguments[0];
		options->argument_count = 0;
	} else if (options->append && !options->argument_count && !described) {
		options->found = xasprintf("%s.cp", options->append);
		/* Anything but its absence is said when it is opened. */
		if (!access(options->found, F_OK) || errno != ENOENT)
			options->checkpoint = options->found;
	}
}

/* Says something about the stream to be resumed. Nothing said is a question: what is there? */
static bool has_place(const struct options *options)
{
	return options->at_given || options->have || options->restart || options->output ||
	       options->to_stdout || options->to_command;
}

/* With a journal the subvolumes are known; only without one they have to be given. */
static int check_resume(const struct command *command, struct options *options)
{
	bool described = options->parent || options->clone_count || options->one_end ||
			 options->no_data || options->compressed_data || options->data_error_given;

	if (check_place(command, options))
		return -1;
	find_checkpoint(options, described);
	if (options->checkpoint && (described || options->argument_count))
		return usage_error(command, "resume: SUBVOL, -p, -c, -e, --no-data, "
				   "--compressed-data and --on-data-error are for --append without "
				   "--checkpoint: the checkpoint file has them");
	if (options->checkpoint)
		return 0;
	if (!options->append && !described && !options->argument_count && !has_place(options))
		return 0;
	if (!options->append)
		return usage_error(command, "resume: the checkpoint file is missing: sendcp resume "
				   "FILE.cp");
	if (options->argument_count)
		return 0;
	return usage_error(command, "resume: there is no %s.cp: give --checkpoint FILE.cp, or "
			   "SUBVOL and the options of the send", options->append);
}

static int check_verify(const struct command *command, const struct options *options)
{
	if (options->argument_count > 1 && (options->position || options->checkpoint))
		return usage_error(command, "verify: --position and --checkpoint are for one file");
	if (options->json && options->position)
		return usage_error(command, "verify: --json and --position exclude each other");
	return 0;
}

/* Rules about values that were given as words of their own. */
static int check_apart(const struct parser *parser)
{
	const struct option_spec *apart = parser->apart, *unknown = parser->unknown;

	if (apart && parser->options->device_count)
		return usage_error(parser->command, "--%s: with --device, the word after it may be "
				   "a SUBVOL, too: give --%s=VALUE (%s)", apart->name, apart->name,
				   apart->values);
	if (unknown && !parser->options->device_count)
		return usage_error(parser->command, "%s: there is no such file, and --%s does not "
				   "take it (possible: %s)", parser->unknown_word, unknown->name,
				   unknown->values);
	return 0;
}

static int missing_argument(const struct parser *parser)
{
	const struct command *command = parser->command;

	if (command->bit == COMMAND_SEND && parser->taker)
		return usage_error(command, "send: no SUBVOL given (did %s take it?)",
				   parser->taker);
	if (command->bit == COMMAND_SEND)
		return usage_error(command, "send: no SUBVOL given");
	return usage_error(command, "%s: missing argument: sendcp %s", command->name,
			   command->usage);
}

/* Rules about several options. */
static int check(const struct parser *parser)
{
	const struct command *command = parser->command;
	struct options *options = parser->options;

	if (options->argument_count < command->min_arguments)
		return missing_argument(parser);
	if (options->argument_count > command->max_arguments)
		return usage_error(command, "%s: too many arguments: %s", command->name,
				   options->arguments[command->max_arguments]);
	if (check_apart(parser))
		return -1;
	if (options->parent_count > 1)
		return usage_error(command, "only one parent can be given");
	if (command->bit == COMMAND_RESUME && check_resume(command, options))
		return -1;
	if (command->bit == COMMAND_VERIFY && check_verify(command, options))
		return -1;
	if (check_flow(command, options))
		return -1;
	if (options->checkpoint && options->no_checkpoint)
		return usage_error(command, "--checkpoint and --no-checkpoint exclude each other");
	if (options->restart && options->continues)
		return usage_error(command, "--restart and --continue exclude each other");
	if (options->device_count && options->backend != BACKEND_AUTO)
		return usage_error(command, "--device reads an unmounted filesystem, --backend %s "
				   "a mounted one", options->backend == BACKEND_MODULE ? "module" :
				   "direct");
	if (options->ignore_log && !options->device_count)
		return usage_error(command, "--ignore-log needs --device: it is for unmounted "
				   "filesystems");
	return settle_protocol(command, options);
}

int options_parse(const struct command *command, int argc, char **argv, struct options *options)
{
	struct parser parser = { .command = command, .argv = argv, .options = options };

	*options = (struct options){
		.protocol = -1,
		.interval = DEFAULT_INTERVAL,
	};
	if (parse_words(&parser, argc))
		return -1;
	return options->help ? 0 : check(&parser);
}

void options_free(struct options *options)
{
	free(options->clone_sources);
	free(options->devices);
	free(options->found);
}
