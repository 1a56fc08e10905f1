// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Checking the members of an archive in their order.
 *
 * Nothing but the members that layout.h names is taken: a name that was damaged must not make a
 * segment disappear.
 */
#include <stdio.h>
#include <string.h>

#include "container/internal.h"
#include "container/layout.h"
#include "container/segments.h"
#include "journal/format.h"
#include "util/json_line.h"

/* No name of ours is longer. */
#define NAME_ROOM 40

void segments_init(struct segments *segments, struct unwrap_ending *ending)
{
	*segments = (struct segments){ .ending = ending };
	hash_init(&segments->hash);
}

void segments_clear(struct segments *segments)
{
	hash_clear(&segments->hash);
}

static const char *wanted_name(const struct segments *segments, char buffer[NAME_ROOM])
{
	if (segments->state == SEGMENTS_WANT_MANIFEST)
		return LAYOUT_MANIFEST;
	if (segments->state == SEGMENTS_COMPLETE)
		return "nothing";
	if (segments->state == SEGMENTS_WANT_STREAM)
		snprintf(buffer, NAME_ROOM, LAYOUT_STREAM LAYOUT_NUMBER, segments->number + 1);
	else
		snprintf(buffer, NAME_ROOM, LAYOUT_CHECKPOINT LAYOUT_NUMBER, segments->number);
	return buffer;
}

static void begin_segment(struct segments *segments)
{
	segments->number++;
	segments->offset += segments->length;
	segments->length = 0;
	hash_restart(&segments->hash);
}

/* bsdtar and cpio may put a "./" in front. */
static const char *base_name(const char *name)
{
	return !strncmp(name, "./", 2) ? name + 2 : name;
}

enum segments_member segments_begin(struct segments *segments, const char *name)
{
	char buffer[NAME_ROOM];
	const char *wanted = wanted_name(segments, buffer);

	name = base_name(name);
	if (segments->state == SEGMENTS_WANT_STREAM && !strcmp(name, LAYOUT_COMPLETE)) {
		segments->state = SEGMENTS_COMPLETE;
		return SEGMENTS_LINE;
	}
	if (segments->state == SEGMENTS_COMPLETE || strcmp(name, wanted)) {
		unwrap_end(segments->ending, UNWRAP_DAMAGED,
			   "the archive's member %s is missing: %.100s is in its place", wanted,
			   name);
		return SEGMENTS_WRONG;
	}
	if (segments->state != SEGMENTS_WANT_STREAM)
		return SEGMENTS_LINE;
	begin_segment(segments);
	return SEGMENTS_STREAM;
}

void segments_data(struct segments *segments, const void *data, size_t size)
{
	hash_add(&segments->hash, data, size);
	segments->length += size;
}

void segments_stream_end(struct segments *segments)
{
	segments->state = SEGMENTS_WANT_CHECKPOINT;
}

static bool bad_line(const struct segments *segments, const char *what)
{
	unwrap_end(segments->ending, UNWRAP_DAMAGED, "%s", what);
	return false;
}

static bool check_manifest(struct segments *segments, struct unwrap_member *member)
{
	u64 version;

	if (!json_get_u64(member->object, "sendcp_journal", &version))
		return bad_line(segments, "the archive's " LAYOUT_MANIFEST " is not sendcp's");
	if (version > JOURNAL_VERSION)
		return bad_line(segments, "the archive was written by a newer sendcp");
	member->kind = UNWRAP_MANIFEST;
	segments->state = SEGMENTS_WANT_STREAM;
	return true;
}

static bool has_digest(const struct segments *segments, struct json_object *object)
{
	u8 said[HASH_SIZE], made[HASH_SIZE];

	hash_result(&segments->hash, made);
	return json_get_hex(object, "xxh3_128", said, sizeof(said)) &&
	       !memcmp(said, made, sizeof(said));
}

static bool check_checkpoint(struct segments *segments, struct unwrap_member *member)
{
	struct json_object *object = member->object;
	const char *type = json_get_text(object, "type");
	u64 offset, length;

	if (!type || strcmp(type, "batch") || !json_get_u64(object, "output_offset", &offset) ||
	    !json_get_u64(object, "length", &length) || offset != segments->offset ||
	    length != segments->length || !has_digest(segments, object)) {
		unwrap_end(segments->ending, UNWRAP_DAMAGED, "the archive's segment %llu, bytes "
			   "%llu to %llu of the stream, does not match its checkpoint",
			   segments->number, segments->offset,
			   segments->offset + segments->length);
		return false;
	}
	member->kind = UNWRAP_CHECKPOINT;
	member->number = segments->number;
	segments->state = SEGMENTS_WANT_STREAM;
	return true;
}

static bool check_trailer(struct segments *segments, struct unwrap_member *member)
{
	const char *type = json_get_text(member->object, "type");
	u64 offset;

	if (!type || strcmp(type, "complete") ||
	    !json_get_u64(member->object, "output_offset", &offset) ||
	    offset != segments->offset + segments->length)
		return bad_line(segments, "the archive's " LAYOUT_COMPLETE " has another length");
	member->kind = UNWRAP_TRAILER;
	return true;
}

/* The sum covers all of it but the newline. */
bool segments_line(struct segments *segments, const char *text, size_t size,
		   struct unwrap_member *member)
{
	char buffer[NAME_ROOM];

	*member = (struct unwrap_member){ .line = text };
	member->length = size && text[size - 1] == '\n' ? size - 1 : size;
	member->object = json_line_parse(text, member->length);
	if (!member->object) {
		unwrap_end(segments->ending, UNWRAP_DAMAGED, "the archive's member %s is damaged",
			   segments->state == SEGMENTS_COMPLETE ? LAYOUT_COMPLETE :
			   wanted_name(segments, buffer));
		return false;
	}
	switch (segments->state) {
	case SEGMENTS_WANT_MANIFEST:
		return check_manifest(segments, member);
	case SEGMENTS_WANT_CHECKPOINT:
		return check_checkpoint(segments, member);
	default:
		return check_trailer(segments, member);
	}
}
