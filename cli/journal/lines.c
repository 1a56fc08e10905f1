// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The lines of a journal as text.
 */
#include <stdlib.h>
#include <time.h>

#include "journal/lines.h"
#include "util/json_line.h"
#include "util/text.h"

/* Takes over @object, which may be NULL. */
static char *format(struct json_object *object, size_t *length)
{
	char *line = json_line_format(object, length);

	json_object_put(object);
	return line;
}

char *journal_header_line(const struct journal_header *header, size_t *length)
{
	return format(journal_header_json(header), length);
}

char *journal_manifest_line(const struct journal_header *header, size_t *length)
{
	struct json_object *object = journal_header_json(header);

	json_put_string(object, "extract", container_extract_text(&header->container));
	json_put_string(object, "digests",
			"checkpoint.N: \"xxh3_128\" is what xxhsum -H2 prints of stream.N");
	return format(object, length);
}

static struct json_object *new_line(const char *type, u64 offset)
{
	struct json_object *object = json_new();

	json_put_string(object, "type", type);
	json_put_u64(object, "output_offset", offset);
	return object;
}

char *journal_batch_line(const struct journal_batch *batch, size_t *length)
{
	char *checkpoint = base64_encode(batch->checkpoint, batch->checkpoint_size);
	struct json_object *object;

	if (!checkpoint)
		return NULL;
	object = new_line("batch", batch->output_offset);
	json_put_u64(object, "subvolume", batch->subvolume);
	json_put_u64(object, "stream_offset", batch->stream_offset);
	json_put_u64(object, "length", batch->length);
	json_put_hex(object, "xxh3_128", batch->hash, sizeof(batch->hash));
	if (batch->end)
		json_put_bool(object, "end", true);
	if (batch->synced)
		json_put_bool(object, "synced", true);
	if (replaced_count(&batch->replaced))
		replaced_put(object, &batch->replaced);
	json_put_time(object, batch->time);
	json_put_string(object, "checkpoint", checkpoint);
	free(checkpoint);
	return format(object, length);
}

char *journal_place_line(const char *type, const struct stream_place *place, bool in_container,
			 const char *output, size_t *length)
{
	struct json_object *object = new_line(type, place->output_offset);

	if (in_container)
		json_put_u64(object, "file_offset", place->file_offset);
	if (place->segments)
		json_put_u64(object, "segments", place->segments);
	if (output)
		json_put_string(object, "output", output);
	json_put_time(object, (u64)time(NULL));
	return format(object, length);
}

char *journal_replaced_line(const struct replaced_list *list, size_t *length)
{
	struct json_object *object = new_line("replaced", 0);

	replaced_put(object, list);
	return format(object, length);
}

char *journal_complete_line(u64 output_offset, size_t *length)
{
	return format(new_line("complete", output_offset), length);
}
