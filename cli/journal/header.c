// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The journal's first line, made and parsed.
 */
#include <stdlib.h>
#include <string.h>

#include "journal/format.h"
#include "util/alloc.h"
#include "util/json_line.h"
#include "util/message.h"

#define VERSION_KEY "sendcp_journal"
/* More subvolumes or devices than that in one run is not what a person asked for. */
#define LIST_MAX 65536
/* Two lists of subvolumes, one of devices, and what is there once. */
_Static_assert(JSON_LISTS_MAX > 2 * LIST_MAX + 16 &&
	       JSON_VALUES_MAX > 2 * LIST_MAX * 8 + LIST_MAX + 64, "no line may be as long");

static void identity_list_clear(struct identity_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		free(list->identities[i].spec);
		free(list->identities[i].path);
	}
	free(list->identities);
}

void journal_header_clear(struct journal_header *header)
{
	free(header->tool);
	for (size_t i = 0; i < header->device_count; i++)
		free(header->devices[i]);
	free(header->devices);
	free(header->output);
	mount_place_clear(&header->output_place);
	mount_place_clear(&header->journal_place);
	identity_list_clear(&header->subvolumes);
	identity_list_clear(&header->clone_sources);
	memset(header, 0, sizeof(*header));
}

void journal_clear(struct journal_contents *contents)
{
	journal_header_clear(&contents->header);
	for (size_t i = 0; i < contents->count; i++)
		journal_batch_clear(&contents->batches[i]);
	free(contents->batches);
	replaced_clear(&contents->replaced);
	free(contents->marks);
	free(contents->output);
	memset(contents, 0, sizeof(*contents));
}

bool journal_recognise(const char *text, size_t length)
{
	static const char start[] = "{\"" VERSION_KEY "\":";

	return length >= sizeof(start) - 1 && !memcmp(text, start, sizeof(start) - 1);
}

static struct json_object *identity_json(const struct identity *identity)
{
	struct json_object *object = json_new();

	json_put_string(object, "spec", identity->spec);
	json_put_string(object, "path", identity->path);
	json_put_u64(object, "id", identity->id);
	json_put_uuid(object, "uuid", identity->uuid);
	json_put_uuid(object, "received_uuid", identity->received_uuid);
	json_put_u64(object, "ctransid", identity->ctransid);
	json_put_u64(object, "parent", identity->parent);
	return object;
}

static void put_pins(struct json_object *object, const char *key, const struct identity_list *list)
{
	struct json_object *array = json_new_array();

	for (size_t i = 0; i < list->count; i++)
		json_array_add(array, identity_json(&list->identities[i]));
	json_put(object, key, array);
}

static void put_devices(struct json_object *object, const struct journal_header *header)
{
	struct json_object *array = json_new_array();

	for (size_t i = 0; i < header->device_count; i++)
		json_array_add(array, json_object_new_string(header->devices[i]));
	json_put(object, "devices", array);
}

static void put_container(struct json_object *object, const struct container_spec *container)
{
	if (container->level)
		json_put_u64(object, "compress", (u64)container->level);
	if (container->archive)
		json_put_string(object, "archive", archive_kind_name(container->archive));
}

static void put_place(struct json_object *object, const char *point, const char *uuid,
		      const struct mount_place *place)
{
	if (place->point)
		json_put_string(object, point, place->point);
	if (place->uuid)
		json_put_string(object, uuid, place->uuid);
}

static void put_output(struct json_object *object, const struct journal_header *header)
{
	if (!header->output)
		return;
	json_put_string(object, "output", header->output);
	if (header->output_stdout)
		json_put_bool(object, "output_stdout", true);
	put_place(object, "output_mount", "output_uuid", &header->output_place);
}

struct json_object *journal_header_json(const struct journal_header *header)
{
	struct json_object *object = json_new();

	json_put_u64(object, VERSION_KEY, container_is_plain(&header->container) ?
		     JOURNAL_VERSION_PLAIN : JOURNAL_VERSION);
	json_put_string(object, "tool", header->tool);
	json_put_time(object, header->begun);
	json_put_string(object, "backend", journal_backend(header));
	put_devices(object, header);
	if (header->ignore_log)
		json_put_bool(object, "ignore_log", true);
	json_put_u64(object, "protocol", header->protocol);
	json_put_u64(object, "flags", header->flags);
	json_put_bool(object, "one_end", header->one_end);
	json_put_u64(object, "buffer_size", header->buffer_size);
	json_put_u64(object, "buffers", header->buffers);
	json_put_u64(object, "checkpoint_interval", header->interval);
	put_output(object, header);
	put_place(object, "sidecar_mount", "sidecar_uuid", &header->journal_place);
	put_container(object, &header->container);
	json_put_bool(object, "keep", header->keep);
	json_put_uuid(object, "fsid", header->fsid);
	put_pins(object, "subvolumes", &header->subvolumes);
	put_pins(object, "clone_sources", &header->clone_sources);
	json_put_bool(object, "sources_grow", header->sources_grow);
	return object;
}

/* Members taken over before a failure are freed with the header. */
static bool parse_pin(struct json_object *object, struct identity *identity)
{
	const char *spec = json_get_text(object, "spec");
	const char *path = json_get_text(object, "path");

	if (!spec || !path)
		return false;
	identity->spec = xstrdup(spec);
	identity->path = xstrdup(path);
	return json_get_u64(object, "id", &identity->id) &&
	       json_get_uuid(object, "uuid", identity->uuid) &&
	       json_get_uuid(object, "received_uuid", identity->received_uuid) &&
	       json_get_u64(object, "ctransid", &identity->ctransid) &&
	       json_get_u64(object, "parent", &identity->parent);
}

static bool parse_pins(struct json_object *object, const char *key, struct identity_list *list)
{
	struct json_object *array = json_get_array(object, key);
	size_t count = array ? json_object_array_length(array) : 0;

	if (!array || count > LIST_MAX)
		return false;
	list->identities = xcalloc(count, sizeof(*list->identities));
	for (list->count = 0; list->count < count; list->count++) {
		struct json_object *entry = json_object_array_get_idx(array, list->count);

		/* Counted even when it fails, so that what it holds is freed. */
		if (!json_object_is_type(entry, json_type_object) ||
		    !parse_pin(entry, &list->identities[list->count])) {
			list->count++;
			return false;
		}
	}
	return true;
}

static bool parse_devices(struct json_object *object, struct journal_header *header)
{
	struct json_object *array = json_get_array(object, "devices");
	size_t count = array ? json_object_array_length(array) : 0;

	if (!array || count > LIST_MAX)
		return false;
	header->devices = xcalloc(count, sizeof(*header->devices));
	for (size_t i = 0; i < count; i++) {
		struct json_object *entry = json_object_array_get_idx(array, i);

		if (!json_object_is_type(entry, json_type_string))
			return false;
		header->devices[header->device_count++] = xstrdup(json_object_get_string(entry));
	}
	return true;
}

/* Both are missing where the stream is plain. */
static bool parse_container(struct json_object *object, struct container_spec *container)
{
	const char *archive = json_get_text(object, "archive");
	u64 level = 0;

	if (archive && !archive_kind_find(archive, &container->archive))
		return false;
	if (!json_object_object_get_ex(object, "compress", NULL))
		return true;
	if (!json_get_u64(object, "compress", &level) || !container_level_possible(level))
		return false;
	container->level = (int)level;
	return true;
}

static bool parse_numbers(struct json_object *object, struct journal_header *header)
{
	return json_get_u32(object, "protocol", &header->protocol) &&
	       json_get_u32(object, "flags", &header->flags) &&
	       json_get_u64(object, "buffer_size", &header->buffer_size) &&
	       json_get_u32(object, "buffers", &header->buffers) &&
	       json_get_u64(object, "checkpoint_interval", &header->interval) &&
	       json_get_uuid(object, "fsid", header->fsid);
}

/* Older journals do not say it. */
static void parse_place(struct json_object *object, const char *point_key, const char *uuid_key,
			struct mount_place *place)
{
	const char *point = json_get_text(object, point_key);
	const char *uuid = json_get_text(object, uuid_key);

	place->point = point ? xstrdup(point) : NULL;
	place->uuid = uuid ? xstrdup(uuid) : NULL;
}

static void parse_output(struct json_object *object, struct journal_header *header)
{
	const char *output = json_get_text(object, "output");

	header->output = output ? xstrdup(output) : NULL;
	header->output_stdout = json_get_flag(object, "output_stdout");
	parse_place(object, "output_mount", "output_uuid", &header->output_place);
	parse_place(object, "sidecar_mount", "sidecar_uuid", &header->journal_place);
}

static bool parse_members(struct json_object *object, struct journal_header *header)
{
	const char *tool = json_get_text(object, "tool");
	const char *backend = json_get_text(object, "backend");

	if (!tool || !backend)
		return false;
	header->tool = xstrdup(tool);
	header->image = !strcmp(backend, "image");
	header->module = !strcmp(backend, "module");
	parse_output(object, header);
	header->begun = json_get_time(object);
	header->ignore_log = json_get_flag(object, "ignore_log");
	header->one_end = json_get_flag(object, "one_end");
	header->keep = json_get_flag(object, "keep");
	header->sources_grow = json_get_flag(object, "sources_grow");
	return parse_numbers(object, header) && parse_container(object, &header->container) &&
	       parse_devices(object, header) &&
	       parse_pins(object, "subvolumes", &header->subvolumes) &&
	       parse_pins(object, "clone_sources", &header->clone_sources) &&
	       header->subvolumes.count;
}

int journal_header_parse(struct json_object *object, struct journal_header *header)
{
	memset(header, 0, sizeof(*header));
	if (parse_members(object, header))
		return 0;
	journal_header_clear(header);
	return -1;
}
