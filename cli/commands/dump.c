// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * sendcp dump: the commands of a stream, a line each.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "commands/command.h"
#include "job/conflicts.h"
#include "parse/check.h"
#include "parse/dump.h"
#include "parse/file.h"
#include "util/message.h"
#include "util/signals.h"

static int output_failed(void)
{
	if (signals_stopped())
		return error_stopped();
	/* A reader that has seen enough; without a signal handler this would end in silence too. */
	if (errno == EPIPE && !message_json())
		return -1;
	return error_line("cannot write to standard output: %s", strerror(errno));
}

/* A command that lacks what its line shows cannot be shown. */
static int dump_command(const struct options *options, struct stream_file *file,
			struct stream_dump *dump, const struct stream_command *command)
{
	if (command->type && !stream_check_attributes(file->reader, command))
		return 1;
	if (!options->json)
		stream_dump_text(dump, command, stdout);
	else
		stream_dump_json(command, stdout);
	return ferror(stdout) ? output_failed() : 0;
}

/* Lines first, then what is wrong after them. */
static int dump(const struct options *options, struct stream_file *file)
{
	struct stream_dump dump = { .name_length = 0 };
	const struct stream_command *command;
	int ret = 0;

	while (!ret && (command = stream_next(file->reader)))
		ret = dump_command(options, file, &dump, command);
	if (ret < 0)
		return -1;
	if (fflush(stdout))
		return output_failed();
	return stream_file_report(file, NULL);
}

int command_dump(const struct options *options)
{
	struct stream_file file;
	int ret;

	if (conflicts_copy(options->arguments[0]) || stream_file_open(&file, options->arguments[0]))
		return EXIT_FAILED;
	ret = dump(options, &file);
	stream_file_close(&file);
	return ret ? EXIT_FAILED : EXIT_DONE;
}
