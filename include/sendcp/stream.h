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

#define SCP_STREAM_MAGIC "btrfs-stream"	/* stored with its NUL: 13 bytes */
#define SCP_STREAM_MAGIC_SIZE 13u
#define SCP_STREAM_HEADER_SIZE 17u

struct scp_command_header {
	/* Bytes after this header. */
	__le32 length;
	__le16 command;
	__le32 crc;
} __packed;

#define SCP_COMMAND_HEADER_SIZE 10u
#define SCP_ATTR_HEADER_SIZE 4u
/* The attribute DATA in protocol 2: a type and no length. */
#define SCP_ATTR_TYPE_SIZE 2u

enum scp_command {
	SCP_C_SUBVOL = 1,
	SCP_C_SNAPSHOT = 2,
	SCP_C_MKFILE = 3,
	SCP_C_MKDIR = 4,
	SCP_C_MKNOD = 5,
	SCP_C_MKFIFO = 6,
	SCP_C_MKSOCK = 7,
	SCP_C_SYMLINK = 8,
	SCP_C_RENAME = 9,
	SCP_C_LINK = 10,
	SCP_C_UNLINK = 11,
	SCP_C_RMDIR = 12,
	SCP_C_SET_XATTR = 13,
	SCP_C_REMOVE_XATTR = 14,
	SCP_C_WRITE = 15,
	SCP_C_CLONE = 16,
	SCP_C_TRUNCATE = 17,
	SCP_C_CHMOD = 18,
	SCP_C_CHOWN = 19,
	SCP_C_UTIMES = 20,
	SCP_C_END = 21,
	SCP_C_UPDATE_EXTENT = 22,
	SCP_C_FALLOCATE = 23,
	SCP_C_FILEATTR = 24,
	SCP_C_ENCODED_WRITE = 25,
	SCP_C_ENABLE_VERITY = 26,
};

enum scp_attribute {
	SCP_A_UUID = 1,
	SCP_A_CTRANSID = 2,
	SCP_A_INO = 3,
	SCP_A_SIZE = 4,
	SCP_A_MODE = 5,
	SCP_A_UID = 6,
	SCP_A_GID = 7,
	SCP_A_RDEV = 8,
	SCP_A_CTIME = 9,
	SCP_A_MTIME = 10,
	SCP_A_ATIME = 11,
	SCP_A_OTIME = 12,
	SCP_A_XATTR_NAME = 13,
	SCP_A_XATTR_DATA = 14,
	SCP_A_PATH = 15,
	SCP_A_PATH_TO = 16,
	SCP_A_PATH_LINK = 17,
	SCP_A_FILE_OFFSET = 18,
	SCP_A_DATA = 19,
	SCP_A_CLONE_UUID = 20,
	SCP_A_CLONE_CTRANSID = 21,
	SCP_A_CLONE_PATH = 22,
	SCP_A_CLONE_OFFSET = 23,
	SCP_A_CLONE_LEN = 24,
	SCP_A_FALLOCATE_MODE = 25,
	SCP_A_FILEATTR = 26,
	SCP_A_UNENCODED_FILE_LEN = 27,
	SCP_A_UNENCODED_LEN = 28,
	SCP_A_UNENCODED_OFFSET = 29,
	SCP_A_COMPRESSION = 30,
	SCP_A_ENCRYPTION = 31,
	SCP_A_VERITY_ALGORITHM = 32,
	SCP_A_VERITY_BLOCK_SIZE = 33,
	SCP_A_VERITY_SALT_DATA = 34,
	SCP_A_VERITY_SIG_DATA = 35,
};

/* Values of COMPRESSION. LZO's number depends on the sector size: 3 for 4 KiB, 4 for 8 KiB ... */
#define SCP_ENCODED_ZLIB 1u
#define SCP_ENCODED_ZSTD 2u
#define SCP_ENCODED_LZO_4K 3u

/* Keep size and punch a hole: the only use of FALLOCATE. */
#define SCP_FALLOCATE_HOLE 3u

/* Longest path, in bytes without NUL. */
#define SCP_PATH_MAX 4095u

/* Largest payload of a WRITE, and the largest command of each protocol. */
#define SCP_CHUNK_V1 49152u
#define SCP_CHUNK_V2 131072u
#define SCP_COMMAND_MAX_V1 65536u
#define SCP_COMMAND_MAX_V2 147456u

#endif
