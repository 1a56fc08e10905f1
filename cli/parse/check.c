// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Order of commands, and the attributes that each must have.
 */
#include <stdarg.h>
#include <stdio.h>

#include "parse/check.h"

bool stream_wrong(struct stream_reader *reader, const struct stream_command *command,
		  const char *fmt, ...)
{
	char what[160], name[24];
	va_list args;

	va_start(args, fmt);
	vsnprintf(what, sizeof(what), fmt, args);
	va_end(args);
	stream_reject(reader, "%s at byte %llu %s", stream_command_name(command->type, name),
		      command->offset, what);
	return false;
}

static bool check_attribute(struct stream_reader *reader, const struct stream_command *command,
			    const struct stream_attribute *attribute, u64 allowed, u64 seen)
{
	const struct stream_attribute_info *info = stream_attribute_info(attribute->type);
	u32 size;

	if (!info || attribute->type > stream_attribute_last(command->protocol))
		return stream_wrong(reader, command, "has the unknown attribute %u",
				    attribute->type);
	if (!(allowed & 1ULL << attribute->type))
		return stream_wrong(reader, command, "has the attribute %s, which it cannot have",
				    info->name);
	if (seen & 1ULL << attribute->type)
		return stream_wrong(reader, command, "has the attribute %s twice", info->name);
	size = stream_value_size(info->value);
	if (size && attribute->length != size)
		return stream_wrong(reader, command, "has %u bytes of %s, not %u",
				    attribute->length, info->name, size);
	return true;
}

bool stream_check_attributes(struct stream_reader *reader, const struct stream_command *command)
{
	const struct stream_command_info *info = stream_command_info(command->type);
	u64 seen = 0, lacking;

	for (u32 i = 0; i < command->attribute_count; i++) {
		const struct stream_attribute *attribute = &command->attributes[i];

		if (!check_attribute(reader, command, attribute, info->required | info->optional,
				     seen))
			return false;
		seen |= 1ULL << attribute->type;
	}
	lacking = info->required & ~seen;
	if (lacking)
		return stream_wrong(reader, command, "lacks the attribute %s",
				    stream_attribute_info((u32)__builtin_ctzll(lacking))->name);
	return true;
}

/*
 * A stream begins with the subvolume's name. A further one in its midst begins the next subvolume
 * (btrfs send -e), so only END closes.
 */
static bool check_order(struct stream_check *check, struct stream_reader *reader,
			const struct stream_command *command)
{
	bool names = command->type == SENDCP_C_SUBVOL || command->type == SENDCP_C_SNAPSHOT;

	if (check->fresh && !names)
		return stream_wrong(reader, command, "is where subvol or snapshot should be");
	check->fresh = false;
	check->subvolumes += names;
	check->commands++;
	return true;
}

bool stream_check(struct stream_check *check, struct stream_reader *reader,
		  const struct stream_command *command)
{
	if (!command->type) {
		check->fresh = true;
		check->streams++;
		return true;
	}
	return check_order(check, reader, command) &&
	       stream_check_attributes(reader, command) &&
	       stream_check_values(reader, command);
}
