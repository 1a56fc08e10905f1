// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * sendcp: finds the command and runs it.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "commands/command.h"
#include "transfer/printer.h"
#include "util/alloc.h"
#include "util/memory.h"
#include "util/message.h"
#include "util/signals.h"
#include "util/summary.h"
#include "util/text.h"
#include "util/title.h"

static int command_help(const struct options *options);
static int command_version(const struct options *options);

#define COMMANDS_READING (COMMAND_VERIFY | COMMAND_DUMP | COMMAND_CAT)
/* Those that show progress. */
#define COMMANDS_LONG (COMMAND_SEND | COMMAND_RESUME | COMMANDS_READING)

static const struct command commands[] = {
	{ .name = "send", .bit = COMMAND_SEND, .run = command_send,
	  .usage = "send [OPTIONS] SUBVOL...",
	  .brief = "write the send stream of read-only snapshots",
	  .summary = "Write the send stream of read-only snapshots, as btrfs send does, in a way\n"
		     "that can be interrupted and resumed.",
	  .min_arguments = 1, .max_arguments = 65536 },
	{ .name = "resume", .bit = COMMAND_RESUME, .run = command_resume,
	  .usage = "resume [OPTIONS] --checkpoint FILE | --append FILE SUBVOL...",
	  .brief = "resume an interrupted stream",
	  .summary = "Resume an interrupted stream: in the file of the first run, to standard\n"
		     "output, or in a file that holds a part of it.",
	  .max_arguments = 65536 },
	{ .name = "list", .bit = COMMAND_LIST, .run = command_list,
	  .usage = "list [--json]",
	  .brief = "list the streams that were interrupted",
	  .summary = "List the streams that were interrupted, and how to resume each." },
	{ .name = "info", .bit = COMMAND_INFO, .run = command_info,
	  .usage = "info [--json]",
	  .brief = "show the backends that can be used here",
	  .summary = "Show the backends that can be used here, and the versions in use." },
	{ .name = "show", .bit = COMMAND_SHOW, .run = command_show,
	  .usage = "show [--json] FILE.cp...",
	  .brief = "show what a checkpoint file records: the snapshots, how far the stream is",
	  .summary = "Show the snapshots and the progress that checkpoint files record, and\n"
		     "whether a run is going on.",
	  .min_arguments = 1, .max_arguments = 65536 },
	{ .name = "verify", .bit = COMMAND_VERIFY, .run = command_verify,
	  .usage = "verify [--json] [--checkpoint FILE.cp | --position] FILE|-...",
	  .brief = "check whether streams are complete and correct",
	  .summary = "Check whether streams, plain, in zstd or in an archive, are complete and\n"
		     "correct, and if not, up to where.",
	  .min_arguments = 1, .max_arguments = 65536 },
	{ .name = "dump", .bit = COMMAND_DUMP, .run = command_dump,
	  .usage = "dump [--json] FILE|-",
	  .brief = "print the commands of a stream",
	  .summary = "Print the commands of a stream, one per line, as btrfs receive --dump does.",
	  .min_arguments = 1, .max_arguments = 1 },
	{ .name = "cat", .bit = COMMAND_CAT, .run = command_cat,
	  .usage = "cat FILE|-",
	  .brief = "write the plain stream from zstd or an archive",
	  .summary = "Write the plain stream from zstd or an archive to standard output.",
	  .min_arguments = 1, .max_arguments = 1 },
	{ .name = "help", .bit = COMMAND_HELP, .run = command_help,
	  .usage = "help [COMMAND]",
	  .brief = "show the options of a command",
	  .summary = "Show the commands, or what a command does and its options.",
	  .max_arguments = 1 },
	{ .name = "version", .bit = COMMAND_VERSION, .run = command_version,
	  .usage = "version",
	  .brief = "print the version",
	  .summary = "Print the version of sendcp." },
};

static const struct command *find_command(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		if (!strcmp(commands[i].name, name))
			return &commands[i];
	return NULL;
}

static void general_help(FILE *to)
{
	fputs("usage: sendcp COMMAND [OPTIONS] ...\n\n", to);
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		fprintf(to, "  %-9s%s\n", commands[i].name, commands[i].brief);
	fputs("\nThe options of a command: sendcp help COMMAND. The manual: man 8 sendcp.\n\n"
	      "Exit status: 0 done, 1 failed for good, 2 usage, 3 done, but data that cannot\n"
	      "be read are replaced, 75 interrupted: run it again, or the last line that it\n"
	      "printed.\n",
	      to);
}

/* The output is help that was asked for, so a full disk as stdout is a failure too. */
static int flush_stdout(void)
{
	if (!fflush(stdout) && !ferror(stdout))
		return EXIT_DONE;
	error_line("cannot write to standard output: %s", strerror(errno));
	return EXIT_FAILED;
}

static int help(const struct command *command)
{
	if (command)
		options_help(command, stdout);
	else
		general_help(stdout);
	return flush_stdout();
}

static int no_such_command(const char *name)
{
	error_line("no such command: %s; see sendcp help", name);
	return EXIT_USAGE;
}

static int command_help(const struct options *options)
{
	const char *name = options->argument_count ? options->arguments[0] : NULL;
	const struct command *command = name ? find_command(name) : NULL;

	return name && !command ? no_such_command(name) : help(command);
}

static int command_version(const struct options *options)
{
	printf("sendcp %s\n", SENDCP_VERSION);
	return flush_stdout();
}

/* Reading was interrupted, so nothing is known to be wrong. */
static int reading_stopped(const struct command *command, int code)
{
	return command->bit & COMMANDS_READING && code == EXIT_FAILED && signals_stopped() ?
	       EXIT_BROKEN_OFF : code;
}

/* The other run will end: later the same command may do what it says, or find it done. */
static int waits_for_another(int code)
{
	return code == EXIT_FAILED && message_in_use() ? EXIT_BROKEN_OFF : code;
}

/* Runs it; if that may take long, with progress and a summary. */
static int watch(const struct command *command, const struct options *options)
{
	int code;

	if (!(command->bit & COMMANDS_LONG))
		return command->run(options);
	memory_begin();
	signals_install();
	message_set_json(options->progress == PROGRESS_JSON);
	summary_begin();
	/* Again, so that it comes before the summary. */
	without_memory_begin();
	printer_begin(options, command->name);
	code = waits_for_another(reading_stopped(command, command->run(options)));
	printer_end();
	summary_print(code);
	return code;
}

static int run(const struct command *command, int argc, char **argv)
{
	struct options options;
	int code = EXIT_USAGE;

	if (!options_parse(command, argc, argv, &options)) {
		message_set_verbosity(options.verbosity);
		code = options.help ? help(command) : watch(command, &options);
	}
	options_free(&options);
	return code;
}

/*
 * A standard descriptor that is closed would be the next file that is opened, and messages would be
 * written into that. The descriptor opened in its place fails as a closed one does; only messages
 * are lost.
 */
static bool occupy_standard(void)
{
	static const int modes[] = {
		[STDIN_FILENO] = O_WRONLY,
		[STDOUT_FILENO] = O_RDONLY,
		[STDERR_FILENO] = O_WRONLY,
	};

	for (int fd = 0; fd < (int)ARRAY_SIZE(modes); fd++)
		/* cppcheck-suppress leakReturnValNotUsed ; a standard file stays open */
		if (fcntl(fd, F_GETFD) < 0 && errno == EBADF && open("/dev/null", modes[fd]) != fd)
			return false;
	return true;
}

/* Options that are commands: "--help". NULL: none. */
static const struct command *find_option(const char *word)
{
	if (!strcmp(word, "--version") || !strcmp(word, "-V"))
		return find_command("version");
	if (!strcmp(word, "--help") || !strcmp(word, "-h"))
		return find_command("help");
	return NULL;
}

/* An option where the command should be, which is perhaps one of the words after it. */
static int misplaced_option(int argc, char **argv)
{
	char *option = shell_quote(argv[1]);
	const struct command *command = NULL;

	for (int i = 2; i < argc && !command; i++)
		command = find_command(argv[i]);
	if (command)
		error_line("the command comes first: sendcp %s %s ...", command->name, option);
	else
		error_line("no command before %s; see sendcp help", argv[1]);
	free(option);
	return EXIT_USAGE;
}

static int run_command(int argc, char **argv)
{
	const char *word = argc > 1 ? argv[1] : "";
	const struct command *command = find_command(word);

	if (!command)
		command = find_option(word);
	if (command)
		return run(command, argc - 1, argv + 1);
	if (*word == '-')
		return misplaced_option(argc, argv);
	if (*word)
		return no_such_command(word);
	general_help(stderr);
	return EXIT_USAGE;
}

int main(int argc, char **argv)
{
	int code;

	signals_block_report();
	if (!occupy_standard())
		return EXIT_FAILED;
	without_memory_begin();
	code = run_command(argc, title_take(argc, argv));
	without_memory_end();
	return code;
}
