// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Fuzz target: archives of sendcp's own, damaged; sums of headers and lines are put right again.
 *
 * Input: options, then the archive, which is compressed here if they say so. What must hold: a
 * checkpoint is handed out only after a segment of its place, length and digest; the file truncated
 * where unwrap_whole() says is read to just that place; the lines make a journal of the same
 * stream; and what is called complete is what libarchive extracts by itself.
 */
#include <archive.h>
#include <archive_entry.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>
#include <xxhash.h>
#include <zstd.h>

#include "container/unwrap.h"
#include "fuzzer.h"
#include "journal/format.h"
#include "patches.h"
#include "sample.h"
#include "util/json_line.h"

#define ROOM (1u << 20)
#define SUM_PREFIX ",\"sum\":\""

enum option {
	OPTION_HEADERS = 1,
	OPTION_LINES = 2,
	OPTION_ZSTD = 4,
	/* Two frames. */
	OPTION_FRAMES = 8,
};

struct archive_head {
	u8 how;
	__le16 split;
} __packed;

static u8 file[ROOM], contents[ROOM], other[ROOM];
static size_t file_size;

struct seen {
	/* Of the stream: all so far, and the end of the last segment that has its checkpoint. */
	size_t size;
	u64 segment_end;
	u64 segments;
	char lines[ROOM];
	size_t lines_size;
};

static struct seen seen;

/* In every block that looks like a header of tar. */
static void fix_headers(void)
{
	for (size_t at = 0; at + 512 <= file_size; at += 512) {
		u8 *header = file + at;
		u32 sum = 0;
		char text[8];

		if (memcmp(header + 257, "ustar", 5))
			continue;
		memset(header + 148, ' ', 8);
		for (size_t i = 0; i < 512; i++)
			sum += header[i];
		snprintf(text, sizeof(text), "%06o", sum);
		memcpy(header + 148, text, 7);
	}
}

/* The beginning of the line that a sum is in. */
static size_t line_begin(size_t at)
{
	while (at && file[at - 1] && file[at - 1] != '\n')
		at--;
	while (file[at] != '{' && file[at] != ',')
		at++;
	return at;
}

static void fix_lines(void)
{
	const size_t prefix = strlen(SUM_PREFIX);
	size_t end = file_size < prefix + 18 ? 0 : file_size - prefix - 18;

	for (size_t at = 0; at < end; at++) {
		size_t begin;
		char sum[17];

		if (memcmp(file + at, SUM_PREFIX, prefix))
			continue;
		begin = line_begin(at);
		snprintf(sum, sizeof(sum), "%016llx",
			 (unsigned long long)XXH3_64bits(file + begin, at - begin));
		memcpy(file + at + prefix, sum, 16);
	}
}

static size_t put_frame(u8 *to, size_t from, size_t size)
{
	size_t made = ZSTD_compress(to, ROOM / 2, file + from, size, 1);

	if (ZSTD_isError(made))
		abort();
	return made;
}

static void compress_file(const struct archive_head *head)
{
	size_t split = 0, size = 0;

	if (head->how & OPTION_FRAMES)
		split = sendcp_min(le16_to_cpu(head->split), file_size);
	if (split)
		size = put_frame(other, 0, split);
	size += put_frame(other + size, split, file_size - split);
	memcpy(file, other, size);
	file_size = size;
}

static void note_member(void *context, const struct unwrap_member *member)
{
	u8 said[HASH_SIZE], made[HASH_SIZE];
	u64 offset, length;

	if (member->kind == UNWRAP_CHECKPOINT) {
		hash_of(contents + seen.segment_end, seen.size - seen.segment_end, made);
		if (!json_get_hex(member->object, "xxh3_128", said, sizeof(said)) ||
		    !json_get_u64(member->object, "output_offset", &offset) ||
		    !json_get_u64(member->object, "length", &length) ||
		    memcmp(said, made, sizeof(said)) || offset != seen.segment_end ||
		    length != seen.size - seen.segment_end || member->number != ++seen.segments)
			abort();
		seen.segment_end = seen.size;
	}
	if (member->kind == UNWRAP_TRAILER)
		return;
	if (member->length >= ROOM - seen.lines_size)
		abort();
	memcpy(seen.lines + seen.lines_size, member->line, member->length);
	seen.lines_size += member->length;
	seen.lines[seen.lines_size++] = '\n';
}

/* Into @to; *@whole and *@how are what the reader says. */
static size_t read_file(const u8 *data, size_t size, u8 *to, bool watch,
			struct unwrap_place *whole, enum unwrap_how *how)
{
	int fd = memfd_create("archive", 0);
	struct unwrap *unwrap = unwrap_open_fd(fd);
	size_t filled = 0, got;

	if (fd < 0 || !unwrap || write(fd, data, size) != (ssize_t)size || lseek(fd, 0, SEEK_SET))
		abort();
	if (watch)
		unwrap_on_member(unwrap, note_member, NULL);
	/* A member is handed out by the call that comes after the last of its segment's bytes. */
	while ((got = unwrap_read(unwrap, to + filled, sendcp_min(4096, ROOM - filled)))) {
		filled += got;
		if (watch)
			seen.size = filled;
	}
	*whole = unwrap_whole(unwrap);
	*how = unwrap_ending(unwrap)->how;
	if (*how == UNWRAP_CONTINUES || whole->file > size || whole->plain > filled ||
	    unwrap_ending(unwrap)->foreign > size)
		abort();
	unwrap_close(unwrap);
	close(fd);
	return filled;
}

static void check_truncated(const struct unwrap_place *whole)
{
	struct unwrap_place again;
	enum unwrap_how how;
	size_t size;

	if (!whole->file)
		return;
	size = read_file(file, whole->file, other, false, &again, &how);
	if (how != UNWRAP_TRUNCATED || size != whole->plain || again.file != whole->file ||
	    again.plain != whole->plain || memcmp(other, contents, size))
		abort();
}

static void check_journal(void)
{
	struct journal_contents journal;
	int fd = memfd_create("journal", 0);

	if (fd < 0 || write(fd, seen.lines, seen.lines_size) != (ssize_t)seen.lines_size)
		abort();
	if (!journal_read(fd, "fuzz", &journal)) {
		if (journal.count && journal_made(&journal) > seen.segment_end)
			abort();
		for (size_t i = 0; i < journal.count; i++) {
			const struct journal_batch *batch = &journal.batches[i];
			u8 made[HASH_SIZE];

			hash_of(contents + batch->output_offset, batch->length, made);
			if (memcmp(made, batch->hash, sizeof(made)))
				abort();
		}
		journal_clear(&journal);
	}
	close(fd);
}

/* As bsdtar -xO 'stream*' does. */
static void check_extracted(size_t size)
{
	struct archive *archive = archive_read_new();
	struct archive_entry *entry;
	size_t filled = 0;
	la_ssize_t got;

	if (archive_read_support_format_tar(archive) || archive_read_support_format_cpio(archive) ||
	    archive_read_support_filter_zstd(archive) ||
	    archive_read_open_memory(archive, file, file_size))
		abort();
	while (archive_read_next_header(archive, &entry) == ARCHIVE_OK) {
		const char *name = archive_entry_pathname(entry);

		name += !strncmp(name, "./", 2) ? 2 : 0;
		if (strncmp(name, "stream.", 7))
			continue;
		while ((got = archive_read_data(archive, other + filled, ROOM - filled)) > 0)
			filled += (size_t)got;
	}
	if (filled != size || memcmp(other, contents, size))
		abort();
	archive_read_free(archive);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct archive_head head;
	struct unwrap_place whole;
	enum unwrap_how how;

	if (size < sizeof(head) || size > ROOM / 4)
		return 0;
	memcpy(&head, data, sizeof(head));
	file_size = size - sizeof(head);
	memcpy(file, data + sizeof(head), file_size);
	if (head.how & OPTION_LINES)
		fix_lines();
	if (head.how & OPTION_HEADERS)
		fix_headers();
	if (head.how & OPTION_ZSTD)
		compress_file(&head);
	seen.size = seen.segment_end = seen.segments = seen.lines_size = 0;
	size = read_file(file, file_size, contents, true, &whole, &how);
	if (seen.segments && (whole.plain > seen.segment_end ||
			      (whole.file && !(head.how & OPTION_ZSTD) &&
			       whole.plain != seen.segment_end)))
		abort();
	if (seen.segments)
		check_truncated(&whole);
	check_journal();
	if (how == UNWRAP_COMPLETE && seen.segments)
		check_extracted(size);
	return 0;
}

static size_t example(u8 *data, size_t max_size, unsigned int *random)
{
	static struct sample sample;
	struct container_spec container = { .archive = (enum archive_kind)(1 + draw(random, 2)) };
	struct archive_head head = {
		.how = (u8)draw(random, 16),
		.split = cpu_to_le16((u16)draw(random, 16384)),
	};

	sample_make(&sample, &container, random);
	if (sizeof(head) + sample.file_size > max_size)
		return 0;
	memcpy(data, &head, sizeof(head));
	memcpy(data + sizeof(head), sample.file, sample.file_size);
	return sizeof(head) + sample.file_size;
}

/* Blocks of tar removed, or put in front of others once more. */
static size_t move_blocks(u8 *data, size_t size, size_t max_size, unsigned int *random)
{
	u8 *archive = data + sizeof(struct archive_head);
	size_t length = size - sizeof(struct archive_head);
	u32 blocks = (u32)(length / 512);
	size_t from, count, to;

	if (blocks < 2)
		return size;
	from = (size_t)draw(random, blocks) * 512;
	count = (size_t)(1 + draw(random, (u32)sendcp_min(blocks - from / 512, 8))) * 512;
	if (from + count > length)
		return size;
	if (draw(random, 2)) {
		memmove(archive + from, archive + from + count, length - from - count);
		return size - count;
	}
	if (size + count > max_size)
		return size;
	to = (size_t)draw(random, blocks) * 512;
	memmove(archive + to + count, archive + to, length - to);
	/* The source may have moved. */
	memmove(archive + to, archive + (from >= to ? from + count : from), count);
	return size + count;
}

static size_t change_digit(u8 *data, size_t size, unsigned int *random)
{
	size_t at = sizeof(struct archive_head);

	at += draw(random, (u32)(size - at));
	while (at < size && (data[at] < '0' || data[at] > '9'))
		at++;
	if (at < size)
		data[at] = (u8)('0' + draw(random, 10));
	return size;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed)
{
	unsigned int random = seed;

	if (size <= sizeof(struct archive_head) || !draw(&random, 10))
		size = example(data, max_size, &random);
	if (size <= sizeof(struct archive_head))
		return 0;
	switch (draw(&random, 5)) {
	case 0:
		return move_blocks(data, size, max_size, &random);
	case 1:
		return change_digit(data, size, &random);
	case 2:
		return size - draw(&random, (u32)(size - sizeof(struct archive_head)));
	default:
		return LLVMFuzzerMutate(data, size, max_size);
	}
}
