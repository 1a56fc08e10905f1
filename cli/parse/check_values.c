// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Values that no sender writes and no receiver should obey: paths that lead out of the subvolume,
 * ranges beyond what a file can have.
 */
#include <sys/stat.h>

#include "parse/check.h"
#include "parse/mark.h"

#define NAME_LENGTH_MAX 255u
#define FILE_END_MAX ((u64)INT64_MAX)
/* A compressed extent holds no more. */
#define UNENCODED_MAX (128u << 10)
/* 1 zlib, 2 zstd, 3 to 7 lzo by sector size. */
#define COMPRESSION_LAST 7u

static u64 number(const struct stream_command *command, u32 type)
{
	return stream_attribute_u64(stream_attribute(command, type));
}

/* The fault of one component; NULL: none. */
static const char *component_fault(const u8 *name, size_t length)
{
	if (!length)
		return "an empty component";
	if (length > NAME_LENGTH_MAX)
		return "a component of more than 255 bytes";
	if (name[0] == '.' && (length == 1 || (length == 2 && name[1] == '.')))
		return "a component . or ..";
	return NULL;
}

static const char *path_fault(const u8 *path, size_t length)
{
	const char *fault = NULL;
	size_t start = 0;

	if (length > SENDCP_PATH_MAX)
		return "more than 4095 bytes";
	if (memchr(path, 0, length))
		return "a zero byte";
	if (length && path[0] == '/')
		return "a / at its beginning";
	while (!fault && start <= length) {
		const u8 *slash = memchr(path + start, '/', length - start);
		size_t end = slash ? (size_t)(slash - path) : length;

		fault = component_fault(path + start, end - start);
		start = end + 1;
	}
	return fault;
}

/* The subvolume's root, whose path is empty, can have its attributes set and nothing else. */
static bool for_root(u32 command)
{
	switch (command) {
	case SENDCP_C_CHMOD:
	case SENDCP_C_CHOWN:
	case SENDCP_C_UTIMES:
	case SENDCP_C_SET_XATTR:
	case SENDCP_C_REMOVE_XATTR:
	case SENDCP_C_FILEATTR:
		return true;
	default:
		return false;
	}
}

static const char *name_fault(const u8 *name, size_t length)
{
	return memchr(name, '/', length) ? "a /" : path_fault(name, length);
}

/* A symlink may lead anywhere. Zero bytes that are stored after its target are sent, too. */
static const char *target_fault(const u8 *target, size_t length)
{
	while (length && !target[length - 1])
		length--;
	if (!length || length > SENDCP_PATH_MAX)
		return "an impossible length";
	return memchr(target, 0, length) ? "a zero byte" : NULL;
}

static const char *xattr_name_fault(const u8 *name, size_t length)
{
	if (!length || length > NAME_LENGTH_MAX)
		return "an impossible length";
	return memchr(name, 0, length) ? "a zero byte" : NULL;
}

static const char *text_fault(const struct stream_command *command,
			      const struct stream_attribute *text)
{
	switch (text->type) {
	case SENDCP_A_PATH:
		if (command->type == SENDCP_C_SUBVOL || command->type == SENDCP_C_SNAPSHOT)
			return name_fault(text->value, text->length);
		if (!text->length && for_root(command->type))
			return NULL;
		return path_fault(text->value, text->length);
	case SENDCP_A_PATH_LINK:
		if (command->type == SENDCP_C_SYMLINK)
			return target_fault(text->value, text->length);
		return path_fault(text->value, text->length);
	case SENDCP_A_XATTR_NAME:
		return xattr_name_fault(text->value, text->length);
	case SENDCP_A_PATH_TO:
	case SENDCP_A_CLONE_PATH:
		return path_fault(text->value, text->length);
	default:
		return NULL;
	}
}

static bool range_possible(u64 offset, u64 length)
{
	return offset <= FILE_END_MAX && length <= FILE_END_MAX - offset;
}

static const char *write_fault(const struct stream_command *command)
{
	u32 length = stream_attribute(command, SENDCP_A_DATA)->length;

	if (!length)
		return "has no data";
	return range_possible(number(command, SENDCP_A_FILE_OFFSET), length) ? NULL :
	       "has an impossible range";
}

static const char *clone_fault(const struct stream_command *command)
{
	u64 length = number(command, SENDCP_A_CLONE_LEN);

	if (range_possible(number(command, SENDCP_A_FILE_OFFSET), length) &&
	    range_possible(number(command, SENDCP_A_CLONE_OFFSET), length))
		return NULL;
	return "has an impossible range";
}

static const char *encoded_fault(const struct stream_command *command)
{
	const struct stream_attribute *encryption = stream_attribute(command, SENDCP_A_ENCRYPTION);
	u64 compression = number(command, SENDCP_A_COMPRESSION);
	u64 length = number(command, SENDCP_A_UNENCODED_FILE_LEN);
	u64 all = number(command, SENDCP_A_UNENCODED_LEN);
	u64 offset = number(command, SENDCP_A_UNENCODED_OFFSET);

	if (!stream_attribute(command, SENDCP_A_DATA)->length)
		return "has no data";
	if (!range_possible(number(command, SENDCP_A_FILE_OFFSET), length) || all > UNENCODED_MAX ||
	    offset > all || length > all - offset)
		return "has an impossible range";
	if (!compression || compression > COMPRESSION_LAST)
		return "has an unknown compression";
	if (encryption && stream_attribute_u64(encryption))
		return "has an unknown encryption";
	return NULL;
}

static const char *mode_fault(const struct stream_command *command)
{
	u64 mode = number(command, SENDCP_A_MODE);

	if (command->type == SENDCP_C_CHMOD)
		return mode & ~07777ULL ? "has an impossible mode" : NULL;
	return mode >> 32 || !(S_ISCHR((u32)mode) || S_ISBLK((u32)mode)) ?
	       "has a mode that is not a device's" : NULL;
}

static const char *numbers_fault(const struct stream_command *command)
{
	switch (command->type) {
	case SENDCP_C_WRITE:
		return write_fault(command);
	case SENDCP_C_ENCODED_WRITE:
		return encoded_fault(command);
	case SENDCP_C_CLONE:
		return clone_fault(command);
	case SENDCP_C_MKNOD:
	case SENDCP_C_CHMOD:
		return mode_fault(command);
	case SENDCP_C_TRUNCATE:
		return number(command, SENDCP_A_SIZE) > FILE_END_MAX ? "has an impossible size" :
			NULL;
	case SENDCP_C_UPDATE_EXTENT:
		if (stream_mark(command) == MARK_WRONG)
			return "has a mark that sendcp does not know";
		/* fallthrough */
	case SENDCP_C_FALLOCATE:
		return range_possible(number(command, SENDCP_A_FILE_OFFSET),
				      number(command, SENDCP_A_SIZE)) ? NULL :
		       "has an impossible range";
	default:
		return NULL;
	}
}

bool stream_check_values(struct stream_reader *reader, const struct stream_command *command)
{
	const char *fault;

	for (u32 i = 0; i < command->attribute_count; i++) {
		const struct stream_attribute *attribute = &command->attributes[i];

		fault = text_fault(command, attribute);
		if (fault)
			return stream_wrong(reader, command, "has a %s with %s",
					    stream_attribute_info(attribute->type)->name, fault);
	}
	fault = numbers_fault(command);
	return !fault || stream_wrong(reader, command, "%s", fault);
}
