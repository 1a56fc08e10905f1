// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Messages about a command that is not the one that would be made.
 */
#include <string.h>

#include "resume/append/match.h"
#include "util/message.h"
#include "util/text.h"

/* An attribute of match->head, none of whose attributes before contents lacks its length. */
static const u8 *made_attribute(const struct match *match, u32 type, u32 *length)
{
	u32 at = SENDCP_COMMAND_HEADER_SIZE;

	while (at + SENDCP_ATTR_HEADER_SIZE <= match->known) {
		const u8 *attribute = match->head + at;

		*length = sendcp_get_le16(attribute + 2);
		if (sendcp_get_le16(attribute) == type)
			return attribute + SENDCP_ATTR_HEADER_SIZE;
		at += SENDCP_ATTR_HEADER_SIZE + *length;
	}
	return NULL;
}

/* Both have it, and it is not the same; then *@made is the engine's. */
static bool differs(const struct match *match, const struct stream_command *command, u32 type,
		    const struct stream_attribute **there, const u8 **made)
{
	u32 length = 0;

	*there = stream_attribute(command, type);
	*made = made_attribute(match, type, &length);
	return *there && *made &&
	       ((*there)->length != length || memcmp((*there)->value, *made, length));
}

static int other_uuid(const struct match *match, const char *what, const u8 *there, const u8 *made)
{
	char is[UUID_TEXT_SIZE], was[UUID_TEXT_SIZE];

	sendcp_uuid_text(there, was);
	sendcp_uuid_text(made, is);
	return error_line("%s is of another %s: of %s, not of %s", match->name, what, was,
			  is);
}

/* Prints how the first command's subvolume or parent differs from the one given; it has to. */
static int other_subvolume(const struct match *match, const struct stream_command *command)
{
	const char *spec = match->job->subvolumes[match->index].spec;
	const struct stream_attribute *there;
	const u8 *made;

	if (command->type != sendcp_get_le16(match->head + sizeof(u32)))
		return error_line(command->type == SENDCP_C_SNAPSHOT ?
				  "%s is incremental: name its parent with -p" :
				  "%s is a full stream: it has no parent (-p, -c)",
				  match->name);
	if (differs(match, command, SENDCP_A_UUID, &there, &made))
		return other_uuid(match, "subvolume", there->value, made);
	if (differs(match, command, SENDCP_A_CLONE_UUID, &there, &made))
		return other_uuid(match, "parent", there->value, made);
	if (differs(match, command, SENDCP_A_CTRANSID, &there, &made))
		return error_line("%s was changed since %s was made (transaction %llu then, %llu "
				  "now)", spec, match->name, stream_attribute_u64(there),
				  sendcp_get_le64(made));
	if (differs(match, command, SENDCP_A_CLONE_CTRANSID, &there, &made))
		return error_line("the parent was changed since %s was made", match->name);
	if (differs(match, command, SENDCP_A_PATH, &there, &made))
		return error_line("%s names the subvolume \"%.*s\": rename the subvolume to that "
				  "again", match->name, (int)there->length,
				  (const char *)there->value);
	return error_line("%s does not begin like the stream of %s", match->name, spec);
}

static bool begins_subvolume(u16 type)
{
	return type == SENDCP_C_SUBVOL || type == SENDCP_C_SNAPSHOT;
}

/* An END too many, or one that is missing. */
static int other_end(const struct match *match, bool there)
{
	if (there)
		return error_line("%s has an END after each subvolume: it was made without -e",
				  match->name);
	return error_line("%s has several subvolumes in one stream: it was made with -e",
			  match->name);
}

int match_difference(const struct match *match, const struct stream_command *command)
{
	u16 made = sendcp_get_le16(match->head + sizeof(u32));
	char name[24];

	if ((command->type == SENDCP_C_END && begins_subvolume(made)) ||
	    (made == SENDCP_C_END && begins_subvolume(command->type)))
		return other_end(match, command->type == SENDCP_C_END);
	if (begins_subvolume(command->type))
		return other_subvolume(match, command);
	return error_line("%s differs from what would be sent at byte %llu of the stream (command "
			  "%llu, %s). Was it made with other options or clone sources? If not, "
			  "truncate it there and resume",
			  match->name, command->offset, command->number,
			  stream_command_name(command->type, name));
}
