// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The options of all commands: one table, from which getopt's and the help are made.
 */
#include <getopt.h>
#include <limits.h>
#include <stdlib.h>

#include <sendcp/engine.h>

#include "commands/options.h"
#include "journal/format.h"
#include "util/alloc.h"
#include "util/message.h"
#include "util/text.h"

/* Keys of options without a short form, above all characters. */
enum {
	KEY_NO_DATA = 256,
	KEY_PROTO,
	KEY_COMPRESSED_DATA,
	KEY_CHECKPOINT,
	KEY_INTERVAL,
	KEY_COMPRESS,
	KEY_ARCHIVE,
	KEY_DEVICE,
	KEY_IGNORE_LOG,
	KEY_BACKEND,
	KEY_BUFFER_SIZE,
	KEY_BUFFERS,
	KEY_STEP,
	KEY_DRY_RUN,
	KEY_PROGRESS,
	KEY_AT,
	KEY_HAVE,
	KEY_RESTART,
	KEY_POSITION,
	KEY_APPEND,
	KEY_JSON,
};

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
	const char *help;
};

static bool set_parent(struct options *options, const char *argument)
{
	options->parent = argument;
	options->parent_count++;
	return true;
}

static void append(const char ***list, size_t *count, const char *value)
{
	size_t capacity = *count;

	*list = xgrow(*list, &capacity, *count + 1, sizeof(**list));
	(*list)[(*count)++] = value;
}

static bool set_clone_source(struct options *options, const char *argument)
{
	append(&options->clone_sources, &options->clone_count, argument);
	return true;
}

static bool set_device(struct options *options, const char *argument)
{
	append(&options->devices, &options->device_count, argument);
	return true;
}

static bool set_output(struct options *options, const char *argument)
{
	options->output = argument;
	return *argument;
}

static bool set_quiet(struct options *options, const char *argument)
{
	options->verbosity = -1;
	return true;
}

static bool set_verbose(struct options *options, const char *argument)
{
	options->verbosity = options->verbosity < 0 ? 1 : options->verbosity + 1;
	return true;
}

static bool set_protocol(struct options *options, const char *argument)
{
	u64 value;

	if (!sendcp_parse_u64(argument, &value) || value > INT_MAX)
		return false;
	options->protocol = (int)value;
	return true;
}

static bool set_checkpoint(struct options *options, const char *argument)
{
	options->checkpoint = argument;
	return *argument;
}

/* No batch is larger than the interval, and any command must fit into a batch. */
static bool set_interval(struct options *options, const char *argument)
{
	return parse_size(argument, &options->interval) &&
	       options->interval >= sendcp_buffer_min(SENDCP_PROTOCOL_MAX);
}

/* --compress alone is zstd's own default. */
static bool set_compress(struct options *options, const char *argument)
{
	u64 level = CONTAINER_LEVEL_DEFAULT;

	if (argument && (!sendcp_parse_u64(argument, &level) || !container_level_possible(level)))
		return false;
	options->container.level = (int)level;
	return true;
}

static bool set_archive(struct options *options, const char *argument)
{
	return archive_kind_find(argument ? argument : "tar", &options->container.archive);
}

/* Which of @words it is. */
static bool find_word(const char *const *words, size_t count, const char *argument, size_t *found)
{
	for (*found = 0; *found < count; (*found)++)
		if (!strcmp(argument, words[*found]))
			return true;
	return false;
}

static bool set_backend(struct options *options, const char *argument)
{
	static const char *const words[] = {
		[BACKEND_AUTO] = "auto",
		[BACKEND_MODULE] = "module",
		[BACKEND_DIRECT] = "direct",
	};
	size_t found;

	if (!find_word(words, ARRAY_SIZE(words), argument, &found))
		return false;
	options->backend = (enum backend)found;
	return true;
}

/* A buffer must hold any one command, and a journal must be able to describe it. */
static bool set_buffer_size(struct options *options, const char *argument)
{
	return parse_size(argument, &options->buffer_size) &&
	       options->buffer_size >= sendcp_buffer_min(SENDCP_PROTOCOL_MAX) &&
	       options->buffer_size <= JOURNAL_BATCH_MAX;
}

static bool set_buffers(struct options *options, const char *argument)
{
	u64 value;

	if (!sendcp_parse_u64(argument, &value) || !value || value > MAX_BUFFERS)
		return false;
	options->buffers = (u32)value;
	return true;
}

/* --progress alone means that it is wanted. */
static bool set_progress(struct options *options, const char *argument)
{
	static const char *const words[] = {
		[PROGRESS_AUTO] = "auto",
		[PROGRESS_ALWAYS] = "always",
		[PROGRESS_NEVER] = "never",
		[PROGRESS_JSON] = "json",
	};
	size_t found;

	if (!find_word(words, ARRAY_SIZE(words), argument ? argument : "always", &found))
		return false;
	options->progress = (enum progress_when)found;
	return true;
}

static bool set_at(struct options *options, const char *argument)
{
	options->at_given = sendcp_parse_u64(argument, &options->at);
	return options->at_given;
}

static bool set_have(struct options *options, const char *argument)
{
	options->have = argument;
	return *argument;
}

static bool set_append(struct options *options, const char *argument)
{
	options->append = argument;
	return *argument;
}

#define STREAM (COMMAND_SEND | COMMAND_RESUME)

#define TAKES(function) function, 0
#define SETS(member) NULL, offsetof(struct options, member)

/* In the order the help shows them. A help text's lines are separated by newlines. */
static const struct option_spec table[] = {
	{ 'p', "parent", "SUBVOL", STREAM, TAKES(set_parent),
	  "send what changed since the snapshot SUBVOL" },
	{ 'c', "clone-src", "SUBVOL", STREAM, TAKES(set_clone_source),
	  "let extents be cloned from the snapshot SUBVOL, which the\n"
	  "receiver must have; may be repeated" },
	{ 'e', NULL, NULL, STREAM, SETS(one_end),
	  "several subvolumes: one stream header and one END for all" },
	{ 'f', "output", "FILE", COMMAND_SEND, TAKES(set_output),
	  "write to FILE instead of standard output" },
	{ 'f', "output", "FILE", COMMAND_RESUME, TAKES(set_output),
	  "resume in FILE (default: where the last run wrote to)" },
	{ KEY_NO_DATA, "no-data", NULL, STREAM, SETS(no_data),
	  "send where data changed, not the data" },
	{ KEY_PROTO, "proto", "N", COMMAND_SEND, TAKES(set_protocol),
	  "stream protocol 1 (default), 2, or 0 for the highest" },
	{ KEY_COMPRESSED_DATA, "compressed-data", NULL, STREAM, SETS(compressed_data),
	  "send compressed extents as they are; protocol 2" },
	{ KEY_CHECKPOINT, "checkpoint", "FILE", COMMAND_SEND, TAKES(set_checkpoint),
	  "keep the checkpoint file as FILE. Without this, -f OUT keeps\n"
	  "OUT.cp, and removes it when the stream is complete" },
	{ KEY_CHECKPOINT, "checkpoint", "FILE", COMMAND_RESUME, TAKES(set_checkpoint),
	  "the checkpoint file of the interrupted run" },
	{ KEY_CHECKPOINT, "checkpoint", "FILE", COMMAND_VERIFY, TAKES(set_checkpoint),
	  "compare with the hashes in the checkpoint file FILE" },
	{ KEY_INTERVAL, "checkpoint-interval", "SIZE", COMMAND_SEND, TAKES(set_interval),
	  "stream bytes between durable checkpoints (default 64M)" },
	{ KEY_COMPRESS, "compress", "[LEVEL]", COMMAND_SEND, TAKES(set_compress),
	  "compress with zstd, level 1 to 22 (default 3); the file can be\n"
	  "truncated at any frame and resumed" },
	{ KEY_ARCHIVE, "archive", "[KIND]", COMMAND_SEND, TAKES(set_archive),
	  "make a tar (default) or cpio archive of segments of the stream\n"
	  "and their checkpoints; --compress compresses the whole archive" },
	{ KEY_AT, "at", "N", COMMAND_RESUME, TAKES(set_at),
	  "the receiver of a pipe has exactly N bytes: resume with byte N. Of\n"
	  "a file: keep at most N bytes" },
	{ KEY_HAVE, "have", "POSITION", COMMAND_RESUME, TAKES(set_have),
	  "the receiver has POSITION, which sendcp verify --position\n"
	  "printed there; it is proven before anything is sent" },
	{ KEY_APPEND, "append", "FILE", COMMAND_RESUME, TAKES(set_append),
	  "keep the part of FILE that is proven to be this stream, truncate\n"
	  "the rest, resume. FILE is plain, in zstd (of any program) or in an\n"
	  "archive, truncated or damaged. Without --checkpoint, give SUBVOL\n"
	  "and options as for send: FILE is compared with that stream" },
	{ KEY_RESTART, "restart", NULL, COMMAND_SEND, SETS(restart),
	  "discard the checkpoint file and the output of an interrupted send;\n"
	  "overwrite any output" },
	{ KEY_RESTART, "restart", NULL, COMMAND_RESUME, SETS(restart),
	  "start over at byte 0; a file is emptied" },
	{ KEY_DEVICE, "device", "FILE", STREAM, TAKES(set_device),
	  "read the unmounted device or image FILE; repeat it for each\n"
	  "device of the filesystem. SUBVOL is then a path from the top-level\n"
	  "subvolume, id:N or uuid:U" },
	{ KEY_IGNORE_LOG, "ignore-log", NULL, STREAM, SETS(ignore_log),
	  "send a writable subvolume of a filesystem that was not unmounted,\n"
	  "without data that was synced since the last commit" },
	{ KEY_BACKEND, "backend", "WHICH", STREAM, TAKES(set_backend),
	  "of a mounted filesystem: module (/dev/sendcp makes the stream),\n"
	  "direct (this program does, from the devices), or auto (default:\n"
	  "module if it is there)" },
	{ KEY_BUFFER_SIZE, "buffer-size", "SIZE", STREAM, TAKES(set_buffer_size),
	  "size of a buffer (default 4M)" },
	{ KEY_BUFFERS, "buffers", "N", STREAM, TAKES(set_buffers),
	  "number of buffers between reading and writing (default 4)" },
	{ KEY_STEP, "step", NULL, COMMAND_SEND, SETS(step),
	  "resume from a checkpoint after every command (slow; tests the\n"
	  "checkpoints)" },
	{ KEY_DRY_RUN, "dry-run", NULL, COMMAND_SEND, SETS(dry_run),
	  "print the size of the stream; read no file data" },
	{ KEY_PROGRESS, "progress", "[WHEN]", STREAM, TAKES(set_progress),
	  "auto (default: on a terminal), always, never or json" },
	{ KEY_POSITION, "position", NULL, COMMAND_VERIFY, SETS(position),
	  "print up to where FILE is correct, and a hash: for resume --have" },
	{ KEY_JSON, "json", NULL, COMMAND_SHOW | COMMAND_INFO, SETS(json),
	  "print JSON" },
	{ KEY_JSON, "json", NULL, COMMAND_DUMP, SETS(json),
	  "print JSON Lines" },
	{ 'q', "quiet", NULL, STREAM | COMMAND_VERIFY, TAKES(set_quiet),
	  "print errors only" },
	{ 'v', "verbose", NULL, STREAM, TAKES(set_verbose),
	  "print more; may be repeated" },
	{ 'h', "help", NULL, ~0u, SETS(help),
	  "print this help" },
};

static bool optional(const struct option_spec *spec)
{
	return spec->argument && spec->argument[0] == '[';
}

/* One getopt letter, its colon, and the terminator. */
#define SHORT_ROOM (2 * ARRAY_SIZE(table) + 2)

struct getopt_tables {
	char letters[SHORT_ROOM];
	struct option longs[ARRAY_SIZE(table) + 1];
};

static void make_tables(const struct command *command, struct getopt_tables *tables)
{
	char *letter = tables->letters;
	struct option *entry = tables->longs;

	memset(tables, 0, sizeof(*tables));
	/* A colon first: a missing argument is distinguished from an unknown option. */
	*letter++ = ':';
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		const struct option_spec *spec = &table[i];

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
			.has_arg = optional(spec) ? optional_argument :
				   spec->argument ? required_argument : no_argument,
			.val = spec->key,
		};
	}
}

static const struct option_spec *find_spec(const struct command *command, int key)
{
	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		if (table[i].key == key && table[i].commands & command->bit)
			return &table[i];
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

/* With a journal the subvolumes are known; only without one they have to be given. */
static int check_resume(const struct options *options)
{
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
	return options->append ? 0 : error_line("resume: --checkpoint FILE is missing");
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

#define HELP_COLUMN 30

/* "  -f, --output FILE"; returns its length. */
static int help_name(const struct option_spec *spec, FILE *to)
{
	const char *argument = spec->argument ? spec->argument : "";
	const char *joint = !spec->argument || optional(spec) ? "" : " ";
	int length = 0;

	length += spec->key < 256 ? fprintf(to, "  -%c%s", spec->key, spec->name ? ", " : "") :
				    fprintf(to, "      ");
	if (spec->name)
		length += fprintf(to, "--%s", spec->name);
	if (optional(spec))
		length += fprintf(to, "[=%.*s]", (int)strlen(argument) - 2, argument + 1);
	else
		length += fprintf(to, "%s%s", joint, argument);
	return length;
}

static void help_option(const struct option_spec *spec, FILE *to)
{
	int column = help_name(spec, to);
	const char *line = spec->help;

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
}

void options_help(const struct command *command, FILE *to)
{
	fprintf(to, "usage: sendcp %s\n\n%s\n\n", command->usage, command->summary);
	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		if (table[i].commands & command->bit)
			help_option(&table[i], to);
}
