// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * sendcp verify: are streams whole and right, and if not, up to where?
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "commands/command.h"
#include "commands/verify_marks.h"
#include "journal/batch_verifier.h"
#include "parse/check.h"
#include "parse/file.h"
#include "parse/repeated.h"
#include "resume/position.h"
#include "util/json_line.h"
#include "util/message.h"
#include "util/printable.h"

/* One file that is verified. */
struct verify {
	const struct options *options;
	const char *path;
	struct stream_file file;
	struct stream_check check;
	struct repeated repeated;
	struct verify_marks marks;
	/* NULL without a journal. */
	struct batch_verifier *proof;
};

static const char *plural(u64 number)
{
	return number == 1 ? "" : "s";
}

static int cannot_write(void)
{
	return error_line("cannot write to standard output: %s", strerror(errno));
}

/* After the list. */
static int report_replaced(const struct verify *verify)
{
	const struct replaced_list *list = &verify->marks.list;
	u64 count = replaced_count(list);

	if (fflush(stdout))
		return cannot_write();
	error_line("%s: not all data: %llu byte%s in %llu range%s of files could not be read and "
		   "%s replaced; the rest of the %llu bytes (%s%s) is right", verify->file.name,
		   list->bytes, plural(list->bytes), count, plural(count),
		   count == 1 ? "is" : "are", stream_whole(verify->file.reader),
		   unwrap_kind_text(unwrap_kind(verify->file.unwrap)),
		   verify->proof ? ", matches the checkpoint file" : "");
	return 0;
}

/* The summary of a stream that is whole; with -q only if data are replaced. */
static int report_whole(const struct verify *verify)
{
	const struct stream_check *check = &verify->check;
	const struct stream_file *file = &verify->file;

	if (verify->options->json)
		return 0;
	if (replaced_count(&verify->marks.list))
		return report_replaced(verify);
	if (message_verbosity() < 0)
		return 0;
	fputs_printable(file->name, stdout);
	printf(": complete: %llu subvolume%s, %llu command%s, %llu bytes (%s%s)\n",
	       check->subvolumes, plural(check->subvolumes), check->commands,
	       plural(check->commands), stream_whole(file->reader),
	       unwrap_kind_text(unwrap_kind(file->unwrap)),
	       verify->proof ? ", matches the checkpoint file" : "");
	return fflush(stdout) ? cannot_write() : 0;
}

static void put_unit(struct json_object *object, const struct stream_file *file)
{
	struct unwrap_place unit = stream_unit(file->reader);

	if (unwrap_kind(file->unwrap) == UNWRAP_PLAIN)
		unit.file = unit.plain = stream_whole(file->reader);
	json_put_u64(object, "whole_stream_bytes", stream_whole(file->reader));
	json_put_u64(object, "whole_units_file_bytes", unit.file);
	json_put_u64(object, "whole_units_stream_bytes", unit.plain);
}

/* Takes over @object. */
static int print_json(struct json_object *object)
{
	json_print(object, false, stdout);
	return fflush(stdout) ? cannot_write() : 0;
}

static struct json_object *new_json(const struct verify *verify, bool complete, const char *fault)
{
	struct json_object *object = json_new();

	json_put_string(object, "file", verify->path);
	json_put_bool(object, "complete", complete);
	json_put_text(object, "fault", fault);
	return object;
}

/* @fault: NULL if the stream is complete. */
static int report_json(const struct verify *verify, const char *fault)
{
	const struct stream_file *file = &verify->file;
	struct json_object *object;

	if (!verify->options->json)
		return 0;
	object = new_json(verify, !fault, fault);
	json_put_string(object, "container", unwrap_kind_text(unwrap_kind(file->unwrap)));
	json_put_u64(object, "subvolumes", verify->check.subvolumes);
	json_put_u64(object, "commands", verify->check.commands);
	put_unit(object, file);
	json_put_u64(object, "repeated_subvolumes", verify->repeated.count);
	if (verify->proof)
		json_put_bool(object, "matches_checkpoint_file", !fault);
	else
		json_put_null(object, "matches_checkpoint_file");
	replaced_put(object, &verify->marks.list);
	return print_json(object);
}

/* The first one is enough. */
static void warn_repeated(const struct verify *verify)
{
	const struct repeated *repeated = &verify->repeated;

	if (repeated->count)
		warn_line("%s: the subvolume %s is in it again at byte %llu of the stream: btrfs "
			  "receive will fail there, unless the first is moved away before",
			  verify->file.name, repeated->name, repeated->offset);
}

/* NULL: none. */
static const char *find_fault(struct verify *verify, char *buffer, size_t size)
{
	struct stream_reader *reader = verify->file.reader;
	const struct stream_command *command;
	const char *fault = NULL;

	while (!fault && (command = stream_next(reader))) {
		if (!stream_check(&verify->check, reader, command))
			break;
		repeated_look(&verify->repeated, command);
		verify_marks_look(&verify->marks, command);
		if (verify->proof)
			fault = batch_verifier_fault(verify->proof, false, buffer, size);
	}
	/* That bytes are others says more than the reader's finding, that some lack says less. */
	if (verify->proof && !fault)
		fault = batch_verifier_fault(verify->proof, stream_how(reader) == STREAM_WHOLE,
					     buffer, size);
	return fault;
}

/* An exit code. */
static int verify(struct verify *verify)
{
	char buffer[160];
	const char *fault = find_fault(verify, buffer, sizeof(buffer));
	int ret;

	verify_marks_end(&verify->marks);
	fflush(stdout);
	ret = stream_file_report(&verify->file, fault);
	if (ret && !fault)
		fault = stream_what(verify->file.reader);
	warn_repeated(verify);
	if (report_json(verify, fault) || ret || report_whole(verify))
		return EXIT_FAILED;
	return replaced_count(&verify->marks.list) ? EXIT_REPLACED : EXIT_DONE;
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
	cannot_write();
	return EXIT_FAILED;
}

static void take(void *context, const u8 *bytes, size_t size)
{
	batch_verifier_feed(context, bytes, size);
}

static int cannot_open(const struct verify *verify, int err)
{
	if (verify->options->json)
		print_json(new_json(verify, false, strerror(err)));
	return EXIT_FAILED;
}

static int verify_path(const struct options *options, const char *path,
		       struct batch_verifier *proof)
{
	struct verify one = { .options = options, .path = path, .proof = proof };
	int ret;

	if (!options->json && message_verbosity() >= 0)
		one.marks.file = path;
	if (stream_file_open(&one.file, path))
		return cannot_open(&one, errno);
	if (proof)
		stream_reader_tap(one.file.reader, take, proof);
	ret = verify(&one);
	repeated_clear(&one.repeated);
	verify_marks_clear(&one.marks);
	stream_file_close(&one.file);
	return ret;
}

static int verify_with_journal(const struct options *options)
{
	struct batch_verifier proof;
	struct journal_contents contents;
	int ret;

	if (journal_read_path(options->checkpoint, &contents))
		return EXIT_FAILED;
	batch_verifier_begin(&proof, &contents, 0);
	ret = verify_path(options, options->arguments[0], &proof);
	batch_verifier_end(&proof);
	journal_clear(&contents);
	return ret;
}

int command_verify(const struct options *options)
{
	int ret = 0;

	if (options->position)
		return print_position(options->arguments[0]);
	if (options->checkpoint)
		return verify_with_journal(options);
	/* What is not whole is worse than what is replaced. */
	for (size_t i = 0; i < options->argument_count; i++) {
		int code = verify_path(options, options->arguments[i], NULL);

		if (code && ret != EXIT_FAILED)
			ret = code;
	}
	return ret;
}
