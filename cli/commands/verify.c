// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * sendcp verify: is a stream whole and right, and if not, up to where?
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "commands/command.h"
#include "journal/batch_verifier.h"
#include "parse/check.h"
#include "parse/file.h"
#include "resume/position.h"
#include "util/message.h"

static const char *plural(u64 number)
{
	return number == 1 ? "" : "s";
}

/* The summary of a stream that is whole; not with -q. */
static int report_whole(const struct stream_file *file, const struct stream_check *check,
			const struct batch_verifier *proof)
{
	if (message_verbosity() >= 0) {
		printf("%s: complete: %llu subvolume%s, %llu command%s, %llu bytes (%s%s)\n",
		       file->name, check->subvolumes, plural(check->subvolumes), check->commands,
		       plural(check->commands), stream_whole(file->reader),
		       unwrap_kind_text(unwrap_kind(file->unwrap)),
		       proof ? ", matches the checkpoint file" : "");
		if (fflush(stdout))
			return error_line("cannot write to standard output: %s", strerror(errno));
	}
	return 0;
}

/* @proof: NULL without a journal. */
static int verify(struct stream_file *file, const struct batch_verifier *proof)
{
	struct stream_check check = { .streams = 0 };
	const struct stream_command *command;
	const char *fault = NULL;
	char buffer[160];

	while (!fault && (command = stream_next(file->reader))) {
		if (!stream_check(&check, file->reader, command))
			break;
		if (proof)
			fault = batch_verifier_fault(proof, false, buffer, sizeof(buffer));
	}
	/* That bytes are others says more than the reader's finding, that some lack says less. */
	if (proof && !fault)
		fault = batch_verifier_fault(proof, stream_how(file->reader) == STREAM_WHOLE,
					     buffer, sizeof(buffer));
	if (stream_file_report(file, fault))
		return -1;
	return report_whole(file, &check, proof);
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

static void take(void *context, const u8 *bytes, size_t size)
{
	batch_verifier_feed(context, bytes, size);
}

static int verify_path(const char *path, struct batch_verifier *proof)
{
	struct stream_file file;
	int ret;

	if (stream_file_open(&file, path))
		return -1;
	if (proof)
		stream_reader_tap(file.reader, take, proof);
	ret = verify(&file, proof);
	stream_file_close(&file);
	return ret;
}

static int verify_with_journal(const char *path, const char *checkpoint)
{
	struct batch_verifier proof;
	struct journal_contents contents;
	int ret;

	if (journal_read_path(checkpoint, &contents))
		return -1;
	batch_verifier_begin(&proof, &contents, 0);
	ret = verify_path(path, &proof);
	batch_verifier_end(&proof);
	journal_clear(&contents);
	return ret;
}

int command_verify(const struct options *options)
{
	const char *path = options->arguments[0];
	int ret;

	if (options->position)
		return print_position(path);
	ret = options->checkpoint ? verify_with_journal(path, options->checkpoint) :
				    verify_path(path, NULL);
	return ret ? EXIT_FAILED : EXIT_DONE;
}
