// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Fuzz target: resume --append of any file without a journal, beside the engine, up to where the
 * send itself begins.
 *
 * Input: options, patches of a stream, bytes after it. Commands have right checksums again after
 * the patches, unless the options say not. What must hold when the stream is to be resumed: the
 * file that is left, and the bytes that are known besides, are the beginning of a stream that the
 * engine makes. If the file is refused, not one byte of it has changed.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>
#include <zstd.h>

#include <sendcp/stream.h>

#include "commands/command.h"
#include "commands/options.h"
#include "fuzzer.h"
#include "image.h"
#include "patches.h"
#include "paths.h"
#include "resume/append/append.h"
#include "util/alloc.h"
#include "util/message.h"

#define ROOM (1u << 20)
#define STREAMS 4u
#define CHANGES_MAX 16u

enum how {
	HOW_ZSTD = 4,
	/* Checksums stay wrong. */
	HOW_WRONG = 8,
	HOW_CUT = 16,
};

struct match_head {
	/* The lowest two bits: which stream. */
	u8 how;
	u8 changes;
	__le32 cut;
} __packed;

struct change {
	__le32 at;
	u8 value;
} __packed;

struct stream {
	u8 bytes[ROOM];
	size_t size;
};

static struct stream streams[STREAMS];
static u8 file[ROOM], contents[ROOM];
static char *tmp, *image_path, *file_path, *journal;
static bool resumed;

int __wrap_resume_go_on(struct resume *resume);
int __real_resume_open_job(struct resume *resume);
int __wrap_resume_open_job(struct resume *resume);
int __real_resume_prefix_hash(const struct resume *resume, u64 size, const u8 hash[HASH_SIZE]);
int __wrap_resume_prefix_hash(const struct resume *resume, u64 size, const u8 hash[HASH_SIZE]);

/* As they are: these are wrapped for another target. */
int __wrap_resume_open_job(struct resume *resume)
{
	return __real_resume_open_job(resume);
}

int __wrap_resume_prefix_hash(const struct resume *resume, u64 size, const u8 hash[HASH_SIZE])
{
	return __real_resume_prefix_hash(resume, size, hash);
}

/* What the file holds, by libzstd alone if it is compressed; it must be whole frames then. */
static size_t read_contents(bool compressed)
{
	ZSTD_inBuffer in = { .src = file, .size = read_path(file_path, file, ROOM) };
	ZSTD_outBuffer out = { .dst = contents, .size = sizeof(contents) };
	ZSTD_DCtx *zstd = ZSTD_createDCtx();
	size_t left = 0;

	if (!compressed) {
		memcpy(contents, file, in.size);
		out.pos = in.size;
	}
	while (compressed && in.pos < in.size) {
		left = ZSTD_decompressStream(zstd, &out, &in);
		if (ZSTD_isError(left))
			abort();
	}
	if (left)
		abort();
	ZSTD_freeDCtx(zstd);
	return out.pos;
}

int __wrap_resume_go_on(struct resume *resume)
{
	size_t size = read_contents(resume->contents.header.container.level);
	bool found = false;

	resumed = true;
	if (resume->point.at.output_offset != size || resume->known_size > ROOM - size)
		abort();
	if (resume->known_size)
		memcpy(contents + size, resume->known, resume->known_size);
	size += resume->known_size;
	for (u32 i = 0; i < STREAMS; i++)
		found |= size <= streams[i].size && !memcmp(contents, streams[i].bytes, size);
	/* Of a frame's first block that is truncated, nothing can be kept. */
	if (!found || (!size && !resume->contents.header.container.level) ||
	    journal_made(&resume->contents) != size)
		abort();
	return EXIT_BROKEN_OFF;
}

/* The checksum of the command that has byte @at, in @size bytes of a stream. */
static void fix_command(u8 *bytes, size_t size, size_t at)
{
	size_t from = SENDCP_STREAM_HEADER_SIZE, length;

	while (from + SENDCP_COMMAND_HEADER_SIZE <= size) {
		length = SENDCP_COMMAND_HEADER_SIZE + (size_t)sendcp_get_le32(bytes + from);
		if (length > size - from)
			break;
		if (at < from + length) {
			sendcp_put_le32(bytes + from + 6, 0);
			sendcp_put_le32(bytes + from + 6, sendcp_crc32c(0, bytes + from, length));
			break;
		}
		from += length;
	}
}

static size_t make_file(const struct match_head *head, const u8 *data, size_t size)
{
	const struct stream *stream = &streams[head->how % STREAMS];
	size_t made = stream->size;
	struct change change;

	memcpy(contents, stream->bytes, made);
	for (u32 i = 0; i < head->changes % CHANGES_MAX && size >= sizeof(change); i++) {
		memcpy(&change, data, sizeof(change));
		contents[le32_to_cpu(change.at) % made] = change.value;
		if (!(head->how & HOW_WRONG))
			fix_command(contents, made, le32_to_cpu(change.at) % made);
		data += sizeof(change);
		size -= sizeof(change);
	}
	if (head->how & HOW_CUT)
		made = le32_to_cpu(head->cut) % made;
	if (size > 4096)
		size = 4096;
	memcpy(contents + made, data, size);
	made += size;
	if (!(head->how & HOW_ZSTD)) {
		memcpy(file, contents, made);
		return made;
	}
	made = ZSTD_compress(file, sizeof(file), contents, made, 1);
	/* Cut in the container, too. */
	return head->how & HOW_WRONG && made ? le32_to_cpu(head->cut) % made : made;
}

static void parse(const struct command *command, char **words, struct options *options)
{
	int count = 0;

	while (words[count])
		count++;
	if (options_parse(command, count, words, options))
		abort();
}

static void run(size_t size)
{
	static const struct command resume = { .name = "resume", .bit = COMMAND_RESUME,
					       .max_arguments = 4 };
	char *words[] = { (char *)"resume", (char *)"--device", image_path, (char *)"-p",
			  (char *)"older", (char *)"--append", file_path, (char *)"snap", NULL };
	static u8 before[ROOM];
	struct options options;

	resumed = false;
	memcpy(before, file, size);
	write_path(file_path, before, size);
	unlink(journal);
	parse(&resume, words, &options);
	append_file(&options);
	options_free(&options);
	if (!resumed && (read_path(file_path, file, ROOM) != size || memcmp(file, before, size)))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct match_head head;

	if (size < sizeof(head))
		return 0;
	memcpy(&head, data, sizeof(head));
	run(make_file(&head, data + sizeof(head), size - sizeof(head)));
	return 0;
}

static void remove_all(void)
{
	unlink(file_path);
	unlink(journal);
	unlink(image_path);
	rmdir(tmp);
}

static void write_image(void)
{
	struct image *image = image_load("changes");
	int fd = open(image_path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	if (!image || fd < 0 || ftruncate(fd, (off_t)(image->count * IMAGE_PAGE)))
		abort();
	for (u64 i = 0; i < image->count; i++)
		if (image->pages[i] && pwrite(fd, image->pages[i], IMAGE_PAGE,
					      (off_t)(i * IMAGE_PAGE)) != (ssize_t)IMAGE_PAGE)
			abort();
	close(fd);
	image_free(image);
}

static void make_stream(struct stream *stream, const char *option, const char *value)
{
	static const struct command send = { .name = "send", .bit = COMMAND_SEND,
					     .min_arguments = 1, .max_arguments = 4 };
	char *words[] = { (char *)"send", (char *)"-q", (char *)"--no-checkpoint",
			  (char *)"--device", image_path, (char *)"-f", file_path, (char *)"-p",
			  (char *)"older", (char *)"snap", (char *)(uintptr_t)option,
			  (char *)(uintptr_t)value, NULL };
	struct options options;

	parse(&send, words, &options);
	if (command_send(&options))
		abort();
	options_free(&options);
	stream->size = read_path(file_path, stream->bytes, ROOM);
	unlink(file_path);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	const char *above = getenv("TMPDIR");

	tmp = xasprintf("%s/sendcp-fuzz-XXXXXX", above ? above : "/tmp");
	if (!mkdtemp(tmp))
		return -1;
	image_path = xasprintf("%s/image", tmp);
	file_path = xasprintf("%s/file", tmp);
	journal = xasprintf("%s/file.cp", tmp);
	write_image();
	make_stream(&streams[0], NULL, NULL);
	make_stream(&streams[1], "--proto", "2");
	make_stream(&streams[2], "--no-data", NULL);
	make_stream(&streams[3], "--compressed-data", NULL);
	return atexit(remove_all);
}

/* One to three bytes changed, mostly among the commands that are looked at; or junk at the end. */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed)
{
	unsigned int random = seed;
	struct match_head head = {
		.how = (u8)draw(&random, 256),
		.changes = (u8)draw(&random, 4),
		.cut = cpu_to_le32(draw(&random, draw(&random, 2) ? 2000 : ROOM)),
	};
	u32 bytes = (u32)head.changes * sizeof(struct change) + (draw(&random, 4) ? 0 : 20);

	if (draw(&random, 3) || max_size < sizeof(head) + bytes)
		return LLVMFuzzerMutate(data, size, max_size);
	memcpy(data, &head, sizeof(head));
	for (u32 i = 0; i < bytes; i++)
		data[sizeof(head) + i] = (u8)(i % sizeof(struct change) == 2 ?
					      draw(&random, 10) : draw(&random, 256));
	for (u32 i = 0; i < head.changes; i++)
		data[sizeof(head) + i * sizeof(struct change) + 3] = 0;
	return sizeof(head) + bytes;
}
