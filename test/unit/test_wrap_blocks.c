// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Files of zstd frames, cut at every byte: zstd takes the file that was closed there, and with the
 * rest of the proven part it is all of it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#include "resume/append/blocks.h"
#include "resume/append/cut_points.h"

#define ROOM (4u << 20)

/* A file made of frames, and what is in them. */
struct sample {
	u8 *file;
	size_t file_size;
	u8 *plain;
	size_t plain_size;
};

struct shape {
	bool sum;
	/* The header has the size. */
	bool size;
	/* Of the contents, and after how many bytes a block ends. */
	size_t length;
	size_t block;
	int level;
	/* 0: as the level has it. */
	int window_log;
};

/* Runs, text and noise: blocks of all three kinds. */
static void fill(u8 *to, size_t size, unsigned int seed)
{
	for (size_t i = 0; i < size; i++) {
		unsigned int part = (unsigned int)(i / 700) % 3;

		seed = seed * 1103515245 + 12345;
		to[i] = !part ? 'r' : part == 1 ? (u8)("text "[i % 5]) : (u8)(seed >> 16);
	}
}

static void add_frame(struct sample *sample, const struct shape *shape)
{
	ZSTD_CCtx *context = ZSTD_createCCtx();
	u8 *plain = sample->plain + sample->plain_size;
	size_t done = 0, left;

	fill(plain, shape->length, (unsigned int)sample->plain_size);
	ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, shape->sum);
	ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, shape->level);
	ZSTD_CCtx_setParameter(context, ZSTD_c_windowLog, shape->window_log);
	if (shape->size)
		ZSTD_CCtx_setPledgedSrcSize(context, shape->length);
	do {
		size_t part = sendcp_min(shape->block, shape->length - done);
		ZSTD_inBuffer in = { .src = plain + done, .size = part };
		ZSTD_outBuffer out = { .dst = sample->file + sample->file_size,
				       .size = ROOM - sample->file_size };

		done += part;
		left = ZSTD_compressStream2(context, &out, &in, done < shape->length ?
					    ZSTD_e_flush : ZSTD_e_end);
		assert_false(ZSTD_isError(left));
		sample->file_size += out.pos;
	} while (done < shape->length || left);
	sample->plain_size += shape->length;
	ZSTD_freeCCtx(context);
}

static void add_bytes(struct sample *sample, const void *bytes, size_t size)
{
	memcpy(sample->file + sample->file_size, bytes, size);
	sample->file_size += size;
}

static void begin(struct sample *sample)
{
	*sample = (struct sample){ .file = malloc(ROOM), .plain = malloc(ROOM) };
	assert_non_null(sample->file);
	assert_non_null(sample->plain);
}

static void end(struct sample *sample)
{
	free(sample->file);
	free(sample->plain);
}

/* The answers to a walk: bytes up to ->limit are proven, in steps as of batches. */
struct prover {
	const struct sample *sample;
	u64 seen;
	u64 limit;
	u64 step;
};

static bool prove(void *context, const void *data, size_t size, u64 *proven)
{
	struct prover *prover = context;

	assert_true(prover->seen + size <= prover->sample->plain_size);
	assert_memory_equal(data, prover->sample->plain + prover->seen, size);
	prover->seen += size;
	*proven = sendcp_min(prover->seen / prover->step * prover->step, prover->limit);
	return prover->seen <= prover->limit;
}

static int file_of(const struct sample *sample, size_t size)
{
	int fd = memfd_create("sample", 0);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, sample->file, size), (ssize_t)size);
	return fd;
}

/* Decompresses all of @fd, which must be whole frames, and compares. */
static void check_closed(int fd, u64 size, const struct sample *sample, u64 plain_size)
{
	static u8 file[ROOM], plain[ROOM];
	ZSTD_DCtx *context = ZSTD_createDCtx();
	ZSTD_inBuffer in = { .src = file, .size = size };
	ZSTD_outBuffer out = { .dst = plain, .size = sizeof(plain) };
	size_t left = 0;
	struct stat st;

	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_size, size);
	assert_int_equal(pread(fd, file, size, 0), (ssize_t)size);
	while (in.pos < in.size) {
		left = ZSTD_decompressStream(context, &out, &in);
		if (ZSTD_isError(left))
			fail_msg("not taken by zstd: %s", ZSTD_getErrorName(left));
	}
	assert_int_equal(left, 0);
	assert_int_equal(out.pos, plain_size);
	assert_memory_equal(plain, sample->plain, plain_size);
	ZSTD_freeDCtx(context);
}

/* The file's first @size bytes, of whose contents @limit are proven. Returns what is kept. */
static u64 cut_and_close(const struct sample *sample, size_t size, u64 limit, u64 step)
{
	struct prover prover = { .sample = sample, .limit = limit, .step = step };
	struct blocks_result result;
	int fd = file_of(sample, size);
	u64 kept, proven, closed;

	assert_int_equal(blocks_walk(fd, prove, &prover, &result), 0);
	kept = result.cut.plain;
	proven = sendcp_min(prover.seen / step * step, limit);
	assert_true(kept <= proven);
	assert_int_equal(result.rest_size, proven - kept);
	assert_memory_equal(result.rest ? (void *)result.rest : "", sample->plain + kept,
			    result.rest_size);
	assert_true(result.cut.file <= size);
	assert_int_equal(blocks_close(fd, &result, &closed), 0);
	check_closed(fd, closed, sample, kept);
	free(result.rest);
	close(fd);
	return kept;
}

static void check_all_cuts(const struct sample *sample, size_t stride)
{
	u64 most = 0;

	for (size_t size = 0; size <= sample->file_size; size += stride) {
		u64 kept = cut_and_close(sample, size, sample->plain_size, 1);

		/* Never less than from a shorter file. */
		assert_true(kept >= most);
		most = kept;
		cut_and_close(sample, size, sample->plain_size / 2, 1);
		cut_and_close(sample, size, sample->plain_size, 1500);
	}
	assert_int_equal(cut_and_close(sample, sample->file_size, sample->plain_size, 1),
			 sample->plain_size);
}

static void frames_of_all_shapes(void **state)
{
	for (unsigned int i = 0; i < 16; i++) {
		struct shape shape = {
			.sum = i & 1,
			.size = i & 2,
			.length = 9000,
			.block = i & 4 ? 900 : 4000,
			.level = i & 8 ? 1 : 19,
		};
		struct sample sample;

		begin(&sample);
		add_frame(&sample, &shape);
		shape.sum = !shape.sum;
		add_frame(&sample, &shape);
		check_all_cuts(&sample, 7);
		end(&sample);
	}
}

/* Sizes in one and two bytes, in which a smaller one may not fit. */
static void small_frames_that_tell_their_size(void **state)
{
	static const size_t lengths[] = { 1, 100, 255, 256, 300, 5000 };
	struct sample sample;

	begin(&sample);
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		struct shape shape = { .sum = true, .size = true, .length = lengths[i],
				       .block = 90, .level = 3 };

		add_frame(&sample, &shape);
	}
	check_all_cuts(&sample, 1);
	end(&sample);
}

static void frames_larger_than_a_block(void **state)
{
	struct sample sample;

	for (int size = 0; size < 2; size++) {
		struct shape shape = { .sum = true, .size = size, .length = 700000,
				       .block = 700000, .level = 3 };

		begin(&sample);
		add_frame(&sample, &shape);
		check_all_cuts(&sample, 10007);
		end(&sample);
	}
}

/* A frame whose size is at @field, after padding that moves it there. */
static void make_sample_at(struct sample *sample, const struct shape *shape, u8 pad, u64 *field)
{
	const u8 skippable[8] = { 0x53, 0x2a, 0x4d, 0x18, pad, 1 };

	begin(sample);
	memset(sample->plain, 0, ROOM);
	add_bytes(sample, skippable, sizeof(skippable));
	add_bytes(sample, sample->plain, 256 + pad);
	*field = sample->file_size + 5 + !!shape->window_log;
	add_frame(sample, shape);
	/* Single segment, or not; four bytes of size. */
	assert_int_equal(sample->file[sizeof(skippable) + 256 + pad + 4] & 0xe0,
			 shape->window_log ? 0x80 : 0xa0);
}

/* A power cut may leave half of a size that crosses two sectors. */
static void sizes_across_sectors(void **state)
{
	struct shape shape = { .sum = true, .size = true, .length = 700000, .block = 700000,
			       .level = 3 };
	unsigned int across = 0;

	for (u8 pad = 0xe0; pad; pad++) {
		struct sample sample;
		u64 kept, field;

		shape.window_log = 0;
		make_sample_at(&sample, &shape, pad, &field);
		kept = cut_and_close(&sample, sample.file_size * 2 / 3, shape.length, 1);
		assert_int_equal(!kept, field / 512 != (field + 3) / 512);
		across += !kept;
		end(&sample);
		/* Nothing but the frame's end depends on it where the header has the window. */
		shape.window_log = 17;
		make_sample_at(&sample, &shape, pad, &field);
		sample.file[field] ^= 0xff;
		sample.file[field + 3] ^= 1;
		kept = cut_and_close(&sample, sample.file_size * 2 / 3, shape.length, 1);
		assert_true(kept > shape.length / 3);
		end(&sample);
	}
	assert_int_equal(across, 3);
}

static void skippable_and_empty_frames(void **state)
{
	static const u8 skippable[] = {
		0x53, 0x2a, 0x4d, 0x18, 5, 0, 0, 0, 'h', 'e', 'l', 'l', 'o'
	};
	struct shape shape = { .sum = true, .length = 2000, .block = 500, .level = 3 };
	struct shape empty = { .sum = true, .level = 3 };
	struct sample sample;

	begin(&sample);
	add_bytes(&sample, skippable, sizeof(skippable));
	add_frame(&sample, &shape);
	add_frame(&sample, &empty);
	add_bytes(&sample, skippable, sizeof(skippable));
	add_frame(&sample, &shape);
	check_all_cuts(&sample, 1);
	end(&sample);
}

/* The proven part stays, for any fault after it. */
static void junk_and_damage(void **state)
{
	struct shape shape = { .sum = true, .length = 6000, .block = 600, .level = 3 };
	struct sample sample;
	size_t whole;

	begin(&sample);
	add_frame(&sample, &shape);
	whole = sample.file_size;
	add_bytes(&sample, "junk behind", 11);
	assert_int_equal(cut_and_close(&sample, sample.file_size, 6000, 1), 6000);
	/* The checksum alone is wrong: it is put right, since the contents are proven. */
	sample.file[whole - 1] ^= 1;
	assert_int_equal(cut_and_close(&sample, whole, 6000, 1), 6000);
	end(&sample);
}

/* Takes anything; proves all of it. */
static bool take_any(void *context, const void *data, size_t size, u64 *proven)
{
	*proven += size;
	return true;
}

/* A frame of raw blocks of @each bytes, without checksum, of which the last is not there. */
static void add_raw_blocks(struct sample *sample, const u8 *head, size_t head_size, size_t count,
			   u8 each)
{
	u8 block[3 + 255] = { (u8)(each << 3), (u8)(each >> 5), 0 };

	add_bytes(sample, head, head_size);
	for (size_t i = 0; i < count; i++) {
		for (u8 k = 0; k < each; k++)
			block[3 + k] = sample->plain[sample->plain_size++] = (u8)(i * 7 + k);
		add_bytes(sample, block, 3 + (size_t)each);
	}
}

static const u8 windowed_head[] = { 0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x38 };

/* More cuts than may wait: contents after one that was given up are handed back. */
static void tiny_blocks(void **state)
{
	const size_t count = 3 * CUT_POINTS_MAX + 17;
	struct sample sample;

	begin(&sample);
	add_raw_blocks(&sample, windowed_head, sizeof(windowed_head), count, 1);
	for (u64 limit = count - 40; limit <= count; limit++)
		cut_and_close(&sample, sample.file_size, limit, limit);
	assert_int_equal(cut_and_close(&sample, sample.file_size, count, 1), count);
	assert_int_equal(cut_and_close(&sample, sample.file_size, count, count), count);
	end(&sample);
}

/* Cuts that were given up may be ends of frames: the checksum is that of the last one alone. */
static void tiny_frames(void **state)
{
	struct shape tiny = { .sum = true, .length = 2, .block = 2, .level = 3 };
	struct shape shape = { .sum = true, .length = 6000, .block = 600, .level = 3 };
	struct sample sample;

	begin(&sample);
	for (unsigned int i = 0; i < CUT_POINTS_MAX; i++)
		add_frame(&sample, &tiny);
	add_frame(&sample, &shape);
	for (u64 less = 1; less < 3000; less += 100)
		cut_and_close(&sample, sample.file_size, sample.plain_size - less,
			      sample.plain_size - less);
	end(&sample);
}

/* Zeros read as empty blocks: nothing of them is kept, and reading them has an end. */
static void zeros_behind(void **state)
{
	struct shape shape = { .sum = true, .length = 6000, .block = 600, .level = 3 };
	struct blocks_result result;
	struct sample sample;
	u64 kept, file;
	int fd;

	begin(&sample);
	add_frame(&sample, &shape);
	file = sample.file_size * 2 / 3;
	kept = cut_and_close(&sample, file, 6000, 1);
	assert_true(kept);
	fd = file_of(&sample, file);
	assert_int_equal(blocks_walk(fd, take_any, NULL, &result), 0);
	file = result.cut.file;
	free(result.rest);
	assert_int_equal(ftruncate(fd, (off_t)file), 0);
	assert_int_equal(ftruncate(fd, (off_t)file + (1LL << 40)), 0);
	assert_int_equal(blocks_walk(fd, take_any, NULL, &result), 0);
	assert_int_equal(result.cut.file, file);
	assert_int_equal(result.cut.plain, kept);
	assert_false(result.whole);
	assert_non_null(strstr(result.what, "empty blocks"));
	free(result.rest);
	close(fd);
	end(&sample);
}

/* A frame that is too small to be cut, with more of it after that. */
static void frames_that_lie(void **state)
{
	static const u8 head[] = { 0x28, 0xb5, 0x2f, 0xfd, 0x20, 100 };
	struct blocks_result result;
	struct sample sample;
	int fd;

	begin(&sample);
	add_raw_blocks(&sample, head, sizeof(head), 5000, 50);
	fd = file_of(&sample, sample.file_size);
	assert_int_equal(blocks_walk(fd, take_any, NULL, &result), 0);
	assert_int_equal(result.cut.file, 0);
	assert_true(result.plain <= 200);
	free(result.rest);
	close(fd);
	end(&sample);
}

/* Bytes changed at random: the walk always ends, and the file can be closed. */
static void damage_of_all_kinds(void **state)
{
	struct shape shape = { .sum = true, .size = true, .length = 70000, .block = 9000,
			       .level = 3 };
	struct sample sample;
	u8 *good;

	begin(&sample);
	add_frame(&sample, &shape);
	add_frame(&sample, &shape);
	good = malloc(sample.file_size);
	memcpy(good, sample.file, sample.file_size);
	srandom(1);
	for (unsigned int i = 0; i < 4000; i++) {
		struct blocks_result result;
		u64 size;
		int fd;

		for (unsigned int k = 0; k <= i % 4; k++)
			sample.file[(size_t)random() % (i % 3 ? 40 : sample.file_size)] ^=
				(u8)(1 << random() % 8);
		fd = file_of(&sample, sample.file_size);
		if (!blocks_walk(fd, take_any, NULL, &result))
			assert_int_equal(blocks_close(fd, &result, &size), 0);
		free(result.rest);
		close(fd);
		memcpy(sample.file, good, sample.file_size);
	}
	free(good);
	end(&sample);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(frames_of_all_shapes),
		cmocka_unit_test(small_frames_that_tell_their_size),
		cmocka_unit_test(frames_larger_than_a_block),
		cmocka_unit_test(sizes_across_sectors),
		cmocka_unit_test(skippable_and_empty_frames),
		cmocka_unit_test(junk_and_damage),
		cmocka_unit_test(tiny_blocks),
		cmocka_unit_test(tiny_frames),
		cmocka_unit_test(zeros_behind),
		cmocka_unit_test(frames_that_lie),
		cmocka_unit_test(damage_of_all_kinds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
