// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Reading btrfs send streams from files: framing, CRC, and the attributes each command must have.
 */
#include "stream.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAGIC "btrfs-stream"
#define HEADER_SIZE 17
#define COMMAND_HEADER 10

static const struct {
	const char *name;
	enum kind kind;
} attributes[A_MAX + 1] = {
	{ "?", K_BYTES }, { "uuid", K_UUID }, { "ctransid", K_U64 }, { "ino", K_U64 },
	{ "size", K_U64 }, { "mode", K_U64 }, { "uid", K_U64 }, { "gid", K_U64 },
	{ "rdev", K_U64 }, { "ctime", K_TIME }, { "mtime", K_TIME }, { "atime", K_TIME },
	{ "otime", K_TIME }, { "name", K_STRING }, { "value", K_BYTES }, { "path", K_STRING },
	{ "to", K_STRING }, { "link", K_STRING }, { "offset", K_U64 }, { "data", K_BYTES },
	{ "clone_uuid", K_UUID }, { "clone_ctransid", K_U64 }, { "clone_path", K_STRING },
	{ "clone_offset", K_U64 }, { "clone_len", K_U64 }, { "fallocate_mode", K_U32 },
	{ "fileattr", K_U64 }, { "unencoded_file_len", K_U64 }, { "unencoded_len", K_U64 },
	{ "unencoded_offset", K_U64 }, { "compression", K_U32 }, { "encryption", K_U32 },
	{ "verity_algorithm", K_U8 }, { "verity_block_size", K_U32 },
	{ "verity_salt", K_BYTES }, { "verity_signature", K_BYTES },
};

/* Bytes of a value of each kind; 0: any number. */
static const size_t kind_size[] = {
	[K_U8] = 1, [K_U32] = 4, [K_U64] = 8, [K_UUID] = 16, [K_TIME] = 12,
	[K_STRING] = 0, [K_BYTES] = 0,
};

/* The attributes of each command, in the order the kernel writes them, 0 after the last. */
static const struct {
	const char *name;
	uint8_t attrs[ATTRS_MAX];
} commands[C_MAX + 1] = {
	{ "HEADER", { 0 } }, { "SUBVOL", { 15, 1, 2 } }, { "SNAPSHOT", { 15, 1, 2, 20, 21 } },
	{ "MKFILE", { 15, 3 } }, { "MKDIR", { 15, 3 } }, { "MKNOD", { 15, 3, 8, 5 } },
	{ "MKFIFO", { 15, 3, 8, 5 } }, { "MKSOCK", { 15, 3, 8, 5 } },
	{ "SYMLINK", { 15, 3, 17 } }, { "RENAME", { 15, 16 } }, { "LINK", { 15, 17 } },
	{ "UNLINK", { 15 } }, { "RMDIR", { 15 } }, { "SET_XATTR", { 15, 13, 14 } },
	{ "REMOVE_XATTR", { 15, 13 } }, { "WRITE", { 15, 18, 19 } },
	{ "CLONE", { 18, 24, 15, 20, 21, 22, 23 } }, { "TRUNCATE", { 15, 4 } },
	{ "CHMOD", { 15, 5 } }, { "CHOWN", { 15, 6, 7 } },
	{ "UTIMES", { 15, 11, 10, 9, A_OTIME } }, { "END", { 0 } },
	{ "UPDATE_EXTENT", { 15, 18, 4 } }, { "FALLOCATE", { 15, 25, 18, 4 } },
	{ "FILEATTR", { 15, 26 } },
	{ "ENCODED_WRITE", { 15, 18, 27, 28, 29, 30, A_ENCRYPTION, 19 } },
	{ "ENABLE_VERITY", { 15, 32, 33, 34, 35 } },
};

const char *attr_name(unsigned int type)
{
	return type <= A_MAX ? attributes[type].name : "?";
}

enum kind attr_kind(unsigned int type)
{
	return type <= A_MAX ? attributes[type].kind : K_BYTES;
}

const char *command_name(unsigned int type)
{
	return type <= C_MAX ? commands[type].name : "?";
}

const struct attribute *command_attr(const struct command *command, unsigned int type)
{
	for (unsigned int i = 0; i < command->attr_count; i++)
		if (command->attrs[i].type == type)
			return &command->attrs[i];
	return NULL;
}

static uint16_t get16(const uint8_t *p)
{
	uint16_t value;

	memcpy(&value, p, sizeof(value));
	return le16toh(value);
}

static uint32_t get32(const uint8_t *p)
{
	uint32_t value;

	memcpy(&value, p, sizeof(value));
	return le32toh(value);
}

uint64_t attr_u64(const struct attribute *attr)
{
	uint64_t value = 0;

	memcpy(&value, attr->value, attr->length < 8 ? attr->length : 8);
	return le64toh(value);
}

__attribute__((format(printf, 3, 4)))
static int malformed(const struct reader *reader, size_t offset, const char *fmt, ...)
{
	va_list args;

	fprintf(stderr, "%s: malformed at byte %zu (command %llu): ", reader->name, offset,
		(unsigned long long)reader->number);
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputc('\n', stderr);
	return -1;
}

static int map_file(struct reader *reader, int fd)
{
	struct stat st;
	void *map;

	if (fstat(fd, &st))
		return -1;
	reader->size = st.st_size;
	/* An empty file cannot be mapped; it is a valid file with nothing in it. */
	if (!reader->size)
		return 0;
	map = mmap(NULL, reader->size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (map == MAP_FAILED)
		return -1;
	madvise(map, reader->size, MADV_SEQUENTIAL);
	reader->data = map;
	return 0;
}

int reader_open(struct reader *reader, const char *name)
{
	int fd = open(name, O_RDONLY | O_CLOEXEC);
	int ret;

	*reader = (struct reader){ .name = name };
	ret = fd < 0 ? -1 : map_file(reader, fd);
	if (ret)
		fprintf(stderr, "%s: %s\n", name, strerror(errno));
	if (fd >= 0)
		close(fd);
	return ret;
}

void reader_close(struct reader *reader)
{
	if (reader->data)
		munmap((void *)reader->data, reader->size);
	reader->data = NULL;
}

static int next_header(struct reader *reader, struct command *command)
{
	const uint8_t *p = reader->data + reader->pos;

	if (reader->size - reader->pos < HEADER_SIZE || memcmp(p, MAGIC, sizeof(MAGIC)))
		return malformed(reader, reader->pos, "no stream header");
	reader->protocol = get32(p + sizeof(MAGIC));
	if (reader->protocol < 1 || reader->protocol > 2)
		return malformed(reader, reader->pos, "protocol %u", reader->protocol);
	*command = (struct command){
		.number = reader->number,
		.offset = reader->pos,
		.total = HEADER_SIZE,
		.type = C_HEADER,
		.protocol = reader->protocol,
		.body = p,
		.length = HEADER_SIZE,
	};
	reader->pos += HEADER_SIZE;
	reader->inside = true;
	reader->fresh = true;
	return 1;
}

static int check_crc(const struct reader *reader, const struct command *command)
{
	static const uint8_t zero[4];
	const uint8_t *p = reader->data + command->offset;
	uint32_t crc = crc32c_update(0, p, 6);

	crc = crc32c_update(crc, zero, 4);
	crc = crc32c_update(crc, command->body, command->length);
	if (crc != get32(p + 6))
		return malformed(reader, command->offset, "CRC of %s is %08x, should be %08x",
				 command_name(command->type), get32(p + 6), crc);
	return 0;
}

/* Cuts one attribute off at *@pos of the command's body. */
static int split_attr(const struct reader *reader, struct command *command, size_t *pos)
{
	struct attribute *attr = &command->attrs[command->attr_count];
	size_t left = command->length - *pos;
	size_t head = 4;
	const uint8_t *p = command->body + *pos;

	if (left < 2 || command->attr_count == ATTRS_MAX)
		return malformed(reader, command->offset, "attributes do not fill the command");
	attr->type = get16(p);
	/* In protocol 2 DATA has no length field and reaches to the command's end. */
	if (attr->type == A_DATA && command->protocol >= 2) {
		head = 2;
		attr->length = left - head;
	} else {
		attr->length = left < head ? left : get16(p + 2);
	}
	if (left < head || attr->length > left - head)
		return malformed(reader, command->offset, "attribute %u is cut", attr->type);
	attr->value = p + head;
	*pos += head + attr->length;
	command->attr_count++;
	return 0;
}

/* Optional by protocol or by extent type; all others are always there. */
static bool may_lack(const struct command *command, unsigned int type)
{
	return type == A_ENCRYPTION || (type == A_OTIME && command->protocol < 2);
}

static int check_attrs(const struct reader *reader, const struct command *command)
{
	const uint8_t *want = commands[command->type].attrs;
	unsigned int n = 0;

	for (int i = 0; i < ATTRS_MAX && want[i]; i++) {
		const struct attribute *attr = &command->attrs[n];
		size_t size = kind_size[attr_kind(want[i])];

		if (n == command->attr_count || attr->type != want[i]) {
			if (may_lack(command, want[i]))
				continue;
			return malformed(reader, command->offset, "%s lacks %s in its place",
					 command_name(command->type), attr_name(want[i]));
		}
		if (size && attr->length != size)
			return malformed(reader, command->offset, "%s: %s has %zu bytes",
					 command_name(command->type), attr_name(want[i]),
					 attr->length);
		n++;
	}
	if (n != command->attr_count)
		return malformed(reader, command->offset, "%s has an attribute too many",
				 command_name(command->type));
	return 0;
}

static int split_body(const struct reader *reader, struct command *command)
{
	const struct attribute *data;
	size_t pos = 0;

	while (pos < command->length)
		if (split_attr(reader, command, &pos))
			return -1;
	if (check_attrs(reader, command))
		return -1;
	data = command_attr(command, A_DATA);
	if (command->type == C_WRITE && (!data || !data->length))
		return malformed(reader, command->offset, "WRITE without data");
	return 0;
}

/* A stream names its subvolume first; with several in one stream each does so at its beginning. */
static int check_place(struct reader *reader, const struct command *command)
{
	bool names = command->type == C_SUBVOL || command->type == C_SNAPSHOT;

	if (reader->fresh && !names)
		return malformed(reader, command->offset, "stream begins with %s",
				 command_name(command->type));
	reader->fresh = false;
	if (command->type == C_END)
		reader->inside = false;
	return 0;
}

static int next_command(struct reader *reader, struct command *command)
{
	size_t left = reader->size - reader->pos;
	const uint8_t *p = reader->data + reader->pos;

	reader->number++;
	if (reader->may_stop && (left < COMMAND_HEADER || get32(p) > left - COMMAND_HEADER))
		return 0;
	if (left < COMMAND_HEADER)
		return malformed(reader, reader->pos, "file ends inside a stream");
	*command = (struct command){
		.number = reader->number,
		.offset = reader->pos,
		.type = get16(p + 4),
		.protocol = reader->protocol,
		.body = p + COMMAND_HEADER,
		.length = get32(p),
	};
	command->total = COMMAND_HEADER + command->length;
	if (command->length > left - COMMAND_HEADER)
		return malformed(reader, reader->pos, "file ends inside a command");
	if (command->type < 1 || command->type > C_MAX)
		return malformed(reader, reader->pos, "unknown command %u", command->type);
	if (check_crc(reader, command) || split_body(reader, command) ||
	    check_place(reader, command))
		return -1;
	reader->pos += command->total;
	return 1;
}

int reader_next(struct reader *reader, struct command *command)
{
	if (reader->inside)
		return next_command(reader, command);
	if (reader->pos == reader->size)
		return 0;
	return next_header(reader, command);
}
