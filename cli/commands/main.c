// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * sendcp: finds the command and runs it.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "commands/command.h"
#include "util/message.h"

static const struct command commands[] = {
	{ .name = "send", .bit = COMMAND_SEND, .run = command_send,
	  .usage = "send [OPTIONS] SUBVOL...",
	  .summary = "Write the send stream of read-only snapshots, as btrfs send does, in a way\n"
		     "that can be interrupted and resumed.",
	  .min_arguments = 1, .max_arguments = 65536 },
	{ .name = "resume", .bit = COMMAND_RESUME, .run = command_resume,
	  .usage = "resume [OPTIONS] --checkpoint FILE | --append FILE SUBVOL...",
	  .summary = "Resume an interrupted stream: in the file of the first run, to standard\n"
		     "output, or in a file that holds a part of it.",
	  .max_arguments = 65536 },
	{ .name = "list", .bit = COMMAND_LIST, .run = command_list,
	  .usage = "list [--json]",
	  .summary = "List the streams that were interrupted, and how to resume each." },
	{ .name = "info", .bit = COMMAND_INFO, .run = command_info,
	  .usage = "info [--json]",
	  .summary = "Show the backends that can be used here, and the versions in use." },
	{ .name = "show", .bit = COMMAND_SHOW, .run = command_show,
	  .usage = "show [--json] FILE.cp",
	  .summary = "Show the snapshots and the progress that a checkpoint file records.",
	  .min_arguments = 1, .max_arguments = 1 },
	{ .name = "verify", .bit = COMMAND_VERIFY, .run = command_verify,
	  .usage = "verify [--checkpoint FILE.cp | --position] FILE|-",
	  .summary = "Check whether a stream, plain, in zstd or in an archive, is complete and\n"
		     "correct, and if not, up to where.",
	  .min_arguments = 1, .max_arguments = 1 },
	{ .name = "dump", .bit = COMMAND_DUMP, .run = command_dump,
	  .usage = "dump [--json] FILE|-",
	  .summary = "Print the commands of a stream, one per line, as btrfs receive --dump does.",
	  .min_arguments = 1, .max_arguments = 1 },
	{ .name = "cat", .bit = COMMAND_CAT, .run = command_cat,
	  .usage = "cat FILE|-",
	  .summary = "Write the plain stream from zstd or an archive to standard output.",
	  .min_arguments = 1, .max_arguments = 1 },
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
		fprintf(to, "  sendcp %s\n", commands[i].usage);
	fputs("  sendcp help [COMMAND]\n"
	      "  sendcp --version\n\n"
	      "Exit status: 0 done, 1 failed for good, 2 usage, 75 interrupted: continue\n"
	      "with sendcp resume.\n",
	      to);
}

/* The output is help that was asked for, so a full disk as stdout is a failure too. */
static int flush_stdout(void)
{
	return fflush(stdout) || ferror(stdout) ? EXIT_FAILED : EXIT_DONE;
}

static int help(const char *name)
{
	const struct command *command = name ? find_command(name) : NULL;

	if (name && !command) {
		error_line("no such command: %s", name);
		return EXIT_USAGE;
	}
	if (command)
		options_help(command, stdout);
	else
		general_help(stdout);
	return flush_stdout();
}

static int version(void)
{
	printf("sendcp %s\n", SENDCP_VERSION);
	return flush_stdout();
}

static int run(const struct command *command, int argc, char **argv)
{
	struct options options;
	int code = EXIT_USAGE;

	if (!options_parse(command, argc, argv, &options)) {
		message_set_verbosity(options.verbosity);
		code = options.help ? help(command->name) : command->run(&options);
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
		if (fcntl(fd, F_GETFD) < 0 && errno == EBADF && open("/dev/null", modes[fd]) != fd)
			return false;
	return true;
}

static int run_command(int argc, char **argv)
{
	const char *word = argc > 1 ? argv[1] : "";
	const struct command *command = find_command(word);

	if (command)
		return run(command, argc - 1, argv + 1);
	if (!strcmp(word, "--version") || !strcmp(word, "version"))
		return version();
	if (!strcmp(word, "help") || !strcmp(word, "--help") || !strcmp(word, "-h"))
		return help(argc > 2 ? argv[2] : NULL);
	if (*word)
		error_line("no such command: %s", word);
	else
		general_help(stderr);
	return EXIT_USAGE;
}

int main(int argc, char **argv)
{
	return occupy_standard() ? run_command(argc, argv) : EXIT_FAILED;
}
