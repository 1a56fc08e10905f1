// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The options of all commands: one table, from which getopt's and the help are made, and what each
 * one sets.
 */
#include <limits.h>
#include <string.h>

#include <sendcp/engine.h>
#include <sendcp/stream.h>

#include "commands/options_table.h"
#include "journal/format.h"
#include "resume/position.h"
#include "util/alloc.h"
#include "util/text.h"

/* Keys of options without a short form, above all characters. */
enum {
	KEY_NO_DATA = 256,
	KEY_PROTO,
	KEY_COMPRESSED_DATA,
	KEY_ON_DATA_ERROR,
	KEY_CHECKPOINT,
	KEY_NO_CHECKPOINT,
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
	KEY_TITLE,
	KEY_AT,
	KEY_HAVE,
	KEY_RESTART,
	KEY_CONTINUE,
	KEY_POSITION,
	KEY_APPEND,
	KEY_JSON,
	KEY_BWLIMIT,
	KEY_TO_COMMAND,
	KEY_POSITION_COMMAND,
	KEY_RETRY,
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

/*
 * "-" is standard output, as for other programs; a file of that name is "./-". Under its other
 * names a checkpoint file would be made in /dev, the same for every output, gone with a reboot.
 */
static bool is_stdout(const char *argument)
{
	static const char *const names[] = { "-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (!strcmp(argument, names[i]))
			return true;
	return false;
}

static bool set_output(struct options *options, const char *argument)
{
	options->to_stdout = is_stdout(argument);
	options->output = options->to_stdout ? NULL : argument;
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

/* A name that is written to, read back and replaced: none of the standard streams. */
static bool is_file_name(const char *argument)
{
	return *argument && strcmp(argument, "-");
}

static bool set_checkpoint(struct options *options, const char *argument)
{
	options->checkpoint = argument;
	return is_file_name(argument);
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

static bool set_on_data_error(struct options *options, const char *argument)
{
	static const char *const words[] = { "fail", "zero", "skip" };
	static const u32 flags[] = { 0, SENDCP_SEND_DATA_ZERO, SENDCP_SEND_DATA_SKIP };
	size_t found;

	if (!find_word(words, ARRAY_SIZE(words), argument, &found))
		return false;
	options->data_error = flags[found];
	options->data_error_given = true;
	return true;
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
	struct position position;

	options->have = argument;
	return position_parse(argument, &position);
}

static bool set_append(struct options *options, const char *argument)
{
	options->append = argument;
	return is_file_name(argument);
}

static bool set_bwlimit(struct options *options, const char *argument)
{
	return parse_size(argument, &options->bwlimit) && options->bwlimit;
}

static bool set_to_command(struct options *options, const char *argument)
{
	options->to_command = argument;
	return *argument;
}

static bool set_position_command(struct options *options, const char *argument)
{
	options->position_command = argument;
	return *argument;
}

static bool set_retry(struct options *options, const char *argument)
{
	return parse_duration(argument, &options->retry) && options->retry &&
	       options->retry <= UINT32_MAX;
}

#define STREAM (COMMAND_SEND | COMMAND_RESUME)
#define READERS (COMMAND_VERIFY | COMMAND_DUMP | COMMAND_CAT)

#define TAKES(function) TAKES_ONE_OF(function, NULL)
#define TAKES_ONE_OF(function, values) function, 0, values
#define SETS(member) NULL, offsetof(struct options, member), NULL

/* The numbers in the texts below. */
_Static_assert(SENDCP_COMMAND_MAX_V2 == 144u << 10, "the least size of a buffer is another");
/* NOLINTNEXTLINE(misc-redundant-expression): that they are the same is the point. */
_Static_assert(JOURNAL_BATCH_MAX == 1u << 30, "the greatest size of a buffer is another");
_Static_assert(MAX_BUFFERS == 64, "the greatest number of buffers is another");
_Static_assert(SENDCP_PROTOCOL_MAX == 2, "the highest protocol is another");

#define A_FILE_NAME "the name of a file, not -"

const struct option_spec option_table[] = {
	{ 'p', "parent", "SUBVOL", STREAM, TAKES(set_parent),
	  "send what changed since the snapshot SUBVOL" },
	{ 'c', "clone-src", "SUBVOL", STREAM, TAKES(set_clone_source),
	  "let extents be cloned from the snapshot SUBVOL, which the\n"
	  "receiver must have; may be repeated" },
	{ 'e', NULL, NULL, STREAM, SETS(one_end),
	  "several subvolumes: one stream header and one END for all" },
	{ 'f', "output", "FILE", COMMAND_SEND,
	  TAKES_ONE_OF(set_output, "the name of a file, or - for standard output"),
	  "write to FILE instead of standard output (which is -)" },
	{ 'f', "output", "FILE", COMMAND_RESUME,
	  TAKES_ONE_OF(set_output, "the name of a file, or - for standard output"),
	  "resume in FILE, or to standard output if it is - (default: where\n"
	  "the last run wrote to)" },
	{ KEY_NO_DATA, "no-data", NULL, STREAM, SETS(no_data),
	  "send where data changed, not the data" },
	{ KEY_PROTO, "proto", "N", COMMAND_SEND,
	  TAKES_ONE_OF(set_protocol, "1, 2, or 0 for the highest"),
	  "stream protocol: @ (default 1)" },
	{ KEY_COMPRESSED_DATA, "compressed-data", NULL, STREAM, SETS(compressed_data),
	  "send compressed extents as they are; protocol 2" },
	{ KEY_ON_DATA_ERROR, "on-data-error", "WHAT", STREAM,
	  TAKES_ONE_OF(set_on_data_error, "fail, zero or skip"),
	  "contents that cannot be read: fail (default); zero: send zeros;\n"
	  "skip: send nothing for them. They are marked and listed, and the\n"
	  "exit status is 3" },
	{ KEY_CHECKPOINT, "checkpoint", "FILE", COMMAND_SEND,
	  TAKES_ONE_OF(set_checkpoint, A_FILE_NAME),
	  "keep the checkpoint file as FILE. Without this, -f OUT keeps\n"
	  "OUT.cp, a pipe one in the state directory, and it is removed\n"
	  "when the stream is complete" },
	{ KEY_NO_CHECKPOINT, "no-checkpoint", NULL, COMMAND_SEND, SETS(no_checkpoint),
	  "keep no checkpoint file" },
	{ KEY_CHECKPOINT, "checkpoint", "FILE", COMMAND_RESUME,
	  TAKES_ONE_OF(set_checkpoint, A_FILE_NAME),
	  "the checkpoint file of the interrupted run" },
	{ KEY_CHECKPOINT, "checkpoint", "FILE", COMMAND_VERIFY,
	  TAKES_ONE_OF(set_checkpoint, A_FILE_NAME),
	  "compare with the hashes in the checkpoint file FILE" },
	{ KEY_INTERVAL, "checkpoint-interval", "SIZE", COMMAND_SEND,
	  TAKES_ONE_OF(set_interval, "a number with K, M, G or T; at least 144K"),
	  "stream bytes between durable checkpoints (default 64M):\n@" },
	{ KEY_COMPRESS, "compress", "[LEVEL]", COMMAND_SEND, TAKES_ONE_OF(set_compress, "1 to 22"),
	  "compress with zstd, level @ (default 3); the file can be\n"
	  "truncated at any frame and resumed" },
	{ KEY_ARCHIVE, "archive", "[KIND]", COMMAND_SEND, TAKES_ONE_OF(set_archive, "tar or cpio"),
	  "make an archive, @ (default tar), of segments of the\n"
	  "stream and their checkpoints; --compress compresses the whole archive" },
	{ KEY_AT, "at", "N", COMMAND_RESUME,
	  TAKES_ONE_OF(set_at, "a number of bytes, without a suffix"),
	  "the receiver of a pipe has exactly N bytes: resume with byte N. Of\n"
	  "a file: keep at most N bytes" },
	{ KEY_HAVE, "have", "POSITION", COMMAND_RESUME,
	  TAKES_ONE_OF(set_have, "the line that sendcp verify --position printed"),
	  "the receiver has POSITION, which sendcp verify --position\n"
	  "printed there; it is proven before anything is sent" },
	{ KEY_APPEND, "append", "FILE", COMMAND_RESUME, TAKES_ONE_OF(set_append, A_FILE_NAME),
	  "keep the part of FILE that is proven to be this stream, truncate\n"
	  "the rest, resume. FILE is plain, in zstd (of any program) or in an\n"
	  "archive, truncated or damaged. Without --checkpoint, FILE.cp is\n"
	  "used; or give SUBVOL and options as for send: FILE is compared\n"
	  "with that stream" },
	{ KEY_TO_COMMAND, "to-command", "COMMAND", STREAM, TAKES(set_to_command),
	  "write to the standard input of COMMAND, which a shell runs. The\n"
	  "stream is complete when COMMAND has ended with 0. It begins at\n"
	  "byte $SENDCP_OFFSET of the output" },
	{ KEY_POSITION_COMMAND, "position-command", "COMMAND", STREAM,
	  TAKES(set_position_command),
	  "COMMAND prints what the receiver has: a number of bytes, or what\n"
	  "sendcp verify --position prints; resume there" },
	{ KEY_RETRY, "retry", "DURATION", STREAM,
	  TAKES_ONE_OF(set_retry, "a number with s, m, h or d"),
	  "after an interruption, resume by itself, until DURATION has passed\n"
	  "without progress: @" },
	{ KEY_BWLIMIT, "bwlimit", "RATE", STREAM | COMMAND_CAT,
	  TAKES_ONE_OF(set_bwlimit, "a number with K, M, G or T"),
	  "write at most RATE bytes per second: @" },
	{ KEY_CONTINUE, "continue", NULL, COMMAND_SEND, SETS(continues),
	  "also leave a complete stream of the same request as it is; an\n"
	  "interrupted one is continued without this" },
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
	{ KEY_BACKEND, "backend", "WHICH", STREAM,
	  TAKES_ONE_OF(set_backend, "auto, module or direct"),
	  "of a mounted filesystem: module (/dev/sendcp makes the stream),\n"
	  "direct (this program does, from the devices), or auto (default:\n"
	  "module if it is there)" },
	{ KEY_BUFFER_SIZE, "buffer-size", "SIZE", STREAM,
	  TAKES_ONE_OF(set_buffer_size, "a number with K, M or G; 144K to 1G"),
	  "size of a buffer (default 4M): @" },
	{ KEY_BUFFERS, "buffers", "N", STREAM, TAKES_ONE_OF(set_buffers, "1 to 64"),
	  "number of buffers between reading and writing: @\n"
	  "(default 4)" },
	{ KEY_STEP, "step", NULL, COMMAND_SEND, SETS(step),
	  "resume from a checkpoint after every command (slow; tests the\n"
	  "checkpoints)" },
	{ KEY_DRY_RUN, "dry-run", NULL, COMMAND_SEND, SETS(dry_run),
	  "print the size of the stream; read no file data" },
	{ KEY_PROGRESS, "progress", "[WHEN]", STREAM | READERS,
	  TAKES_ONE_OF(set_progress, "auto, always, never or json"),
	  "@ (default auto: on a terminal; json: all\n"
	  "messages are JSON, too). SIGUSR1 prints a line in any case" },
	{ KEY_TITLE, "title", NULL, STREAM | COMMAND_VERIFY, SETS(title),
	  "show progress in the process title, too, for ps" },
	{ KEY_POSITION, "position", NULL, COMMAND_VERIFY, SETS(position),
	  "print up to where FILE is correct, and a hash: for resume --have" },
	{ KEY_JSON, "json", NULL, COMMAND_SHOW | COMMAND_INFO | COMMAND_LIST, SETS(json),
	  "print JSON" },
	{ KEY_JSON, "json", NULL, COMMAND_VERIFY, SETS(json),
	  "print a JSON object per FILE" },
	{ KEY_JSON, "json", NULL, COMMAND_DUMP, SETS(json),
	  "print JSON Lines" },
	{ 'q', "quiet", NULL, STREAM | COMMAND_VERIFY, TAKES(set_quiet),
	  "print errors only" },
	{ 'v', "verbose", NULL, STREAM, TAKES(set_verbose),
	  "print more; may be repeated" },
	{ 'h', "help", NULL, ~0u, SETS(help),
	  "print this help" },
};

_Static_assert(ARRAY_SIZE(option_table) <= OPTIONS_MAX, "tables of getopt have no room");
const size_t option_count = ARRAY_SIZE(option_table);

bool option_optional(const struct option_spec *spec)
{
	return spec->argument && spec->argument[0] == '[';
}
