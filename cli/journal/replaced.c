// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Lists of replaced ranges, and the marks of a stream that they are made of.
 */
#include <stdlib.h>
#include <string.h>
#include <sendcp/stream.h>

#include "journal/replaced.h"
#include "util/alloc.h"
#include "util/json_line.h"

static u64 add_saturated(u64 a, u64 b)
{
	return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

bool replaced_extend(struct replaced_range *range, const struct replaced_range *next)
{
	if (!range->path || range->subvolume != next->subvolume || range->zeros != next->zeros ||
	    range->length > UINT64_MAX - next->length ||
	    range->offset + range->length != next->offset || strcmp(range->path, next->path))
		return false;
	range->length += next->length;
	return true;
}

static bool keep(struct replaced_list *list, const struct replaced_range *range)
{
	size_t size = strlen(range->path) + 1;
	struct replaced_range *grown;

	if (list->more || list->count == REPLACED_RANGES_MAX ||
	    size > REPLACED_PATHS_MAX - list->path_bytes)
		return false;
	grown = grow(list->ranges, &list->capacity, list->count + 1, sizeof(*grown));
	if (!grown)
		return false;
	list->ranges = grown;
	grown[list->count] = *range;
	grown[list->count].path = strdup(range->path);
	if (!grown[list->count].path)
		return false;
	list->count++;
	list->path_bytes += size;
	return true;
}

void replaced_add(struct replaced_list *list, const struct replaced_range *range)
{
	struct replaced_range *before = list->more ? &list->last :
					list->count ? &list->ranges[list->count - 1] : NULL;

	list->bytes = add_saturated(list->bytes, range->length);
	if ((before && replaced_extend(before, range)) || keep(list, range))
		return;
	list->more = add_saturated(list->more, 1);
	free(list->last.path);
	list->last = *range;
	list->last.path = strdup(range->path);
}

void replaced_add_list(struct replaced_list *list, const struct replaced_list *from)
{
	u64 bytes = add_saturated(list->bytes, from->bytes);

	for (size_t i = 0; i < from->count; i++)
		replaced_add(list, &from->ranges[i]);
	list->more = add_saturated(list->more, from->more);
	list->bytes = bytes;
	if (!from->more)
		return;
	free(list->last.path);
	list->last = from->last;
	list->last.path = from->last.path ? strdup(from->last.path) : NULL;
}

void replaced_move(struct replaced_list *list, struct replaced_list *from)
{
	if (!replaced_count(list)) {
		replaced_clear(list);
		*list = *from;
		*from = (struct replaced_list){ 0 };
		return;
	}
	replaced_add_list(list, from);
	replaced_clear(from);
}

void replaced_clear(struct replaced_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->ranges[i].path);
	free(list->ranges);
	free(list->last.path);
	*list = (struct replaced_list){ 0 };
}

/* One attribute of a mark, each of which a command has once. */
struct attribute {
	const u8 *value;
	u32 length;
};

static bool is_text(const struct attribute *attribute, const char *text)
{
	return attribute->value && attribute->length == strlen(text) &&
	       !memcmp(attribute->value, text, attribute->length);
}

static bool is_number(const struct attribute *attribute)
{
	return attribute->value && attribute->length == sizeof(u64);
}

/* The attributes that a mark has; the command has @size bytes. */
static void find_attributes(const u8 *command, u32 size, struct attribute *path,
			    struct attribute *offset, struct attribute *length,
			    struct attribute *name, struct attribute *how)
{
	u32 at = SENDCP_COMMAND_HEADER_SIZE;

	while (size - at >= SENDCP_ATTR_HEADER_SIZE) {
		u32 type = sendcp_get_le16(command + at);
		struct attribute found = {
			.value = command + at + SENDCP_ATTR_HEADER_SIZE,
			.length = sendcp_get_le16(command + at + 2),
		};

		at += SENDCP_ATTR_HEADER_SIZE;
		if (found.length > size - at)
			return;
		at += found.length;
		if (type == SENDCP_A_PATH)
			*path = found;
		else if (type == SENDCP_A_FILE_OFFSET)
			*offset = found;
		else if (type == SENDCP_A_SIZE)
			*length = found;
		else if (type == SENDCP_A_XATTR_NAME)
			*name = found;
		else if (type == SENDCP_A_XATTR_DATA)
			*how = found;
	}
}

static void add_mark(struct replaced_list *list, u32 subvolume, const u8 *command, u32 size)
{
	struct attribute path = { 0 }, offset = { 0 }, length = { 0 }, name = { 0 }, how = { 0 };
	struct replaced_range range = { .subvolume = subvolume };

	find_attributes(command, size, &path, &offset, &length, &name, &how);
	if (!path.value || !is_number(&offset) || !is_number(&length) ||
	    !is_text(&name, SENDCP_MARK_NAME))
		return;
	range.zeros = is_text(&how, SENDCP_MARK_ZERO);
	range.offset = sendcp_get_le64(offset.value);
	range.length = sendcp_get_le64(length.value);
	range.path = strndup((const char *)path.value, path.length);
	if (range.path)
		replaced_add(list, &range);
	else
		list->more = add_saturated(list->more, 1);
	free(range.path);
}

void replaced_scan(struct replaced_list *list, u32 subvolume, const u8 *bytes, size_t size)
{
	size_t at = 0;

	if (size >= SENDCP_STREAM_HEADER_SIZE &&
	    !memcmp(bytes, SENDCP_STREAM_MAGIC, SENDCP_STREAM_MAGIC_SIZE))
		at = SENDCP_STREAM_HEADER_SIZE;
	while (size - at >= SENDCP_COMMAND_HEADER_SIZE) {
		const u8 *command = bytes + at;
		u64 length = (u64)sendcp_get_le32(command) + SENDCP_COMMAND_HEADER_SIZE;

		if (length > size - at)
			return;
		if (sendcp_get_le16(command + sizeof(u32)) == SENDCP_C_UPDATE_EXTENT)
			add_mark(list, subvolume, command, (u32)length);
		at += (size_t)length;
	}
}

static struct json_object *range_json(const struct replaced_range *range)
{
	struct json_object *object = json_new();

	json_put_u64(object, "subvolume", range->subvolume);
	json_put_string(object, "path", range->path);
	json_put_u64(object, "offset", range->offset);
	json_put_u64(object, "length", range->length);
	json_put_string(object, "by", replaced_by(range));
	return object;
}

void replaced_put(struct json_object *to, const struct replaced_list *list)
{
	struct json_object *object, *ranges;

	if (!replaced_count(list)) {
		json_put_null(to, "replaced");
		return;
	}
	object = json_new();
	ranges = json_new_array();
	for (size_t i = 0; i < list->count; i++)
		json_array_add(ranges, range_json(&list->ranges[i]));
	json_put(object, "ranges", ranges);
	json_put_u64(object, "more_ranges", list->more);
	json_put_u64(object, "bytes", list->bytes);
	json_put(to, "replaced", object);
}

static bool parse_range(struct json_object *object, struct replaced_list *list)
{
	struct replaced_range range;
	const char *by, *path;
	bool done;

	if (!json_object_is_type(object, json_type_object))
		return false;
	by = json_get_text(object, "by");
	path = json_get_text(object, "path");
	if (!by || !path || !json_get_u32(object, "subvolume", &range.subvolume) ||
	    !json_get_u64(object, "offset", &range.offset) ||
	    !json_get_u64(object, "length", &range.length))
		return false;
	range.zeros = !strcmp(by, "zeros");
	range.path = strdup(path);
	done = range.path;
	if (done)
		replaced_add(list, &range);
	free(range.path);
	return done;
}

bool replaced_parse(struct json_object *object, struct replaced_list *list)
{
	struct json_object *ranges;
	u64 more, bytes;

	if (!object)
		return true;
	ranges = json_get_array(object, "ranges");
	if (!ranges || !json_get_u64(object, "more_ranges", &more) ||
	    !json_get_u64(object, "bytes", &bytes))
		return false;
	for (size_t i = 0; i < json_object_array_length(ranges); i++)
		if (!parse_range(json_object_array_get_idx(ranges, i), list))
			return false;
	list->more = add_saturated(list->more, more);
	list->bytes = bytes;
	return true;
}

const char *replaced_by(const struct replaced_range *range)
{
	return range->zeros ? "zeros" : "nothing";
}
