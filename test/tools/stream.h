/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading btrfs send streams from files, for the test tools.
 *
 * Written without a look at the engine's own encoder: the tables here are a second, independent
 * statement of the format, so that a mistake in one does not hide in the other.
 */
#ifndef TEST_STREAM_H
#define TEST_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum {
	C_HEADER = 0,	/* Not a command: the 17 bytes at a stream's beginning. */
	C_SUBVOL = 1,
	C_SNAPSHOT = 2,
	C_RENAME = 9,
	C_RMDIR = 12,
	C_SET_XATTR = 13,
	C_WRITE = 15,
	C_CLONE = 16,
	C_TRUNCATE = 17,
	C_UTIMES = 20,
	C_END = 21,
	C_UPDATE_EXTENT = 22,
	C_ENCODED_WRITE = 25,
	C_MAX = 26,
};

enum {
	A_SIZE = 4,
	A_OTIME = 12,
	A_XATTR_NAME = 13,
	A_PATH = 15,
	A_PATH_TO = 16,
	A_PATH_LINK = 17,
	A_FILE_OFFSET = 18,
	A_DATA = 19,
	A_ENCRYPTION = 31,
	A_MAX = 35,
};

/* The type of an attribute's value. */
enum kind { K_U8, K_U32, K_U64, K_UUID, K_TIME, K_STRING, K_BYTES };

#define ATTRS_MAX 12

struct attribute {
	unsigned int type;
	size_t length;
	const uint8_t *value;
};

struct command {
	/* Counted over the whole file from 1; headers are not counted. */
	uint64_t number;
	/* Its offset in the file, and all its bytes there. */
	size_t offset;
	size_t total;
	unsigned int type;
	unsigned int protocol;
	const uint8_t *body;
	size_t length;
	unsigned int attr_count;
	struct attribute attrs[ATTRS_MAX];
};

/* A whole file, mapped, and the place in it. */
struct reader {
	const char *name;
	const uint8_t *data;
	size_t size;
	size_t pos;
	uint64_t number;
	unsigned int protocol;
	/* Between a header and its END. */
	bool inside;
	/* The next command must say which subvolume it is about. */
	bool fresh;
	/* Set by the caller: the file may end inside a stream, as after a sender's failure. */
	bool may_stop;
};

/* 0, or -1 with a message on stderr. */
int reader_open(struct reader *reader, const char *name);
void reader_close(struct reader *reader);

/*
 * The next command or header, its CRC and its attributes checked against the format. 1, 0 at the
 * end of the file, -1 with a message on stderr when the stream is malformed there.
 */
int reader_next(struct reader *reader, struct command *command);

/* NULL if the command has no such attribute. */
const struct attribute *command_attr(const struct command *command, unsigned int type);
uint64_t attr_u64(const struct attribute *attr);

/* Name and value kind of an attribute, name of a command; "?" if there is none. */
const char *attr_name(unsigned int type);
enum kind attr_kind(unsigned int type);
const char *command_name(unsigned int type);

/* One line (without newline) that says all about a command except its data. */
void command_print(FILE *out, const struct command *command);

uint32_t crc32c_update(uint32_t crc, const void *data, size_t size);

#endif
