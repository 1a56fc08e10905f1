// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Plain streams and zstd: the bytes that come out, their end, and the places where the file can be
 * cut.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>
#include <zstd.h>

#include "container/unwrap.h"
#include "handmade.h"

#define FRAMES 4u
#define PART 9000u

/* Frames of one stream, one of them skippable, and where each ends. */
struct framed {
	struct blob plain;
	struct blob file;
	struct unwrap_place ends[FRAMES + 1];
};

static void add_frame(struct framed *framed, u32 number, size_t size, bool checksum)
{
	size_t from = framed->ends[number].plain;

	wrap_frame(&framed->file, framed->plain.bytes + from, size, checksum);
	framed->ends[number + 1] = (struct unwrap_place){ framed->file.size, from + size };
}

static struct framed make_framed(void)
{
	struct framed framed = { .ends = { { 0, 0 } } };

	make_stream(&framed.plain, 1, 30, 700);
	add_frame(&framed, 0, PART, true);
	blob_add(&framed.file, "\x5a\x2a\x4d\x18\4\0\0\0skip", 12);
	framed.ends[2] = (struct unwrap_place){ framed.file.size, PART };
	add_frame(&framed, 2, PART, true);
	add_frame(&framed, 3, framed.plain.size - 2 * PART, true);
	return framed;
}

static void free_framed(struct framed *framed)
{
	blob_free(&framed->plain);
	blob_free(&framed->file);
}

struct result {
	enum unwrap_kind kind;
	struct unwrap_ending ending;
	struct unwrap_place whole;
	struct blob plain;
};

static struct result unwrap_blob(const struct blob *blob, size_t size, size_t step)
{
	static u8 buffer[65536];
	int fd = blob_file(blob, size);
	struct unwrap *unwrap = unwrap_open_fd(fd);
	struct result result = { .plain = { .size = 0 } };
	size_t got;

	assert_non_null(unwrap);
	while ((got = unwrap_read(unwrap, buffer, step))) {
		assert_true(got <= step);
		blob_add(&result.plain, buffer, got);
	}
	assert_int_equal(unwrap_read(unwrap, buffer, step), 0);
	result.kind = unwrap_kind(unwrap);
	result.ending = *unwrap_ending(unwrap);
	result.whole = unwrap_whole(unwrap);
	unwrap_close(unwrap);
	close(fd);
	return result;
}

static void plain_files(void **state)
{
	struct blob blob = { .size = 0 };
	struct result result;

	make_stream(&blob, 1, 3, 1000);
	for (size_t size = 0; size < 1500; size += 7) {
		result = unwrap_blob(&blob, size, 100);
		assert_int_equal(result.kind, UNWRAP_PLAIN);
		assert_int_equal(result.ending.how, UNWRAP_COMPLETE);
		assert_int_equal(result.plain.size, size);
		assert_int_equal(result.whole.file, size);
		blob_free(&result.plain);
	}
	blob_free(&blob);
}

static void frames_in_steps_of_any_size(void **state)
{
	static const size_t steps[] = { 1, 2, 511, 512, 513, 65536 };
	struct framed framed = make_framed();

	for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
		struct result result = unwrap_blob(&framed.file, framed.file.size, steps[i]);

		assert_int_equal(result.kind, UNWRAP_ZSTD);
		assert_int_equal(result.ending.how, UNWRAP_COMPLETE);
		assert_int_equal(result.plain.size, framed.plain.size);
		assert_memory_equal(result.plain.bytes, framed.plain.bytes, framed.plain.size);
		assert_int_equal(result.whole.file, framed.file.size);
		assert_int_equal(result.whole.plain, framed.plain.size);
		blob_free(&result.plain);
	}
	free_framed(&framed);
}

/* At a frame's end the file is complete; elsewhere it is cut, and what comes out is right. */
static void cut_at(const struct framed *framed, size_t size)
{
	struct result result = unwrap_blob(&framed->file, size, 65536);
	struct result steps = unwrap_blob(&framed->file, size, 100);
	u32 frame = FRAMES;

	while (framed->ends[frame].file > size)
		frame--;
	assert_int_equal(result.ending.how, size == framed->ends[frame].file ?
			 UNWRAP_COMPLETE : UNWRAP_TRUNCATED);
	assert_int_equal(result.whole.file, framed->ends[frame].file);
	assert_int_equal(result.whole.plain, framed->ends[frame].plain);
	assert_true(result.plain.size >= framed->ends[frame].plain);
	if (result.plain.size)
		assert_memory_equal(result.plain.bytes, framed->plain.bytes, result.plain.size);
	/* The output does not depend on the sizes of reads. */
	assert_int_equal(steps.plain.size, result.plain.size);
	blob_free(&steps.plain);
	blob_free(&result.plain);
}

static void every_cut_of_frames(void **state)
{
	struct framed framed = make_framed();

	for (size_t size = 4; size <= framed.file.size; size += 1 + size / 1000)
		cut_at(&framed, size);
	/* Before the checksum the decoder has all, and has not given it out. */
	for (u32 frame = 1; frame <= FRAMES; frame++)
		for (size_t before = 0; before < 8; before++)
			cut_at(&framed, framed.ends[frame].file - before);
	free_framed(&framed);
}

/* Output that is called complete is the input. */
static void changed_bits_of_frames(void **state)
{
	struct framed framed = make_framed();
	u32 seen = 0, changed = 0;

	for (size_t byte = 4; byte < framed.file.size; byte += 1 + byte / 50) {
		struct result result;

		framed.file.bytes[byte] ^= (u8)(1 << byte % 8);
		result = unwrap_blob(&framed.file, framed.file.size, 65536);
		framed.file.bytes[byte] ^= (u8)(1 << byte % 8);
		changed++;
		seen += result.ending.how != UNWRAP_COMPLETE;
		if (result.ending.how == UNWRAP_COMPLETE) {
			assert_int_equal(result.plain.size, framed.plain.size);
			assert_memory_equal(result.plain.bytes, framed.plain.bytes,
					    framed.plain.size);
		}
		blob_free(&result.plain);
	}
	/* The skippable frame's content may change. */
	assert_true(seen >= changed - 12);
	free_framed(&framed);
}

static void refuse(struct blob *blob, enum unwrap_how how, const char *what)
{
	struct result result = unwrap_blob(blob, blob->size, 65536);

	assert_int_equal(result.ending.how, how);
	if (!strstr(result.ending.what, what))
		fail_msg("%s: %s", what, result.ending.what);
	blob_free(&result.plain);
	blob_free(blob);
}

static void junk_and_windows(void **state)
{
	struct blob blob = { .size = 0 };

	wrap_frame(&blob, "abc", 3, true);
	blob_add(&blob, "junkjunk", 8);
	refuse(&blob, UNWRAP_DAMAGED, "there is no zstd frame at byte 16 of the file");
	/* A frame that asks for a window of 2 GiB. */
	blob_add(&blob, "\x28\xb5\x2f\xfd\0\xa8\1\0\0", 9);
	refuse(&blob, UNWRAP_FAILED, "128 MiB");
	/* Nothing but a skippable frame. */
	blob_add(&blob, "\x50\x2a\x4d\x18\0\0\0\0", 8);
	refuse(&blob, UNWRAP_COMPLETE, "");
	blob_add(&blob, "\x50\x2a\x4d\x18\xff\xff\xff\xff", 8);
	refuse(&blob, UNWRAP_TRUNCATED,
	       "the zstd frame at byte 0 of the file is truncated at byte 8");
}

/* A directory can be opened and not read. */
static void unreadable(void **state)
{
	struct unwrap *unwrap = unwrap_open("/");
	u8 byte;

	assert_non_null(unwrap);
	assert_int_equal(unwrap_read(unwrap, &byte, 1), 0);
	assert_int_equal(unwrap_ending(unwrap)->how, UNWRAP_FAILED);
	assert_non_null(strstr(unwrap_ending(unwrap)->what, "Is a directory"));
	unwrap_close(unwrap);
	assert_null(unwrap_open("/nothing/there"));
	assert_int_equal(errno, ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain_files),
		cmocka_unit_test(frames_in_steps_of_any_size),
		cmocka_unit_test(every_cut_of_frames),
		cmocka_unit_test(changed_bits_of_frames),
		cmocka_unit_test(junk_and_windows),
		cmocka_unit_test(unreadable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
