// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * sendcp show: the contents of a sidecar, and how far its stream got.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "commands/command.h"
#include <sendcp/engine.h>

#include "journal/format.h"
#include "util/alloc.h"
#include "util/json_line.h"
#include "util/message.h"
#include "util/text.h"

static u64 bytes_made(const struct sidecar *sidecar)
{
	return sidecar->count ? sidecar_batch_end(&sidecar->batches[sidecar->count - 1]) : 0;
}

static u64 oldest_byte(const struct sidecar *sidecar)
{
	const struct sidecar_batch *first = sidecar->batches;

	if (!sidecar->count)
		return 0;
	return first->stream_offset ? sidecar_batch_end(first) : first->output_offset;
}

/* Of the engine's checkpoint, in bytes. */
static size_t largest_checkpoint(const struct sidecar *sidecar)
{
	size_t largest = 0;

	for (size_t i = 0; i < sidecar->count; i++)
		largest = sendcp_max(largest, sidecar->batches[i].checkpoint_size);
	return largest;
}

static const struct sidecar_batch *latest_batch(const struct sidecar *sidecar)
{
	return sidecar->count ? &sidecar->batches[sidecar->count - 1] : NULL;
}

/* The last place where a wrapped stream can be resumed; NULL: none yet. */
static const struct sidecar_place *latest_mark(const struct sidecar *sidecar)
{
	return sidecar->mark_count ? &sidecar->marks[sidecar->mark_count - 1] : NULL;
}

static const char *state(const struct sidecar *sidecar)
{
	if (sidecar->complete)
		return "complete";
	return sidecar->delivered_known || sidecar->output ? "interrupted" :
		"interrupted or running";
}

/* Sidecars of earlier versions do not have the time. */
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

/* Names are what someone else chose. */
static void show_name(const char *name)
{
	char *line = xstrdup(name);

	make_printable(line);
	fputs(line, stdout);
	free(line);
}

static void show_pins(const char *title, const struct identity_list *list)
{
	char uuid[UUID_TEXT_SIZE];

	for (size_t i = 0; i < list->count; i++) {
		const struct identity *identity = &list->identities[i];

		uuid_text(identity->uuid, uuid);
		printf("%-16s", title);
		show_name(identity->path);
		printf(" (id %llu, uuid %s, transaction %llu", identity->id, uuid,
		       identity->ctransid);
		if (identity->parent)
			printf(", parent id %llu", identity->parent);
		puts(")");
	}
}

static void show_header(const struct sidecar_header *header)
{
	char fsid[UUID_TEXT_SIZE];

	uuid_text(header->fsid, fsid);
	printf("%-16ssendcp ", "written by:");
	show_name(header->tool);
	puts("");
	show_time("begun:", header->begun);
	printf("%-16s%s (%s)\n", "filesystem:", fsid, sidecar_backend(header));
	for (size_t i = 0; i < header->device_count; i++) {
		printf("%-16s", "device:");
		show_name(header->devices[i]);
		puts("");
	}
	show_pins("subvolume:", &header->subvolumes);
	show_pins("clone source:", &header->clone_sources);
	printf("%-16s%u%s%s%s\n", "protocol:", header->protocol,
	       header->flags & SENDCP_SEND_COMPRESSED ? ", compressed data" : "",
	       header->flags & SENDCP_SEND_NO_FILE_DATA ? ", no data" : "",
	       header->one_end ? ", one end for all" : "");
}

static void show_wrapping(const struct wrapping *wrapping)
{
	if (wrapping_plain(wrapping))
		return;
	printf("%-16s", "container:");
	if (wrapping->archive)
		printf("%s%s", archive_kind_name(wrapping->archive), wrapping->level ? ", " : "");
	if (wrapping->level)
		printf("zstd, level %d", wrapping->level);
	puts("");
}

static void show_mark(const struct sidecar *sidecar)
{
	const struct sidecar_place *mark = latest_mark(sidecar);

	if (!mark)
		return;
	printf("%-16sbyte %llu of the output, byte %llu of the stream", "whole up to:",
	       mark->file_offset, mark->output_offset);
	if (mark->segments)
		printf(", %llu segments", mark->segments);
	puts("");
}

static void show_progress(const struct sidecar *sidecar)
{
	const struct sidecar_batch *last = latest_batch(sidecar);

	printf("%-16s%zu, for bytes %llu to %llu\n", "checkpoints:", sidecar->count,
	       oldest_byte(sidecar), bytes_made(sidecar));
	printf("%-16s%llu bytes\n", "interval:", sidecar->header.interval);
	if (!last)
		return;
	printf("%-16s%zu bytes, at most %zu\n", "checkpoint:", last->checkpoint_size,
	       largest_checkpoint(sidecar));
	if (sidecar->header.subvolumes.count > 1)
		printf("%-16ssubvolume %u of %zu, byte %llu of its stream\n", "made:",
		       last->subvolume + 1, sidecar->header.subvolumes.count,
		       last->stream_offset + last->length);
}

static void show_text(const struct sidecar *sidecar)
{
	show_header(&sidecar->header);
	printf("%-16s", "output:");
	show_name(sidecar->output ? sidecar->output : "standard output");
	puts("");
	show_wrapping(&sidecar->header.wrapping);
	show_progress(sidecar);
	show_mark(sidecar);
	if (sidecar->delivered_known)
		printf("%-16s%llu\n", "written:", sidecar->delivered.file_offset);
	printf("%-16s%s\n", "state:", state(sidecar));
	show_time("last changed:", sidecar->changed);
}

/* Null where there is no such thing. */
static void put_number(struct json_object *object, const char *key, bool known, u64 number)
{
	json_object_object_add(object, key, known ? json_object_new_uint64(number) : NULL);
}

static struct json_object *identities_json(const struct identity_list *list)
{
	struct json_object *array = json_object_new_array();

	for (size_t i = 0; i < list->count; i++) {
		const struct identity *identity = &list->identities[i];
		struct json_object *object = json_object_new_object();

		json_put_string(object, "path", identity->path);
		json_put_u64(object, "id", identity->id);
		json_put_uuid(object, "uuid", identity->uuid);
		json_put_u64(object, "transaction", identity->ctransid);
		put_number(object, "parent_id", identity->parent, identity->parent);
		json_object_array_add(array, object);
	}
	return array;
}

static struct json_object *header_json(const struct sidecar_header *header)
{
	struct json_object *object = json_object_new_object();
	struct json_object *devices = json_object_new_array();

	for (size_t i = 0; i < header->device_count; i++)
		json_object_array_add(devices, json_object_new_string(header->devices[i]));
	json_put_string(object, "tool_version", header->tool);
	put_number(object, "begun", header->begun, header->begun);
	json_put_uuid(object, "filesystem_uuid", header->fsid);
	json_put_string(object, "backend", sidecar_backend(header));
	json_object_object_add(object, "devices", devices);
	json_object_object_add(object, "subvolumes", identities_json(&header->subvolumes));
	json_object_object_add(object, "clone_sources", identities_json(&header->clone_sources));
	json_put_u64(object, "protocol", header->protocol);
	json_put_bool(object, "compressed_data", header->flags & SENDCP_SEND_COMPRESSED);
	json_put_bool(object, "no_data", header->flags & SENDCP_SEND_NO_FILE_DATA);
	json_put_bool(object, "one_end", header->one_end);
	put_number(object, "compress_level", header->wrapping.level, (u64)header->wrapping.level);
	json_object_object_add(object, "archive", header->wrapping.archive ?
		json_object_new_string(archive_kind_name(header->wrapping.archive)) : NULL);
	json_put_u64(object, "checkpoint_interval", header->interval);
	return object;
}

static struct json_object *mark_json(const struct sidecar_place *mark)
{
	struct json_object *object;

	if (!mark)
		return NULL;
	object = json_object_new_object();
	json_put_u64(object, "output_offset", mark->output_offset);
	json_put_u64(object, "file_offset", mark->file_offset);
	json_put_u64(object, "segments", mark->segments);
	return object;
}

static void put_progress(struct json_object *object, const struct sidecar *sidecar)
{
	const struct sidecar_batch *last = latest_batch(sidecar);

	json_put_u64(object, "checkpoints", sidecar->count);
	json_put_u64(object, "oldest_byte", oldest_byte(sidecar));
	json_put_u64(object, "bytes_made", bytes_made(sidecar));
	put_number(object, "subvolume", last, last ? last->subvolume : 0);
	put_number(object, "subvolume_bytes_made", last,
		   last ? last->stream_offset + last->length : 0);
	put_number(object, "checkpoint_size", last, last ? last->checkpoint_size : 0);
	put_number(object, "checkpoint_size_max", last, largest_checkpoint(sidecar));
	json_object_object_add(object, "mark", mark_json(latest_mark(sidecar)));
}

static void show_json(const struct sidecar *sidecar)
{
	struct json_object *object = header_json(&sidecar->header);

	json_object_object_add(object, "output", sidecar->output ?
			       json_object_new_string(sidecar->output) : NULL);
	put_progress(object, sidecar);
	json_object_object_add(object, "bytes_delivered", sidecar->delivered_known ?
			       json_object_new_uint64(sidecar->delivered.file_offset) : NULL);
	json_put_bool(object, "complete", sidecar->complete);
	put_number(object, "changed", sidecar->changed, sidecar->changed);
	puts(json_object_to_json_string_ext(object, JSON_C_TO_STRING_PRETTY |
					    JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(object);
}

int command_show(const struct options *options)
{
	struct sidecar sidecar;

	if (sidecar_read_path(options->arguments[0], &sidecar))
		return EXIT_FAILED;
	if (options->json)
		show_json(&sidecar);
	else
		show_text(&sidecar);
	sidecar_clear(&sidecar);
	if (!fflush(stdout) && !ferror(stdout))
		return EXIT_DONE;
	error_line("cannot write to standard output");
	return EXIT_FAILED;
}
