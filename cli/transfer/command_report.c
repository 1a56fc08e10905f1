// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Reports how a command that took the stream ended, and how to resume.
 */
#include <stdlib.h>

#include "job/resume_command.h"
#include "transfer/command_output.h"
#include "util/child.h"
#include "util/message.h"

bool command_report(const struct transfer *run)
{
	const struct output *output = run->output;
	const char *how = "ended before it had all of the stream: ";
	char text[64];

	error_line("%s: %s%s", output->command, output->status ? "" : how,
		   child_status_text(output->status, text, sizeof(text)));
	return !child_not_run(output->status);
}

static char *resume_line(const struct transfer *run, const struct options *options)
{
	return resume_command_flow(resume_command(journal_path(run->journal), options), options);
}

static void print_last(char *command)
{
	error_line("interrupted; resume with: %s", command);
	free(command);
}

/*
 * The word COMMAND is to be replaced. A file of this host can be asked by itself, if the command
 * writes at SENDCP_OFFSET; else only sendcp can continue it.
 */
static void report_ways(const struct transfer *run, const struct options *options)
{
	const char *file = run->output->reader.file;
	char *resume = resume_line(run, options);

	if (command_names_offset(options->to_command))
		error_line("if HOST has sendcp: %s --have $(ssh HOST sendcp verify --position "
			   "FILE)", resume);
	if (!run->wrap)
		error_line("if FILE has the bytes of the stream, neither compressed nor encrypted: "
			   "%s --at $(ssh HOST stat -c %%s FILE)", resume);
	if (file && !command_names_offset(options->to_command)) {
		free(resume);
		print_last(resume_command_append(journal_path(run->journal), options, file));
		return;
	}
	print_last(resume_command_ask(resume, file));
}

int command_report_resume(const struct transfer *run, const struct options *options)
{
	/* Whoever asks for the position prints the last line, since there may be another try. */
	if (options->position_command)
		return EXIT_BROKEN_OFF;
	error_line("%llu bytes were written to the command; sendcp cannot know how many of them "
		   "the receiver kept", run->output->file_offset);
	report_ways(run, options);
	return EXIT_BROKEN_OFF;
}

int command_report_later(const struct transfer *run, const struct options *options)
{
	char *command = resume_line(run, options);

	error_line("once that is fixed, resume with: %s", command);
	free(command);
	return EXIT_FAILED;
}
