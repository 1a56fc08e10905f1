// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Tables of the stream's commands and attributes.
 */
#include <stdio.h>

#include "parse/format.h"

static const struct stream_attribute_info attributes[STREAM_ATTRIBUTE_LAST + 1] = {
	[SENDCP_A_UUID] = { "uuid", STREAM_UUID },
	[SENDCP_A_CTRANSID] = { "ctransid", STREAM_U64 },
	[SENDCP_A_INO] = { "inode", STREAM_U64 },
	[SENDCP_A_SIZE] = { "size", STREAM_U64 },
	[SENDCP_A_MODE] = { "mode", STREAM_U64 },
	[SENDCP_A_UID] = { "uid", STREAM_U64 },
	[SENDCP_A_GID] = { "gid", STREAM_U64 },
	[SENDCP_A_RDEV] = { "rdev", STREAM_U64 },
	[SENDCP_A_CTIME] = { "ctime", STREAM_TIME },
	[SENDCP_A_MTIME] = { "mtime", STREAM_TIME },
	[SENDCP_A_ATIME] = { "atime", STREAM_TIME },
	[SENDCP_A_OTIME] = { "otime", STREAM_TIME },
	[SENDCP_A_XATTR_NAME] = { "xattr_name", STREAM_TEXT },
	[SENDCP_A_XATTR_DATA] = { "xattr_data", STREAM_BYTES },
	[SENDCP_A_PATH] = { "path", STREAM_TEXT },
	[SENDCP_A_PATH_TO] = { "path_to", STREAM_TEXT },
	[SENDCP_A_PATH_LINK] = { "path_link", STREAM_TEXT },
	[SENDCP_A_FILE_OFFSET] = { "offset", STREAM_U64 },
	[SENDCP_A_DATA] = { "data", STREAM_BYTES },
	[SENDCP_A_CLONE_UUID] = { "clone_uuid", STREAM_UUID },
	[SENDCP_A_CLONE_CTRANSID] = { "clone_ctransid", STREAM_U64 },
	[SENDCP_A_CLONE_PATH] = { "clone_path", STREAM_TEXT },
	[SENDCP_A_CLONE_OFFSET] = { "clone_offset", STREAM_U64 },
	[SENDCP_A_CLONE_LEN] = { "clone_length", STREAM_U64 },
	[SENDCP_A_FALLOCATE_MODE] = { "fallocate_mode", STREAM_U32 },
	[SENDCP_A_FILEATTR] = { "fileattr", STREAM_U64 },
	[SENDCP_A_UNENCODED_FILE_LEN] = { "unencoded_file_length", STREAM_U64 },
	[SENDCP_A_UNENCODED_LEN] = { "unencoded_length", STREAM_U64 },
	[SENDCP_A_UNENCODED_OFFSET] = { "unencoded_offset", STREAM_U64 },
	[SENDCP_A_COMPRESSION] = { "compression", STREAM_U32 },
	[SENDCP_A_ENCRYPTION] = { "encryption", STREAM_U32 },
	[SENDCP_A_VERITY_ALGORITHM] = { "verity_algorithm", STREAM_U8 },
	[SENDCP_A_VERITY_BLOCK_SIZE] = { "verity_block_size", STREAM_U32 },
	[SENDCP_A_VERITY_SALT_DATA] = { "verity_salt", STREAM_BYTES },
	[SENDCP_A_VERITY_SIG_DATA] = { "verity_signature", STREAM_BYTES },
};

#define A(name) (1ULL << SENDCP_A_##name)

static const struct stream_command_info commands[STREAM_COMMAND_LAST + 1] = {
	[SENDCP_C_SUBVOL] = { "subvol", 1, A(PATH) | A(UUID) | A(CTRANSID), 0 },
	[SENDCP_C_SNAPSHOT] = { "snapshot", 1, A(PATH) | A(UUID) | A(CTRANSID) | A(CLONE_UUID) |
			     A(CLONE_CTRANSID), 0 },
	[SENDCP_C_MKFILE] = { "mkfile", 1, A(PATH) | A(INO), 0 },
	[SENDCP_C_MKDIR] = { "mkdir", 1, A(PATH) | A(INO), 0 },
	[SENDCP_C_MKNOD] = { "mknod", 1, A(PATH) | A(INO) | A(RDEV) | A(MODE), 0 },
	[SENDCP_C_MKFIFO] = { "mkfifo", 1, A(PATH) | A(INO) | A(RDEV) | A(MODE), 0 },
	[SENDCP_C_MKSOCK] = { "mksock", 1, A(PATH) | A(INO) | A(RDEV) | A(MODE), 0 },
	[SENDCP_C_SYMLINK] = { "symlink", 1, A(PATH) | A(INO) | A(PATH_LINK), 0 },
	[SENDCP_C_RENAME] = { "rename", 1, A(PATH) | A(PATH_TO), 0 },
	[SENDCP_C_LINK] = { "link", 1, A(PATH) | A(PATH_LINK), 0 },
	[SENDCP_C_UNLINK] = { "unlink", 1, A(PATH), 0 },
	[SENDCP_C_RMDIR] = { "rmdir", 1, A(PATH), 0 },
	[SENDCP_C_SET_XATTR] = { "set_xattr", 1, A(PATH) | A(XATTR_NAME) | A(XATTR_DATA), 0 },
	[SENDCP_C_REMOVE_XATTR] = { "remove_xattr", 1, A(PATH) | A(XATTR_NAME), 0 },
	[SENDCP_C_WRITE] = { "write", 1, A(PATH) | A(FILE_OFFSET) | A(DATA), 0 },
	[SENDCP_C_CLONE] = { "clone", 1, A(FILE_OFFSET) | A(CLONE_LEN) | A(PATH) | A(CLONE_UUID) |
			  A(CLONE_CTRANSID) | A(CLONE_PATH) | A(CLONE_OFFSET), 0 },
	[SENDCP_C_TRUNCATE] = { "truncate", 1, A(PATH) | A(SIZE), 0 },
	[SENDCP_C_CHMOD] = { "chmod", 1, A(PATH) | A(MODE), 0 },
	[SENDCP_C_CHOWN] = { "chown", 1, A(PATH) | A(UID) | A(GID), 0 },
	[SENDCP_C_UTIMES] = { "utimes", 1, A(PATH) | A(ATIME) | A(MTIME) | A(CTIME), A(OTIME) },
	[SENDCP_C_END] = { "end", 1, 0, 0 },
	[SENDCP_C_UPDATE_EXTENT] = { "update_extent", 1, A(PATH) | A(FILE_OFFSET) | A(SIZE),
			  A(XATTR_NAME) | A(XATTR_DATA) },
	[SENDCP_C_FALLOCATE] = { "fallocate", 2, A(PATH) | A(FALLOCATE_MODE) | A(FILE_OFFSET) |
			      A(SIZE), 0 },
	[SENDCP_C_FILEATTR] = { "fileattr", 2, A(PATH) | A(FILEATTR), 0 },
	[SENDCP_C_ENCODED_WRITE] = { "encoded_write", 2, A(PATH) | A(FILE_OFFSET) |
				  A(UNENCODED_FILE_LEN) | A(UNENCODED_LEN) |
				  A(UNENCODED_OFFSET) | A(COMPRESSION) | A(DATA),
				  A(ENCRYPTION) },
	[SENDCP_C_ENABLE_VERITY] = { "enable_verity", 3, A(PATH) | A(VERITY_ALGORITHM) |
				  A(VERITY_BLOCK_SIZE) | A(VERITY_SALT_DATA) |
				  A(VERITY_SIG_DATA), 0 },
};

/* Command buffer of a sender with 64 KiB pages; with smaller ones it is smaller (144 KiB). */
#define COMMAND_MAX_LARGE_PAGES (192u << 10)

const struct stream_attribute_info *stream_attribute_info(u32 type)
{
	return type && type <= STREAM_ATTRIBUTE_LAST ? &attributes[type] : NULL;
}

const struct stream_command_info *stream_command_info(u32 command)
{
	return command && command <= STREAM_COMMAND_LAST ? &commands[command] : NULL;
}

const char *stream_command_name(u32 command, char buffer[24])
{
	const struct stream_command_info *info = stream_command_info(command);

	if (info)
		return info->name;
	snprintf(buffer, 24, "command %u", command);
	return buffer;
}

u32 stream_value_size(enum stream_value value)
{
	switch (value) {
	case STREAM_U8:
		return 1;
	case STREAM_U32:
		return 4;
	case STREAM_U64:
		return 8;
	case STREAM_UUID:
		return 16;
	case STREAM_TIME:
		return 12;
	default:
		return 0;
	}
}

u32 stream_attribute_last(u32 protocol)
{
	static const u32 last[] = {
		0, SENDCP_A_CLONE_LEN, SENDCP_A_ENCRYPTION, SENDCP_A_VERITY_SIG_DATA,
	};

	return last[protocol <= STREAM_PROTOCOL_MAX ? protocol : STREAM_PROTOCOL_MAX];
}

u32 stream_command_last(u32 protocol)
{
	static const u32 last[] = { 0, SENDCP_C_UPDATE_EXTENT, SENDCP_C_ENCODED_WRITE,
				    SENDCP_C_ENABLE_VERITY };

	return last[protocol <= STREAM_PROTOCOL_MAX ? protocol : STREAM_PROTOCOL_MAX];
}

u32 stream_command_max(u32 protocol)
{
	return protocol < 2 ? SENDCP_COMMAND_MAX_V1 : COMMAND_MAX_LARGE_PAGES;
}
