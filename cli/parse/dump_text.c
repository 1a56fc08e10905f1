// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Commands as btrfs receive --dump prints them.
 *
 * The layout is that of btrfs-progs, so that scripts and eyes used to it need no other. But names
 * that would break the line are not printed raw, nor numbers in the wrong base, as they are there.
 */
#include <inttypes.h>
#include <time.h>

#include "parse/dump.h"
#include "parse/mark.h"
#include "util/text.h"

#define NAME_COLUMN 16
#define PATH_COLUMN 32

/* Prints one byte so that it stays on the line; returns the characters printed. */
static int put_byte(u8 byte, bool escape_space, FILE *to)
{
	static const char letters[] = { ['\a'] = 'a', ['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n',
					['\v'] = 'v', ['\f'] = 'f', ['\r'] = 'r', [27] = 'e' };

	if (byte == '\\' || (byte == ' ' && escape_space))
		return fprintf(to, "\\%c", byte);
	if (byte < sizeof(letters) && letters[byte])
		return fprintf(to, "\\%c", letters[byte]);
	if (byte < ' ' || byte >= 0x7f)
		return fprintf(to, "\\%03o", byte);
	putc(byte, to);
	return 1;
}

static int put_bytes(const u8 *bytes, size_t size, bool escape_space, FILE *to)
{
	int length = 0;

	for (size_t i = 0; i < size; i++)
		length += put_byte(bytes[i], escape_space, to);
	return length;
}

/* "./SUBVOLUME/path"; of the subvolume itself with a slash at its end. */
static int put_path(const struct stream_dump *dump, const struct stream_attribute *path, FILE *to)
{
	int length = fprintf(to, "./");

	length += put_bytes(dump->name, dump->name_length, true, to);
	length += fprintf(to, "/");
	return length + put_bytes(path->value, path->length, true, to);
}

static u64 number(const struct stream_command *command, u32 type)
{
	return stream_attribute_u64(stream_attribute(command, type));
}

static void put_uuid(const char *key, const struct stream_command *command, u32 type, FILE *to)
{
	char text[UUID_TEXT_SIZE];

	sendcp_uuid_text(stream_attribute(command, type)->value, text);
	fprintf(to, "%s=%s", key, text);
}

/* Local time; seconds where no calendar has it. */
static void put_time(const char *key, const struct stream_command *command, u32 type, FILE *to)
{
	time_t seconds = (time_t)number(command, type);
	struct tm parts;
	char text[64];

	if (localtime_r(&seconds, &parts) && strftime(text, sizeof(text), "%FT%T%z", &parts))
		fprintf(to, "%s=%s", key, text);
	else
		fprintf(to, "%s=%" PRId64, key, (int64_t)seconds);
}

static void put_subvolume(const struct stream_command *command, FILE *to)
{
	put_uuid("uuid", command, SENDCP_A_UUID, to);
	fprintf(to, " transid=%llu", number(command, SENDCP_A_CTRANSID));
	if (command->type == SENDCP_C_SUBVOL)
		return;
	put_uuid(" parent_uuid", command, SENDCP_A_CLONE_UUID, to);
	fprintf(to, " parent_transid=%llu", number(command, SENDCP_A_CLONE_CTRANSID));
}

static void put_xattr(const struct stream_command *command, FILE *to)
{
	const struct stream_attribute *name = stream_attribute(command, SENDCP_A_XATTR_NAME);
	const struct stream_attribute *data = stream_attribute(command, SENDCP_A_XATTR_DATA);

	fputs("name=", to);
	put_bytes(name->value, name->length, false, to);
	if (!data)
		return;
	fputs(" data=", to);
	put_bytes(data->value, data->length, false, to);
	fprintf(to, " len=%u", data->length);
}

static void put_clone(const struct stream_dump *dump, const struct stream_command *command,
		      FILE *to)
{
	fprintf(to, "offset=%llu len=%llu from=", number(command, SENDCP_A_FILE_OFFSET),
		number(command, SENDCP_A_CLONE_LEN));
	put_path(dump, stream_attribute(command, SENDCP_A_CLONE_PATH), to);
	fprintf(to, " clone_offset=%llu", number(command, SENDCP_A_CLONE_OFFSET));
}

static void put_encoded(const struct stream_command *command, FILE *to)
{
	const struct stream_attribute *encryption = stream_attribute(command, SENDCP_A_ENCRYPTION);

	fprintf(to, "offset=%llu len=%u, unencoded_file_len=%llu, unencoded_len=%llu, "
		"unencoded_offset=%llu, compression=%llu, encryption=%llu",
		number(command, SENDCP_A_FILE_OFFSET), stream_attribute(command,
									SENDCP_A_DATA)->length,
		number(command, SENDCP_A_UNENCODED_FILE_LEN),
		number(command, SENDCP_A_UNENCODED_LEN), number(command, SENDCP_A_UNENCODED_OFFSET),
		number(command, SENDCP_A_COMPRESSION), encryption ?
		stream_attribute_u64(encryption) : 0);
}

static void put_times(const struct stream_command *command, FILE *to)
{
	put_time("atime", command, SENDCP_A_ATIME, to);
	put_time(" mtime", command, SENDCP_A_MTIME, to);
	put_time(" ctime", command, SENDCP_A_CTIME, to);
}

static void put_update(const struct stream_command *command, FILE *to)
{
	static const char *const marks[] = {
		[MARK_NONE] = "",
		[MARK_ZERO] = " unreadable: zeros",
		[MARK_SKIP] = " unreadable: not sent",
		[MARK_WRONG] = " unknown mark",
	};

	fprintf(to, "offset=%llu len=%llu%s", number(command, SENDCP_A_FILE_OFFSET),
		number(command, SENDCP_A_SIZE), marks[stream_mark(command)]);
}

static void put_verity(const struct stream_command *command, FILE *to)
{
	fprintf(to, "algorithm=%llu block_size=%llu salt_len=%u sig_len=%u",
		number(command, SENDCP_A_VERITY_ALGORITHM), number(command,
								   SENDCP_A_VERITY_BLOCK_SIZE),
		stream_attribute(command, SENDCP_A_VERITY_SALT_DATA)->length,
		stream_attribute(command, SENDCP_A_VERITY_SIG_DATA)->length);
}

static void put_link(const struct stream_command *command, FILE *to)
{
	const struct stream_attribute *link = stream_attribute(command, SENDCP_A_PATH_LINK);

	fputs("dest=", to);
	put_bytes(link->value, link->length, true, to);
}

/* The rest of the line, after the path, of those commands that have one. */
static void put_rest(const struct stream_dump *dump, const struct stream_command *command,
		     FILE *to)
{
	switch (command->type) {
	case SENDCP_C_SUBVOL:
	case SENDCP_C_SNAPSHOT:
		put_subvolume(command, to);
		break;
	case SENDCP_C_MKNOD:
		fprintf(to, "mode=%llo dev=0x%llx", number(command, SENDCP_A_MODE),
			number(command, SENDCP_A_RDEV));
		break;
	case SENDCP_C_SYMLINK:
	case SENDCP_C_LINK:
		put_link(command, to);
		break;
	case SENDCP_C_RENAME:
		fputs("dest=", to);
		put_path(dump, stream_attribute(command, SENDCP_A_PATH_TO), to);
		break;
	case SENDCP_C_SET_XATTR:
	case SENDCP_C_REMOVE_XATTR:
		put_xattr(command, to);
		break;
	case SENDCP_C_WRITE:
		fprintf(to, "offset=%llu len=%u", number(command, SENDCP_A_FILE_OFFSET),
			stream_attribute(command, SENDCP_A_DATA)->length);
		break;
	case SENDCP_C_CLONE:
		put_clone(dump, command, to);
		break;
	case SENDCP_C_TRUNCATE:
		fprintf(to, "size=%llu", number(command, SENDCP_A_SIZE));
		break;
	case SENDCP_C_CHMOD:
		fprintf(to, "mode=%llo", number(command, SENDCP_A_MODE));
		break;
	case SENDCP_C_CHOWN:
		fprintf(to, "gid=%llu uid=%llu", number(command, SENDCP_A_GID),
			number(command, SENDCP_A_UID));
		break;
	case SENDCP_C_UTIMES:
		put_times(command, to);
		break;
	case SENDCP_C_UPDATE_EXTENT:
		put_update(command, to);
		break;
	case SENDCP_C_FALLOCATE:
		fprintf(to, "mode=%llu offset=%llu len=%llu",
			number(command, SENDCP_A_FALLOCATE_MODE),
			number(command, SENDCP_A_FILE_OFFSET), number(command, SENDCP_A_SIZE));
		break;
	case SENDCP_C_FILEATTR:
		fprintf(to, "fileattr=0x%llx", number(command, SENDCP_A_FILEATTR));
		break;
	case SENDCP_C_ENCODED_WRITE:
		put_encoded(command, to);
		break;
	case SENDCP_C_ENABLE_VERITY:
		put_verity(command, to);
		break;
	}
}

static bool path_alone(u32 command)
{
	return command == SENDCP_C_MKFILE || command == SENDCP_C_MKDIR ||
	       command == SENDCP_C_MKFIFO || command == SENDCP_C_MKSOCK ||
	       command == SENDCP_C_UNLINK || command == SENDCP_C_RMDIR;
}

static void remember_name(struct stream_dump *dump, const struct stream_attribute *path)
{
	dump->name_length = sendcp_min(path->length, sizeof(dump->name));
	memcpy(dump->name, path->value, dump->name_length);
}

void stream_dump_text(struct stream_dump *dump, const struct stream_command *command, FILE *to)
{
	const struct stream_attribute *path = stream_attribute(command, SENDCP_A_PATH);
	int length;

	if (!command->type || command->type == SENDCP_C_END)
		return;
	fprintf(to, "%-*s", NAME_COLUMN, stream_command_info(command->type)->name);
	if (command->type == SENDCP_C_SUBVOL || command->type == SENDCP_C_SNAPSHOT) {
		remember_name(dump, path);
		length = fprintf(to, "./") + put_bytes(path->value, path->length, true, to);
	} else {
		length = put_path(dump, path, to);
	}
	if (!path_alone(command->type)) {
		fprintf(to, "%*s", length < PATH_COLUMN ? PATH_COLUMN - length : 1, "");
		put_rest(dump, command, to);
	}
	putc('\n', to);
}
