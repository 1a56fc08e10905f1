// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Fuzz target: files of zstd frames of any program, truncated at what is proven.
 *
 * Input: what is proven, then the file. What must hold: the contents are those that libzstd makes
 * of the file; nothing is kept beyond what is proven; the file that is left is whole frames with
 * just the kept contents, and so it is read if the power goes between any two of the writes.
 */
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zstd.h>

#include "container/unwrap.h"
#include "fuzzer.h"
#include "patches.h"
#include "resume/append/blocks.h"

#define CONTENTS_MAX (1u << 20)

struct frames_head {
	/* Proven are all contents, or so many bytes, or those of whole pieces of so many bytes. */
	u8 how;
	__le16 bytes;
} __packed;

struct taker {
	struct frames_head head;
	/* All contents so far, and how many of them are wanted. */
	u8 *contents;
	u64 size;
	u64 limit;
};

static u8 first_contents[CONTENTS_MAX], second_contents[CONTENTS_MAX], plain[CONTENTS_MAX];

static u64 proven_of(const struct taker *taker)
{
	u32 bytes = le16_to_cpu(taker->head.bytes);

	switch (taker->head.how % 3) {
	case 0:
		return taker->size;
	case 1:
		return sendcp_min(taker->size, bytes);
	default:
		return taker->size - taker->size % (bytes + 1);
	}
}

static bool take(void *context, const void *data, size_t size, u64 *proven)
{
	struct taker *taker = context;

	if (size > CONTENTS_MAX - taker->size)
		return false;
	memcpy(taker->contents + taker->size, data, size);
	taker->size += size;
	*proven = proven_of(taker);
	return taker->size < taker->limit;
}

static int open_file(const u8 *data, size_t size)
{
	int fd = memfd_create("frames", 0);

	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		abort();
	return fd;
}

/* Contents of the whole frames in front, made by libzstd alone; *@whole: there is nothing else. */
static size_t decompress(int fd, bool *whole)
{
	static u8 file[CONTENTS_MAX];
	ssize_t size = pread(fd, file, sizeof(file), 0);
	ZSTD_inBuffer in = { .src = file, .size = (size_t)size };
	ZSTD_outBuffer out = { .dst = plain, .size = sizeof(plain) };
	ZSTD_DCtx *zstd = ZSTD_createDCtx();
	size_t left = 0;

	if (size < 0 || !zstd)
		abort();
	while (in.pos < in.size && !ZSTD_isError(left)) {
		size_t before = in.pos + out.pos;

		left = ZSTD_decompressStream(zstd, &out, &in);
		if (in.pos + out.pos == before)
			break;
	}
	ZSTD_freeDCtx(zstd);
	*whole = !left && in.pos == in.size;
	return out.pos;
}

static void walk(int fd, const struct frames_head *head, u8 *contents, u64 limit,
		 struct blocks_result *result, struct taker *taker)
{
	*taker = (struct taker){ .head = *head, .contents = contents, .limit = limit };
	if (blocks_walk(fd, take, taker, result))
		abort();
}

static void check_result(const struct blocks_result *result, const struct taker *taker,
			 size_t file_size)
{
	u64 proven = proven_of(taker);

	if (result->plain != taker->size || result->cut.plain > proven ||
	    result->cut.file > file_size || result->cut.frame_file > result->cut.file ||
	    result->cut.frame_plain > result->cut.plain)
		abort();
	if (result->rest_size != proven - result->cut.plain ||
	    (result->rest_size &&
	     memcmp(result->rest, taker->contents + result->cut.plain, result->rest_size)))
		abort();
}

/* Read again, all of it being proven: @size bytes at least, those from before. */
static void check_again(int fd, const u8 *contents, u64 size)
{
	static const struct frames_head all;
	struct blocks_result result;
	struct taker taker;

	walk(fd, &all, second_contents, ~0ULL, &result, &taker);
	if (taker.size < size || memcmp(second_contents, contents, size) ||
	    result.cut.plain < size)
		abort();
	free(result.rest);
}

static void check_closed(int fd, const struct blocks_result *result, const u8 *contents)
{
	u64 size, kept = result->cut.plain;
	bool whole;

	/* The first of the two writes. */
	if (ftruncate(fd, (off_t)result->cut.file))
		abort();
	check_again(fd, contents, kept);
	if (blocks_close(fd, result, &size) || (off_t)size != lseek(fd, 0, SEEK_END))
		abort();
	if (decompress(fd, &whole) != kept || !whole || memcmp(plain, contents, kept))
		abort();
	check_again(fd, contents, kept);
}

/* The other reader of frames: one of the two may find damage earlier, but no other bytes. */
static void check_unwrap(int fd, const u8 *contents, u64 size)
{
	struct unwrap *unwrap;
	u64 at = 0;
	size_t got;

	if (lseek(fd, 0, SEEK_SET))
		abort();
	unwrap = unwrap_open_fd(fd);
	while ((got = unwrap_read(unwrap, plain, 4096))) {
		size_t both = (size_t)sendcp_min(got, at < size ? size - at : 0);

		if (unwrap_kind(unwrap) != UNWRAP_ZSTD)
			break;
		if (memcmp(plain, contents + at, both))
			abort();
		at += got;
		if (at >= CONTENTS_MAX)
			break;
	}
	unwrap_close(unwrap);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct blocks_result result;
	struct frames_head head;
	struct taker taker;
	int fd;

	if (size < sizeof(head))
		return 0;
	memcpy(&head, data, sizeof(head));
	data += sizeof(head);
	size -= sizeof(head);
	fd = open_file(data, size);
	walk(fd, &head, first_contents, CONTENTS_MAX / 2, &result, &taker);
	check_result(&result, &taker, size);
	check_unwrap(fd, first_contents, taker.size);
	if (!result.too_large)
		check_closed(fd, &result, first_contents);
	free(result.rest);
	close(fd);
	return 0;
}

static size_t put_contents(u8 *to, unsigned int *random)
{
	u32 size = draw(random, 8) ? draw(random, 600) : 0;
	u32 range = draw(random, 2) ? 256 : 1 + draw(random, 4);

	for (u32 i = 0; i < size; i++)
		to[i] = (u8)draw(random, range);
	return size;
}

static void set_parameters(ZSTD_CCtx *zstd, unsigned int *random)
{
	ZSTD_CCtx_setParameter(zstd, ZSTD_c_compressionLevel, 1 + (int)draw(random, 5));
	ZSTD_CCtx_setParameter(zstd, ZSTD_c_checksumFlag, (int)draw(random, 2));
	ZSTD_CCtx_setParameter(zstd, ZSTD_c_windowLog, 10 + (int)draw(random, 8));
	ZSTD_CCtx_setParameter(zstd, ZSTD_c_contentSizeFlag, (int)draw(random, 2));
}

/* One frame of several blocks; its size may be in its header, and may be wrong there later. */
static size_t put_frame(u8 *to, size_t room, unsigned int *random)
{
	static u8 contents[8192];
	u32 pieces = 1 + draw(random, 5);
	ZSTD_CCtx *zstd = ZSTD_createCCtx();
	ZSTD_outBuffer out = { .dst = to, .size = room };
	size_t sizes[5], total = 0, at = 0;

	set_parameters(zstd, random);
	for (u32 i = 0; i < pieces; i++) {
		sizes[i] = put_contents(contents + total, random);
		total += sizes[i];
	}
	if (draw(random, 2))
		ZSTD_CCtx_setPledgedSrcSize(zstd, total);
	for (u32 i = 0; i < pieces; i++) {
		ZSTD_inBuffer in = { .src = contents + at, .size = sizes[i] };

		ZSTD_compressStream2(zstd, &out, &in, i + 1 < pieces ? ZSTD_e_flush : ZSTD_e_end);
		at += sizes[i];
	}
	ZSTD_freeCCtx(zstd);
	return out.pos;
}

static size_t put_skippable(u8 *to, unsigned int *random)
{
	u32 size = draw(random, 40);

	sendcp_put_le32(to, 0x184d2a50u + draw(random, 16));
	sendcp_put_le32(to + 4, size);
	memset(to + 8, 7, size);
	return 8 + size;
}

static size_t example(u8 *data, size_t max_size, unsigned int *random)
{
	size_t size = 1 + sizeof(__le16);
	u32 count = 1 + draw(random, 3);

	data[0] = (u8)draw(random, 3);
	sendcp_put_le16(data + 1, (u16)draw(random, 1500));
	for (u32 i = 0; i < count && size + 100 < max_size; i++)
		size += draw(random, 6) ? put_frame(data + size, max_size - size, random) :
					  put_skippable(data + size, random);
	if (!draw(random, 3))
		size -= draw(random, (u32)size - 3);
	return size;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed)
{
	unsigned int random = seed;

	if ((size < sizeof(struct frames_head) || !draw(&random, 5)) && max_size >= 4096)
		return example(data, max_size, &random);
	if (size > 8 && !draw(&random, 4))
		return size - draw(&random, (u32)size - 4);
	return LLVMFuzzerMutate(data, size, max_size);
}
