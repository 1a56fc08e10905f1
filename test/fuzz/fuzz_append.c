// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Fuzz target: resume --append of any file with any journal, up to where the send itself begins.
 *
 * Input: options, the journal (its sums are put right), the file. What must hold when the stream is
 * to be resumed: the file that is left, read by libzstd and the reader of archives alone, and the
 * bytes that are known besides, have the hashes of the batches they cover, and end where a batch
 * ends. If the file is refused, not one byte of it has changed.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#include "container/unwrap.h"
#include "fuzzer.h"
#include "resume/append/append.h"
#include "sample.h"
#include "patches.h"
#include "paths.h"
#include "sums.h"
#include "util/alloc.h"
#include "util/message.h"

#define CONTENTS_MAX (1u << 20)

struct append_head {
	/* Bit 0: the engine says that a short file is the stream's beginning. */
	u8 how;
	__le16 journal_size;
} __packed;

static char *tmp, *file_path, *journal_path_;
static struct append_head head;
static char journal[SAMPLE_ROOM];
static size_t journal_size;
static struct journal_contents before;
static u8 contents[CONTENTS_MAX], bytes[CONTENTS_MAX];
/* The engine was asked about a beginning of so many bytes, and said yes. */
static u64 vouched;
static bool resumed;

int __wrap_resume_go_on(struct resume *resume);
int __wrap_resume_open_job(struct resume *resume);
int __wrap_resume_prefix_hash(const struct resume *resume, u64 size, const u8 hash[HASH_SIZE]);

int __wrap_resume_open_job(struct resume *resume)
{
	return 0;
}

int __wrap_resume_prefix_hash(const struct resume *resume, u64 size, const u8 hash[HASH_SIZE])
{
	if (!(head.how & 1))
		return 0;
	vouched = size;
	return 1;
}

/* All of the file must be whole frames. */
static size_t read_frames(size_t size)
{
	ZSTD_inBuffer in = { .src = bytes, .size = size };
	ZSTD_outBuffer out = { .dst = contents, .size = sizeof(contents) };
	ZSTD_DCtx *zstd = ZSTD_createDCtx();
	size_t left = 0;

	while (in.pos < in.size) {
		left = ZSTD_decompressStream(zstd, &out, &in);
		if (ZSTD_isError(left))
			abort();
	}
	if (left)
		abort();
	ZSTD_freeDCtx(zstd);
	return out.pos;
}

/* All of the file must be whole members. */
static size_t read_members(int fd, size_t file_size)
{
	struct unwrap *unwrap;
	size_t size = 0, got;

	if (lseek(fd, 0, SEEK_SET))
		abort();
	unwrap = unwrap_open_fd(fd);
	while ((got = unwrap_read(unwrap, contents + size, CONTENTS_MAX - size)))
		size += got;
	if (file_size && (unwrap_whole(unwrap).file != file_size ||
			  unwrap_whole(unwrap).plain != size))
		abort();
	unwrap_close(unwrap);
	return size;
}

static size_t read_contents(const struct resume *resume)
{
	const struct container_spec *container = &resume->contents.header.container;
	size_t size = read_path(resume->output_path, bytes, CONTENTS_MAX);

	if (container->archive)
		return read_members(resume->output.fd, size);
	if (container->level)
		return read_frames(size);
	memcpy(contents, bytes, size);
	return size;
}

/* Byte @size is a batch's end, and those before it have the hashes that are known. */
static void check_proven(size_t size, bool archive)
{
	u64 end = 0;

	for (size_t i = 0; i < before.count; i++) {
		const struct journal_batch *batch = &before.batches[i];
		u8 hash[HASH_SIZE];

		if (journal_batch_end(batch) > size)
			break;
		hash_of(contents + batch->output_offset, batch->length, hash);
		if (memcmp(hash, batch->hash, sizeof(hash)))
			abort();
		end = journal_batch_end(batch);
	}
	/* The whole segments of an archive may end before the batch does that proves them. */
	if (size != end && size > vouched && !archive)
		abort();
	if (archive && size > journal_made(&before))
		abort();
}

static void check_journal(const char *path)
{
	struct journal_contents after;

	if (journal_read_path(path, &after) || after.count != before.count)
		abort();
	for (size_t i = 0; i < after.count; i++)
		if (memcmp(after.batches[i].hash, before.batches[i].hash, HASH_SIZE) ||
		    after.batches[i].output_offset != before.batches[i].output_offset)
			abort();
	journal_clear(&after);
}

int __wrap_resume_go_on(struct resume *resume)
{
	size_t size = read_contents(resume);

	resumed = true;
	if (resume->point.at.output_offset != size)
		abort();
	if (resume->known_size > CONTENTS_MAX - size)
		abort();
	if (resume->known_size)
		memcpy(contents + size, resume->known, resume->known_size);
	check_proven(size + resume->known_size, resume->contents.header.container.archive);
	check_journal(journal_path_);
	return EXIT_BROKEN_OFF;
}

static void run(const u8 *file, size_t size)
{
	char *none[] = { NULL };
	struct options options = {
		.append = file_path, .checkpoint = journal_path_, .arguments = none,
	};

	resumed = false;
	vouched = 0;
	write_path(file_path, file, size);
	write_path(journal_path_, journal, journal_size);
	if (append_file(&options) == EXIT_BROKEN_OFF && !resumed)
		abort();
	if (!resumed && (read_path(file_path, bytes, CONTENTS_MAX) != size ||
			 memcmp(bytes, file, size)))
		abort();
}

/* The sums of the journal are put right: what it says is taken for what was sent. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t length;

	if (size < sizeof(head))
		return 0;
	memcpy(&head, data, sizeof(head));
	data += sizeof(head);
	size -= sizeof(head);
	length = sendcp_min(size, le16_to_cpu(head.journal_size));
	journal_size = sums_put_lines((const char *)data, length, journal, sizeof(journal));
	write_path(journal_path_, journal, journal_size);
	if (journal_read_path(journal_path_, &before))
		return 0;
	run(data + length, size - length);
	journal_clear(&before);
	return 0;
}

static void remove_all(void)
{
	unlink(file_path);
	unlink(journal_path_);
	rmdir(tmp);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	const char *above = getenv("TMPDIR");

	tmp = xasprintf("%s/sendcp-fuzz-XXXXXX", above ? above : "/tmp");
	if (!mkdtemp(tmp) || asprintf(&file_path, "%s/file", tmp) < 0 ||
	    asprintf(&journal_path_, "%s/file.cp", tmp) < 0)
		return -1;
	return atexit(remove_all);
}

static size_t example(u8 *data, size_t max_size, unsigned int *random)
{
	static struct sample sample;
	struct container_spec container = {
		.archive = (enum archive_kind)draw(random, 3),
		.level = (int)draw(random, 2),
	};
	struct append_head fresh = { .how = (u8)draw(random, 2) };
	size_t size = sizeof(fresh);

	sample_make(&sample, &container, random);
	if (sample.journal_size > UINT16_MAX ||
	    size + sample.journal_size + sample.file_size > max_size)
		return 0;
	fresh.journal_size = cpu_to_le16((u16)sample.journal_size);
	memcpy(data, &fresh, sizeof(fresh));
	memcpy(data + size, sample.journal, sample.journal_size);
	size += sample.journal_size;
	memcpy(data + size, sample.file, sample.file_size);
	return size + sample.file_size;
}

/* Bytes of the file alone. */
static size_t change_file(u8 *data, size_t size, size_t max_size, unsigned int *random)
{
	size_t from = sizeof(struct append_head) +
		      sendcp_min(size - sizeof(struct append_head), sendcp_get_le16(data + 1));
	size_t at;

	switch (draw(random, 3)) {
	case 0:
		return size - draw(random, (u32)(size - from) + 1);
	case 1:
		at = size > from ? from + draw(random, (u32)(size - from)) : 0;
		data[at] ^= (u8)(1 + draw(random, 255));
		return size;
	default:
		return from + LLVMFuzzerMutate(data + from, size - from, max_size - from);
	}
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed)
{
	unsigned int random = seed;

	if (size < sizeof(struct append_head) || !draw(&random, 10))
		size = example(data, max_size, &random);
	if (size < sizeof(struct append_head))
		return 0;
	if (draw(&random, 4))
		return change_file(data, size, max_size, &random);
	return LLVMFuzzerMutate(data, size, max_size);
}
