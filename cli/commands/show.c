// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * sendcp show: the contents of a journal, and how far its stream got.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "commands/command.h"
#include "commands/show_kind.h"
#include <sendcp/engine.h>

#include "job/same_request.h"
#include "journal/format.h"
#include "transfer/replaced_report.h"
#include "util/json_line.h"
#include "util/message.h"
#include "util/printable.h"
#include "util/text.h"

/* A checkpoint file, as it was when it was looked at. */
struct look {
	const char *path;
	struct journal_contents contents;
	/* A run has it. */
	bool running;
};

static u64 oldest_byte(const struct journal_contents *contents)
{
	const struct journal_batch *first = contents->batches;

	if (!contents->count)
		return 0;
	return first->stream_offset ? journal_batch_end(first) : first->output_offset;
}

/* Of the engine's checkpoint, in bytes. */
static size_t largest_checkpoint(const struct journal_contents *contents)
{
	size_t largest = 0;

	for (size_t i = 0; i < contents->count; i++)
		largest = sendcp_max(largest, contents->batches[i].checkpoint_size);
	return largest;
}

static const struct journal_batch *latest_batch(const struct journal_contents *contents)
{
	return contents->count ? &contents->batches[contents->count - 1] : NULL;
}

/* The last place where a stream in a container can be resumed; NULL: none yet. */
static const struct stream_place *latest_mark(const struct journal_contents *contents)
{
	return contents->mark_count ? &contents->marks[contents->mark_count - 1] : NULL;
}

static const char *state(const struct look *look)
{
	if (look->contents.complete)
		return "complete";
	return look->running ? "running" : "interrupted";
}

/* A pipe may have a name, too. */
static bool into_file(const struct journal_contents *contents)
{
	struct stat st;

	if (!contents->output || contents->delivered_known)
		return false;
	return stat(contents->output, &st) || S_ISREG(st.st_mode);
}

/* Journals of earlier versions do not have the time. */
static void show_time(const char *title, u64 seconds)
{
	time_t when = (time_t)seconds;
	char text[64];
	struct tm local;

	if (!seconds)
		return;
	if (localtime_r(&when, &local) && strftime(text, sizeof(text), "%F %T %z", &local))
		printf("%-16s%s\n", title, text);
	else
		printf("%-16s%llu seconds after 1970\n", title, seconds);
}

static void show_pins(const char *title, const struct identity_list *list)
{
	char uuid[UUID_TEXT_SIZE];

	for (size_t i = 0; i < list->count; i++) {
		const struct identity *identity = &list->identities[i];

		sendcp_uuid_text(identity->uuid, uuid);
		printf("%-16s", title);
		fputs_printable(identity->path, stdout);
		printf(" (id %llu, uuid %s, transaction %llu", identity->id, uuid,
		       identity->ctransid);
		if (identity->parent)
			printf(", parent id %llu", identity->parent);
		puts(")");
	}
}

static void show_header(const struct journal_header *header)
{
	char fsid[UUID_TEXT_SIZE];

	sendcp_uuid_text(header->fsid, fsid);
	printf("%-16ssendcp ", "written by:");
	fputs_printable(header->tool, stdout);
	puts("");
	show_time("begun:", header->begun);
	printf("%-16s%s (%s)\n", "filesystem:", fsid, journal_backend(header));
	for (size_t i = 0; i < header->device_count; i++) {
		printf("%-16s", "device:");
		fputs_printable(header->devices[i], stdout);
		puts("");
	}
	show_pins("subvolume:", &header->subvolumes);
	show_pins("clone source:", &header->clone_sources);
	printf("%-16s%u%s%s%s%s%s\n", "protocol:", header->protocol,
	       header->flags & SENDCP_SEND_COMPRESSED ? ", compressed data" : "",
	       header->flags & SENDCP_SEND_NO_FILE_DATA ? ", no data" : "",
	       header->flags & SENDCP_SEND_DATA_ZERO ? ", on data error: zero" : "",
	       header->flags & SENDCP_SEND_DATA_SKIP ? ", on data error: skip" : "",
	       header->one_end ? ", one end for all" : "");
}

static void show_container(const struct container_spec *container)
{
	if (container_is_plain(container))
		return;
	printf("%-16s", "container:");
	if (container->archive)
		printf("%s%s", archive_kind_name(container->archive), container->level ? ", " : "");
	if (container->level)
		printf("zstd, level %d", container->level);
	puts("");
}

static void show_mark(const struct journal_contents *contents)
{
	const struct stream_place *mark = latest_mark(contents);

	if (!mark)
		return;
	printf("%-16sbyte %llu of the output, byte %llu of the stream", "whole up to:",
	       mark->file_offset, mark->output_offset);
	if (mark->segments)
		printf(", %llu segments", mark->segments);
	puts("");
}

/* Read from the filesystem and turned into stream; how much of it arrived is another question. */
static void show_made(const struct journal_contents *contents, const struct journal_batch *last)
{
	printf("%-16s%llu bytes of the stream", "made:", journal_made(contents));
	if (contents->total)
		printf(", of %llu (%d%%)", contents->total, journal_percent(contents));
	if (last && contents->header.subvolumes.count > 1)
		printf("; subvolume %u of %zu, byte %llu of its stream", last->subvolume + 1,
		       contents->header.subvolumes.count, last->stream_offset + last->length);
	puts("");
}

static void show_progress(const struct journal_contents *contents)
{
	const struct journal_batch *last = latest_batch(contents);

	show_made(contents, last);
	printf("%-16s%zu, for bytes %llu to %llu\n", "checkpoints:", contents->count,
	       oldest_byte(contents), journal_made(contents));
	printf("%-16s%llu bytes\n", "interval:", contents->header.interval);
	if (!last)
		return;
	printf("%-16s%zu bytes, at most %zu\n", "checkpoint:", last->checkpoint_size,
	       largest_checkpoint(contents));
}

static void show_written(const struct journal_contents *contents)
{
	printf("%-16s", "written:");
	if (into_file(contents))
		printf("into a file; at least the first %llu bytes of the stream are safely on "
		       "its disk\n", contents->durable);
	else if (contents->complete)
		printf("%llu bytes, into a pipe: all of them\n", contents->complete_size);
	else if (contents->delivered_known)
		printf("%llu bytes, into a pipe: its reader has these or fewer\n",
		       contents->delivered.file_offset);
	else
		puts("into a pipe: how many bytes is not known");
}

static void show_replaced(const struct journal_contents *contents)
{
	struct replaced_list list = { 0 };

	journal_replaced(contents, UINT64_MAX, &list);
	for (size_t i = 0; i < list.count; i++) {
		const struct replaced_range *range = &list.ranges[i];
		char *name = replaced_name(range, &contents->header.subvolumes);

		printf("%-16s", "replaced:");
		fputs_printable(name, stdout);
		printf(": %llu bytes at offset %llu, by %s\n", range->length, range->offset,
		       replaced_by(range));
		free(name);
	}
	if (list.more)
		printf("%-16s%llu more ranges: sendcp verify lists them\n", "replaced:",
		       list.more);
	replaced_clear(&list);
}

static void show_text(const struct look *look)
{
	const struct journal_contents *contents = &look->contents;

	printf("%-16s%s\n", "state:", state(look));
	show_header(&contents->header);
	printf("%-16s", "output:");
	fputs_printable(contents->output ? contents->output : "standard output", stdout);
	puts("");
	show_container(&contents->header.container);
	show_progress(contents);
	show_mark(contents);
	show_written(contents);
	show_replaced(contents);
	show_time("last changed:", contents->changed);
}

/* Null where there is no such thing. */
static void put_number(struct json_object *object, const char *key, bool known, u64 number)
{
	if (known)
		json_put_u64(object, key, number);
	else
		json_put_null(object, key);
}

static struct json_object *identities_json(const struct identity_list *list)
{
	struct json_object *array = json_new_array();

	for (size_t i = 0; i < list->count; i++) {
		const struct identity *identity = &list->identities[i];
		struct json_object *object = json_new();

		json_put_string(object, "path", identity->path);
		json_put_u64(object, "id", identity->id);
		json_put_uuid(object, "uuid", identity->uuid);
		json_put_u64(object, "transaction", identity->ctransid);
		put_number(object, "parent_id", identity->parent, identity->parent);
		json_array_add(array, object);
	}
	return array;
}

static struct json_object *header_json(const struct journal_header *header)
{
	struct json_object *object = json_new();
	struct json_object *devices = json_new_array();

	for (size_t i = 0; i < header->device_count; i++)
		json_array_add(devices, json_object_new_string(header->devices[i]));
	json_put_string(object, "tool_version", header->tool);
	put_number(object, "begun", header->begun, header->begun);
	json_put_uuid(object, "filesystem_uuid", header->fsid);
	json_put_string(object, "backend", journal_backend(header));
	json_put(object, "devices", devices);
	json_put(object, "subvolumes", identities_json(&header->subvolumes));
	json_put(object, "clone_sources", identities_json(&header->clone_sources));
	json_put_u64(object, "protocol", header->protocol);
	json_put_bool(object, "compressed_data", header->flags & SENDCP_SEND_COMPRESSED);
	json_put_bool(object, "no_data", header->flags & SENDCP_SEND_NO_FILE_DATA);
	json_put_string(object, "on_data_error", data_error_name(header->flags));
	json_put_bool(object, "one_end", header->one_end);
	put_number(object, "compress_level", header->container.level, (u64)header->container.level);
	json_put_text(object, "archive", header->container.archive ?
		      archive_kind_name(header->container.archive) : NULL);
	json_put_u64(object, "checkpoint_interval", header->interval);
	return object;
}

static void put_mark(struct json_object *object, const struct stream_place *mark)
{
	struct json_object *place;

	if (!mark) {
		json_put_null(object, "mark");
		return;
	}
	place = json_new();
	json_put_u64(place, "output_offset", mark->output_offset);
	json_put_u64(place, "file_offset", mark->file_offset);
	json_put_u64(place, "segments", mark->segments);
	json_put(object, "mark", place);
}

static void put_progress(struct json_object *object, const struct journal_contents *contents)
{
	const struct journal_batch *last = latest_batch(contents);

	json_put_u64(object, "checkpoints", contents->count);
	json_put_u64(object, "oldest_byte", oldest_byte(contents));
	json_put_u64(object, "bytes_made", journal_made(contents));
	put_number(object, "bytes_total", contents->total || contents->complete,
		   contents->complete ? journal_made(contents) : contents->total);
	put_number(object, "percent", journal_percent(contents) >= 0,
		   (u64)journal_percent(contents));
	put_number(object, "bytes_durable", into_file(contents), contents->durable);
	put_number(object, "subvolume", last, last ? last->subvolume : 0);
	put_number(object, "subvolume_bytes_made", last,
		   last ? last->stream_offset + last->length : 0);
	put_number(object, "checkpoint_size", last, last ? last->checkpoint_size : 0);
	put_number(object, "checkpoint_size_max", last, largest_checkpoint(contents));
	put_mark(object, latest_mark(contents));
}

static void put_replaced(struct json_object *object, const struct journal_contents *contents)
{
	struct replaced_list list = { 0 };

	journal_replaced(contents, UINT64_MAX, &list);
	replaced_put(object, &list);
	replaced_clear(&list);
}

static void show_json(const struct look *look)
{
	const struct journal_contents *contents = &look->contents;
	struct json_object *object = header_json(&contents->header);

	json_put_string(object, "checkpoint_file", look->path);
	json_put_string(object, "state", state(look));
	json_put_text(object, "output", contents->output);
	put_progress(object, contents);
	put_replaced(object, contents);
	put_number(object, "bytes_delivered", contents->delivered_known,
		   contents->delivered.file_offset);
	json_put_bool(object, "complete", contents->complete);
	put_number(object, "changed", contents->changed, contents->changed);
	json_print(object, true, stdout);
}

static void show_heading(const char *path, bool first)
{
	fputs(first ? "" : "\n", stdout);
	fputs_printable(path, stdout);
	puts(":");
}

static int show(const struct options *options, const char *path)
{
	struct look look = { .path = path };

	if (show_kind_check(path) || journal_look(path, &look.contents, &look.running))
		return EXIT_FAILED;
	if (options->json) {
		show_json(&look);
	} else {
		if (options->argument_count > 1)
			show_heading(path, path == options->arguments[0]);
		show_text(&look);
	}
	journal_clear(&look.contents);
	return EXIT_DONE;
}

int command_show(const struct options *options)
{
	int code = EXIT_DONE;

	for (size_t i = 0; i < options->argument_count; i++)
		if (show(options, options->arguments[i]))
			code = EXIT_FAILED;
	if (!fflush(stdout) && !ferror(stdout))
		return code;
	error_line("cannot write to standard output: %s", strerror(errno));
	return EXIT_FAILED;
}
