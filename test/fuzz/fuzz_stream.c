// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Fuzz target: stored streams. They are made from scripts, so that framing, sums and digests are
 * right and the code after those checks is reached; then a few bytes are changed after all.
 *
 * Input: options, how many patches, patches, then a script of commands; of an archive a script of
 * members, and in each segment one of commands.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>
#include <xxhash.h>
#include <zstd.h>

#include "commands/verify_marks.h"
#include "container/layout.h"
#include "fuzzer.h"
#include "parse/check.h"
#include "parse/dump.h"

#define FILE_MAX (1u << 20)
#define PATCHES 3u

enum option {
	OPTION_ARCHIVE = 1,
	OPTION_CPIO = 2,
	OPTION_ZSTD = 4,
	/* A frame after each member. */
	OPTION_FRAMES = 8,
	OPTION_CUT = 16,
	OPTION_RAW = 32,
};

struct patch {
	u8 offset[3];
	u8 change;
} __packed;

struct member {
	u8 kind;
	u8 number;
	u8 size[2];
} __packed;

static u8 file[FILE_MAX];
static size_t file_size;
static FILE *nowhere;

static void put(const void *bytes, size_t size)
{
	if (size > FILE_MAX - file_size)
		size = FILE_MAX - file_size;
	memcpy(file + file_size, bytes, size);
	file_size += size;
}

static void pad(size_t unit)
{
	while (file_size % unit && file_size < FILE_MAX)
		file[file_size++] = 0;
}

/* A script, and the position in it; after its end are zeros. */
struct script {
	const u8 *at;
	size_t left;
};

static u8 next_byte(struct script *script)
{
	if (!script->left)
		return 0;
	script->left--;
	return *script->at++;
}

/* A stream that is being made. */
struct made {
	u8 bytes[1u << 16];
	size_t size;
	u32 protocol;
};

static void add(struct made *made, u8 byte)
{
	if (made->size < sizeof(made->bytes))
		made->bytes[made->size++] = byte;
}

static void add_u32(struct made *made, u32 value)
{
	for (int i = 0; i < 4; i++)
		add(made, (u8)(value >> 8 * i));
}

enum how {
	/* All that the command needs and nothing else, or a list. */
	HOW_LIST = 128,
	HOW_COUNT = 7,
	/* Numbers below 64 Ki. */
	HOW_SMALL = 64,
	/* An UPDATE_EXTENT is the mark of a range that could not be read. */
	HOW_MARK = 32,
};

static void add_attribute(struct made *made, struct script *script, u32 type, u8 how)
{
	const struct stream_attribute_info *info = stream_attribute_info(type);
	u32 size = info ? stream_value_size(info->value) : 0;
	bool number = size && size <= 8;

	if (!size)
		size = next_byte(script) % 40;
	add(made, (u8)type);
	add(made, 0);
	if (type != SENDCP_A_DATA || made->protocol < 2) {
		add(made, (u8)size);
		add(made, 0);
	}
	for (u32 i = 0; i < size; i++)
		add(made, number && how & HOW_SMALL && i > 1 ? 0 : next_byte(script));
}

static void add_text(struct made *made, u32 type, const char *text)
{
	add(made, (u8)type);
	add(made, 0);
	add(made, (u8)strlen(text));
	add(made, 0);
	while (*text)
		add(made, (u8)*text++);
}

static void add_attributes(struct made *made, struct script *script, u32 command, u8 how)
{
	const struct stream_command_info *info = stream_command_info(command);
	u64 wanted = info ? info->required : 0;

	if (how & HOW_LIST) {
		for (u32 i = 0; i < (how & HOW_COUNT); i++)
			add_attribute(made, script, next_byte(script) % 38, how);
		return;
	}
	for (u32 type = 1; type <= STREAM_ATTRIBUTE_LAST; type++)
		if (wanted & 1ULL << type && type != SENDCP_A_DATA)
			add_attribute(made, script, type, how);
	/* It must be the last. */
	if (wanted & 1ULL << SENDCP_A_DATA)
		add_attribute(made, script, SENDCP_A_DATA, how);
	if (command != SENDCP_C_UPDATE_EXTENT || !(how & HOW_MARK))
		return;
	add_text(made, SENDCP_A_XATTR_NAME, SENDCP_MARK_NAME);
	add_text(made, SENDCP_A_XATTR_DATA, how & 1 ? SENDCP_MARK_ZERO : SENDCP_MARK_SKIP);
}

static void add_command(struct made *made, struct script *script)
{
	size_t start = made->size;
	u8 command = next_byte(script) % 29;
	__le32 value;

	add_u32(made, 0);
	add(made, command);
	add(made, 0);
	add_u32(made, 0);
	add_attributes(made, script, command, next_byte(script));
	if (made->size - start < SENDCP_COMMAND_HEADER_SIZE)
		return;
	value = cpu_to_le32((u32)(made->size - start) - SENDCP_COMMAND_HEADER_SIZE);
	memcpy(made->bytes + start, &value, sizeof(value));
	value = cpu_to_le32(sendcp_crc32c(0, made->bytes + start, made->size - start));
	memcpy(made->bytes + start + 6, &value, sizeof(value));
}

/* A script's first byte says whether a header comes first. END is a command like the others. */
static void make_stream(struct made *made, const u8 *data, size_t size)
{
	struct script script = { data, size };
	u8 first = next_byte(&script);

	made->size = 0;
	if (first & 4) {
		made->protocol = first & 3;
		for (u32 i = 0; i < SENDCP_STREAM_MAGIC_SIZE; i++)
			add(made, (u8)SENDCP_STREAM_MAGIC[i]);
		add_u32(made, made->protocol);
	}
	while (script.left)
		add_command(made, &script);
}

static void put_tar_header(const char *name, size_t size)
{
	char header[512] = { 0 };
	u32 sum = 0;

	snprintf(header, 100, "%s", name);
	snprintf(header + 100, 8, "%07o", 0600);
	snprintf(header + 124, 12, "%011zo", size);
	memset(header + 148, ' ', 8);
	header[156] = '0';
	memcpy(header + 257, "ustar\00000", 8);
	for (size_t i = 0; i < sizeof(header); i++)
		sum += (u8)header[i];
	snprintf(header + 148, 8, "%06o", sum);
	put(header, sizeof(header));
}

static void put_cpio_header(const char *name, size_t size)
{
	char header[128];

	snprintf(header, sizeof(header), "070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x"
		 "%08x", 1, 0100600, 0, 0, 1, 0, (u32)size, 0, 0, 0, 0, (u32)strlen(name) + 1, 0);
	put(header, 110);
	put(name, strlen(name) + 1);
	pad(4);
}

static void put_member(bool cpio, const char *name, const void *bytes, size_t size)
{
	if (cpio)
		put_cpio_header(name, size);
	else
		put_tar_header(name, size);
	put(bytes, size);
	pad(cpio ? 4 : 512);
}

static void put_line(bool cpio, const char *name, const char *text)
{
	char line[512];

	snprintf(line, sizeof(line), "%s,\"sum\":\"%016llx\"}\n", text,
		 (unsigned long long)XXH3_64bits(text, strlen(text)));
	put_member(cpio, name, line, strlen(line));
}

/* The numbers in the lines, once they are right. */
struct totals {
	u64 offset;
	u64 length;
	XXH128_hash_t hash;
};

static void put_segment(bool cpio, const char *name, const u8 *script, size_t size,
			struct totals *totals)
{
	static struct made made;

	make_stream(&made, script, size);
	put_member(cpio, name, made.bytes, made.size);
	totals->offset += totals->length;
	totals->length = made.size;
	totals->hash = XXH3_128bits(made.bytes, made.size);
}

static void put_kind(bool cpio, const struct member *member, const u8 *bytes, size_t size,
		     struct totals *totals)
{
	char name[64], line[256];

	switch (member->kind & 7) {
	case 0:
		put_line(cpio, LAYOUT_MANIFEST, "{\"sendcp_journal\":1");
		break;
	case 1:
	case 2:
		snprintf(name, sizeof(name), LAYOUT_STREAM LAYOUT_NUMBER, (u64)member->number);
		put_segment(cpio, name, bytes, size, totals);
		break;
	case 3:
	case 4:
		snprintf(name, sizeof(name), LAYOUT_CHECKPOINT LAYOUT_NUMBER, (u64)member->number);
		snprintf(line, sizeof(line), "{\"type\":\"batch\",\"output_offset\":%llu,"
			 "\"length\":%llu,\"xxh3_128\":\"%016llx%016llx\"", totals->offset,
			 totals->length, (u64)totals->hash.high64, (u64)totals->hash.low64);
		put_line(cpio, name, line);
		break;
	case 5:
		snprintf(line, sizeof(line), "{\"type\":\"complete\",\"output_offset\":%llu",
			 totals->offset + totals->length);
		put_line(cpio, LAYOUT_COMPLETE, line);
		break;
	default:
		snprintf(name, sizeof(name), "%.*s", (int)sendcp_min(size, 60),
			 (const char *)bytes);
		put_member(cpio, name, bytes, size);
	}
}

/* Replaces the file from @from on by a frame of it. */
static void compress_from(size_t from)
{
	static u8 frame[FILE_MAX + 4096];
	size_t size = ZSTD_compress(frame, sizeof(frame), file + from, file_size - from, 1);

	file_size = from;
	if (!ZSTD_isError(size))
		put(frame, size);
}

static void make_archive(u8 options, const u8 *data, size_t size)
{
	bool cpio = options & OPTION_CPIO;
	struct totals totals = { .offset = 0 };
	struct member member;
	size_t from = 0;

	while (size >= sizeof(member)) {
		size_t length;

		memcpy(&member, data, sizeof(member));
		data += sizeof(member);
		size -= sizeof(member);
		length = sendcp_min(size, member.size[0] | (member.size[1] & 15) << 8);
		put_kind(cpio, &member, data, length, &totals);
		data += length;
		size -= length;
		if (options & OPTION_ZSTD && options & OPTION_FRAMES) {
			compress_from(from);
			from = file_size;
		}
	}
	if (cpio)
		put_cpio_header("TRAILER!!!", 0);
	else
		put((u8[1024]){ 0 }, 1024);
	if (options & OPTION_ZSTD)
		compress_from(from);
}

static void make_file(u8 options, const u8 *data, size_t size)
{
	static struct made made;

	file_size = 0;
	if (options & OPTION_ARCHIVE) {
		make_archive(options, data, size);
		return;
	}
	make_stream(&made, data, size);
	if (options & OPTION_RAW)
		put(data, size);
	else
		put(made.bytes, made.size);
	if (options & OPTION_ZSTD)
		compress_from(0);
}

static void change(const struct patch *patch)
{
	u32 offset = patch->offset[0] | patch->offset[1] << 8 | (patch->offset[2] & 7) << 16;

	if (file_size)
		file[offset % file_size] ^= patch->change;
}

static void check_marks(struct verify_marks *marks, struct replaced_list *scanned)
{
	verify_marks_end(marks);
	if (marks->list.count > REPLACED_RANGES_MAX || scanned->count > REPLACED_RANGES_MAX ||
	    marks->list.bytes != scanned->bytes)
		abort();
	verify_marks_clear(marks);
	replaced_clear(scanned);
}

static void use(struct stream_reader *reader, bool strict)
{
	struct replaced_list scanned = { .count = 0 };
	struct verify_marks marks = { .file = NULL };
	struct stream_check check = { .streams = 0 };
	struct stream_dump dump = { .name_length = 0 };
	const struct stream_command *command;
	u64 offset = 0;

	while ((command = stream_next(reader))) {
		if (command->offset != offset)
			abort();
		offset += command->size;
		if (command->type && !stream_check_attributes(reader, command))
			break;
		stream_dump_text(&dump, command, nowhere);
		stream_dump_json(command, nowhere);
		if (!strict)
			continue;
		if (!stream_check(&check, reader, command))
			break;
		verify_marks_look(&marks, command);
		replaced_scan(&scanned, marks.subvolume, command->bytes, command->size);
	}
	check_marks(&marks, &scanned);
	if (stream_next(reader) || stream_how(reader) == STREAM_GOING_ON ||
	    stream_whole(reader) > offset)
		abort();
}

static void read_file(bool strict)
{
	int fd = memfd_create("stream", 0);
	struct unwrap *unwrap = unwrap_open_fd(fd);
	struct stream_reader *reader = stream_reader_new(unwrap);
	u64 unit;

	if (fd < 0 || !unwrap || !reader || write(fd, file, file_size) != (ssize_t)file_size ||
	    lseek(fd, 0, SEEK_SET))
		abort();
	use(reader, strict);
	unit = stream_unit(reader).plain;
	if (unit > unwrap_ending(unwrap)->at.plain || stream_unit(reader).file > file_size)
		abort();
	stream_reader_free(reader);
	unwrap_close(unwrap);
	close(fd);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	nowhere = fopen("/dev/null", "w");
	return nowhere ? 0 : -1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct patch patch;
	u8 options, patches;

	if (size < 2 + PATCHES * sizeof(patch))
		return 0;
	options = data[0];
	patches = data[1] % (PATCHES + 1);
	make_file(options, data + 2 + PATCHES * sizeof(patch), size - 2 - PATCHES * sizeof(patch));
	for (u8 i = 0; i < patches; i++) {
		memcpy(&patch, data + 2 + i * sizeof(patch), sizeof(patch));
		change(&patch);
	}
	memcpy(&patch, data + 2, sizeof(patch));
	if (options & OPTION_CUT && file_size)
		file_size = (patch.offset[0] | patch.offset[1] << 8) % file_size;
	read_file(data[1] & 128);
	return 0;
}

/* A subvolume, a file, something written, END; alone or as an archive's segment. */
static size_t example(uint8_t *data, bool archive)
{
	static const u8 stream[] = "\6"
		"\1\100" "0123456789abcdef" "12" "\1" "s"
		"\3\100" "12" "\1" "f"
		"\17\100" "\1" "f" "12" "\3" "abc"
		"\25\0";
	static const u8 head[] = "\0\0\0\0" "\1\1";
	static const u8 tail[] = "\3\1\0\0" "\5\0\0";
	size_t at = 2 + PATCHES * sizeof(struct patch);

	memset(data, 0, at);
	data[0] = archive ? OPTION_ARCHIVE : 0;
	data[1] = 128;
	if (archive) {
		memcpy(data + at, head, sizeof(head) - 1);
		at += sizeof(head) - 1;
		data[at++] = sizeof(stream) - 1;
		data[at++] = 0;
	}
	memcpy(data + at, stream, sizeof(stream) - 1);
	at += sizeof(stream) - 1;
	if (!archive)
		return at;
	memcpy(data + at, tail, sizeof(tail));
	return at + sizeof(tail);
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed)
{
	if ((size < 16 || seed % 1000 == 0) && max_size >= 512)
		return example(data, seed / 1000 & 1);
	return LLVMFuzzerMutate(data, size, max_size);
}
