/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The btrfs send stream: framing, command and attribute numbers, limits.
 *
 * All integers little-endian, nothing aligned. A stream is a header, then commands; a command is a
 * header and attributes (u16 type, u16 length, value), except that in protocol 2 the attribute DATA
 * has no length and reaches to the command's end. The command's CRC is CRC-32C, seed 0, no
 * inversion, over header (CRC field zero) and body. (btrfs.readthedocs.io, "Send stream format".)
 */
#ifndef SENDCP_STREAM_H
#define SENDCP_STREAM_H

#include <sendcp/platform.h>

#define SENDCP_STREAM_MAGIC "btrfs-stream"	/* stored with its NUL: 13 bytes */
#define SENDCP_STREAM_MAGIC_SIZE 13u
#define SENDCP_STREAM_HEADER_SIZE 17u

struct sendcp_command_header {
	/* Bytes after this header. */
	__le32 length;
	__le16 command;
	__le32 crc;
} __packed;

#define SENDCP_COMMAND_HEADER_SIZE 10u
#define SENDCP_ATTR_HEADER_SIZE 4u
/* The attribute DATA in protocol 2: a type and no length. */
#define SENDCP_ATTR_TYPE_SIZE 2u

enum sendcp_command {
	SENDCP_C_SUBVOL = 1,
	SENDCP_C_SNAPSHOT = 2,
	SENDCP_C_MKFILE = 3,
	SENDCP_C_MKDIR = 4,
	SENDCP_C_MKNOD = 5,
	SENDCP_C_MKFIFO = 6,
	SENDCP_C_MKSOCK = 7,
	SENDCP_C_SYMLINK = 8,
	SENDCP_C_RENAME = 9,
	SENDCP_C_LINK = 10,
	SENDCP_C_UNLINK = 11,
	SENDCP_C_RMDIR = 12,
	SENDCP_C_SET_XATTR = 13,
	SENDCP_C_REMOVE_XATTR = 14,
	SENDCP_C_WRITE = 15,
	SENDCP_C_CLONE = 16,
	SENDCP_C_TRUNCATE = 17,
	SENDCP_C_CHMOD = 18,
	SENDCP_C_CHOWN = 19,
	SENDCP_C_UTIMES = 20,
	SENDCP_C_END = 21,
	SENDCP_C_UPDATE_EXTENT = 22,
	SENDCP_C_FALLOCATE = 23,
	SENDCP_C_FILEATTR = 24,
	SENDCP_C_ENCODED_WRITE = 25,
	SENDCP_C_ENABLE_VERITY = 26,
};

enum sendcp_attribute {
	SENDCP_A_UUID = 1,
	SENDCP_A_CTRANSID = 2,
	SENDCP_A_INO = 3,
	SENDCP_A_SIZE = 4,
	SENDCP_A_MODE = 5,
	SENDCP_A_UID = 6,
	SENDCP_A_GID = 7,
	SENDCP_A_RDEV = 8,
	SENDCP_A_CTIME = 9,
	SENDCP_A_MTIME = 10,
	SENDCP_A_ATIME = 11,
	SENDCP_A_OTIME = 12,
	SENDCP_A_XATTR_NAME = 13,
	SENDCP_A_XATTR_DATA = 14,
	SENDCP_A_PATH = 15,
	SENDCP_A_PATH_TO = 16,
	SENDCP_A_PATH_LINK = 17,
	SENDCP_A_FILE_OFFSET = 18,
	SENDCP_A_DATA = 19,
	SENDCP_A_CLONE_UUID = 20,
	SENDCP_A_CLONE_CTRANSID = 21,
	SENDCP_A_CLONE_PATH = 22,
	SENDCP_A_CLONE_OFFSET = 23,
	SENDCP_A_CLONE_LEN = 24,
	SENDCP_A_FALLOCATE_MODE = 25,
	SENDCP_A_FILEATTR = 26,
	SENDCP_A_UNENCODED_FILE_LEN = 27,
	SENDCP_A_UNENCODED_LEN = 28,
	SENDCP_A_UNENCODED_OFFSET = 29,
	SENDCP_A_COMPRESSION = 30,
	SENDCP_A_ENCRYPTION = 31,
	SENDCP_A_VERITY_ALGORITHM = 32,
	SENDCP_A_VERITY_BLOCK_SIZE = 33,
	SENDCP_A_VERITY_SALT_DATA = 34,
	SENDCP_A_VERITY_SIG_DATA = 35,
};

/* Values of COMPRESSION. LZO's number depends on the sector size: 3 for 4 KiB, 4 for 8 KiB ... */
#define SENDCP_ENCODED_ZLIB 1u
#define SENDCP_ENCODED_ZSTD 2u
#define SENDCP_ENCODED_LZO_4K 3u

/* Keep size and punch a hole: the only use of FALLOCATE. */
#define SENDCP_FALLOCATE_HOLE 3u

/*
 * An UPDATE_EXTENT with XATTR_NAME and XATTR_DATA of these values marks a range whose contents
 * could not be read: it has zeros, or there is no WRITE for it. Receivers ignore the command.
 */
#define SENDCP_MARK_NAME "sendcp.data_error"
#define SENDCP_MARK_ZERO "zero"
#define SENDCP_MARK_SKIP "skip"

/* Longest path, in bytes without NUL. */
#define SENDCP_PATH_MAX 4095u

/* Largest payload of a WRITE, and the largest command of each protocol. */
#define SENDCP_CHUNK_V1 49152u
#define SENDCP_CHUNK_V2 131072u
#define SENDCP_COMMAND_MAX_V1 65536u
#define SENDCP_COMMAND_MAX_V2 147456u

#endif
