// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * sendcp verify: is a stream whole and right, and if not, up to where?
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "commands/command.h"
#include "journal/verify_journal.h"
#include "parse/check.h"
#include "parse/file.h"
#include "resume/position.h"
#include "util/message.h"

static const char *plural(u64 number)
{
	return number == 1 ? "" : "s";
}

/* The summary of a stream that is whole; not with -q. */
static int tell_whole(const struct stream_file *file, const struct stream_check *check,
		      const struct verify_journal *contents)
{
	if (message_verbosity() >= 0) {
		printf("%s: complete: %llu subvolume%s, %llu command%s, %llu bytes (%s%s)\n",
		       file->name, check->subvolumes, plural(check->subvolumes), check->commands,
		       plural(check->commands), stream_whole(file->reader),
		       unwrap_kind_text(unwrap_kind(file->unwrap)),
		       contents ? ", matches the checkpoint file" : "");
		if (fflush(stdout))
			return error_line("cannot write to standard output: %s", strerror(errno));
	}
	return 0;
}

static int verify(struct stream_file *file, const struct verify_journal *contents)
{
	struct stream_check check = { .streams = 0 };
	const struct stream_command *command;
	const char *fault = NULL;
	char buffer[160];

	while (!fault && (command = stream_next(file->reader))) {
		if (!stream_check(&check, file->reader, command))
			break;
		if (contents)
			fault = verify_journal_fault(contents, false, buffer, sizeof(buffer));
	}
	/* That bytes are others says more than the reader's finding, that some lack says less. */
	if (contents && !fault)
		fault = verify_journal_fault(contents,
					     stream_how(file->reader) == STREAM_WHOLE, buffer,
					     sizeof(buffer));
	if (stream_file_report(file, fault))
		return -1;
	return tell_whole(file, &check, contents);
}

static int print_position(const char *path)
{
	char text[POSITION_TEXT_SIZE];
	struct position position;

	if (position_find(path, &position))
		return EXIT_FAILED;
	puts(position_text(&position, text));
	if (!fflush(stdout))
		return EXIT_DONE;
	error_line("cannot write to standard output: %s", strerror(errno));
	return EXIT_FAILED;
}

int command_verify(const struct options *options)
{
	struct verify_journal contents;
	struct stream_file file;
	int ret = -1;

	if (options->position)
		return print_position(options->arguments[0]);
	if (options->checkpoint && verify_journal_open(&contents, options->checkpoint))
		return EXIT_FAILED;
	if (!stream_file_open(&file, options->arguments[0])) {
		if (options->checkpoint)
			stream_reader_tap(file.reader, verify_journal_bytes, &contents);
		ret = verify(&file, options->checkpoint ? &contents : NULL);
		stream_file_close(&file);
	}
	if (options->checkpoint)
		verify_journal_close(&contents);
	return ret ? EXIT_FAILED : EXIT_DONE;
}
