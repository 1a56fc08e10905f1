// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * sendcp show: what a sidecar is about and how far its stream got.
 */
#include <stdio.h>

#include "command.h"
#include <sendcp/engine.h>

#include "json_line.h"
#include "message.h"
#include "sidecar.h"
#include "text.h"

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

static const char *state(const struct sidecar *sidecar)
{
	if (sidecar->complete)
		return "complete";
	return sidecar->handed_known || sidecar->output ? "broken off" : "broken off or running";
}

static void show_pins(const char *title, const struct pin_list *list)
{
	char uuid[UUID_TEXT_SIZE];

	for (size_t i = 0; i < list->count; i++) {
		const struct pin *pin = &list->pins[i];

		uuid_text(pin->uuid, uuid);
		printf("%-16s%s (id %llu, uuid %s, transaction %llu)\n", title, pin->path,
		       pin->id, uuid, pin->ctransid);
	}
}

static void show_header(const struct sidecar_header *header)
{
	char fsid[UUID_TEXT_SIZE];

	uuid_text(header->fsid, fsid);
	printf("%-16ssendcp %s\n", "written by:", header->tool);
	printf("%-16s%s (%s)\n", "filesystem:", fsid, header->image ? "image" : "direct");
	for (size_t i = 0; i < header->device_count; i++)
		printf("%-16s%s\n", "device:", header->devices[i]);
	show_pins("subvolume:", &header->subvolumes);
	show_pins("clone source:", &header->clone_sources);
	printf("%-16s%u%s%s\n", "protocol:", header->protocol,
	       header->flags & SCP_SEND_COMPRESSED ? ", compressed data" : "",
	       header->flags & SCP_SEND_NO_FILE_DATA ? ", no data" : "");
}

static void show_text(const struct sidecar *sidecar)
{
	show_header(&sidecar->header);
	printf("%-16s%s\n", "output:", sidecar->output ? sidecar->output : "standard output");
	printf("%-16s%zu, for bytes %llu to %llu\n", "checkpoints:", sidecar->count,
	       oldest_byte(sidecar), bytes_made(sidecar));
	if (sidecar->handed_known)
		printf("%-16s%llu\n", "handed over:", sidecar->handed);
	printf("%-16s%s\n", "state:", state(sidecar));
}

static struct json_object *pins_json(const struct pin_list *list)
{
	struct json_object *array = json_object_new_array();

	for (size_t i = 0; i < list->count; i++) {
		const struct pin *pin = &list->pins[i];
		struct json_object *object = json_object_new_object();

		json_put_string(object, "path", pin->path);
		json_put_u64(object, "id", pin->id);
		json_put_uuid(object, "uuid", pin->uuid);
		json_put_u64(object, "transaction", pin->ctransid);
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
	json_put_uuid(object, "filesystem_uuid", header->fsid);
	json_put_string(object, "backend", header->image ? "image" : "direct");
	json_object_object_add(object, "devices", devices);
	json_object_object_add(object, "subvolumes", pins_json(&header->subvolumes));
	json_object_object_add(object, "clone_sources", pins_json(&header->clone_sources));
	json_put_u64(object, "protocol", header->protocol);
	json_put_bool(object, "compressed_data", header->flags & SCP_SEND_COMPRESSED);
	json_put_bool(object, "no_data", header->flags & SCP_SEND_NO_FILE_DATA);
	return object;
}

static void show_json(const struct sidecar *sidecar)
{
	struct json_object *object = header_json(&sidecar->header);

	json_object_object_add(object, "output", sidecar->output ?
			       json_object_new_string(sidecar->output) : NULL);
	json_put_u64(object, "checkpoints", sidecar->count);
	json_put_u64(object, "oldest_byte", oldest_byte(sidecar));
	json_put_u64(object, "bytes_made", bytes_made(sidecar));
	json_object_object_add(object, "bytes_handed_over", sidecar->handed_known ?
			       json_object_new_uint64(sidecar->handed) : NULL);
	json_put_bool(object, "complete", sidecar->complete);
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
