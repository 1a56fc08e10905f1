// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Lists of replaced ranges: merged, bounded, kept by the journal through thinning and resuming, and
 * found in a stream's commands, whoever made those.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
#include <unistd.h>

#include "handmade.h"
#include "journal/write.h"
#include "util/json_line.h"
#include "util/message.h"

#define N(number) ((u64)(number))
#define BATCH 1000u
#define MARK 13, "sendcp.data_error"

static void add(struct replaced_list *list, const char *path, u64 offset, u64 length, bool zeros)
{
	struct replaced_range range = {
		.path = (char *)path, .offset = offset, .length = length, .zeros = zeros,
	};

	replaced_add(list, &range);
}

static void adjacent_ranges_are_one(void **state)
{
	struct replaced_list list = { 0 };

	add(&list, "f", 0, 10, true);
	add(&list, "f", 10, 5, true);
	add(&list, "f", 16, 1, true);
	add(&list, "f", 17, 1, false);
	add(&list, "g", 18, 1, false);
	assert_int_equal(list.count, 4);
	assert_int_equal(list.ranges[0].length, 15);
	assert_int_equal(list.bytes, 18);
	assert_int_equal(replaced_count(&list), 4);
	replaced_clear(&list);
}

/* What is not kept is counted, adjacent ones once; lists of lists are bounded, too. */
static void memory_is_bounded(void **state)
{
	struct replaced_list list = { 0 }, both = { 0 };
	char path[5000];

	for (u64 i = 0; i < 3 * REPLACED_RANGES_MAX; i++)
		add(&list, "f", 2 * i, 1, true);
	assert_int_equal(list.count, REPLACED_RANGES_MAX);
	assert_int_equal(list.more, 2 * REPLACED_RANGES_MAX);
	add(&list, "f", 6 * REPLACED_RANGES_MAX - 1, 5, true);
	assert_int_equal(list.more, 2 * REPLACED_RANGES_MAX);
	replaced_add_list(&both, &list);
	replaced_add_list(&both, &list);
	assert_int_equal(both.count, REPLACED_RANGES_MAX);
	assert_int_equal(replaced_count(&both), 6 * REPLACED_RANGES_MAX);
	assert_int_equal(both.bytes, 2 * list.bytes);
	replaced_clear(&list);
	memset(path, 'x', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	for (u64 i = 0; i < 100; i++)
		add(&list, path, 2 * i, 1, true);
	assert_int_equal(replaced_count(&list), 100);
	assert_true(list.path_bytes <= REPLACED_PATHS_MAX && list.more);
	add(&list, path, 0, ~0ULL, true);
	add(&list, path, 5, ~0ULL, true);
	assert_true(list.bytes == ~0ULL);
	replaced_clear(&list);
	replaced_clear(&both);
}

static void json_there_and_back(void **state)
{
	struct replaced_list list = { 0 }, back = { 0 };
	struct json_object *line = json_new();
	struct json_object *object;

	replaced_put(line, &list);
	assert_true(json_object_object_get_ex(line, "replaced", &object));
	assert_null(object);
	assert_true(replaced_parse(NULL, &back));
	add(&list, "d/\xff\n\"", 4096, 8192, false);
	add(&list, "e", 0, 1, true);
	list.more = 3;
	replaced_put(line, &list);
	object = json_get_object(line, "replaced");
	assert_true(replaced_parse(object, &back));
	assert_int_equal(back.count, 2);
	assert_string_equal(back.ranges[0].path, "d/\xff\n\"");
	assert_false(back.ranges[0].zeros);
	assert_true(back.ranges[1].zeros);
	assert_int_equal(back.more, 3);
	assert_int_equal(back.bytes, list.bytes);
	replaced_clear(&back);
	json_object_object_del(object, "bytes");
	assert_false(replaced_parse(object, &back));
	json_object_put(line);
	replaced_clear(&back);
	replaced_clear(&list);
}

static void scan(const struct blob *blob, u64 count, u64 bytes)
{
	struct replaced_list list = { 0 };

	replaced_scan(&list, 0, blob->bytes, blob->size);
	assert_int_equal(replaced_count(&list), count);
	assert_int_equal(list.bytes, bytes);
	replaced_clear(&list);
}

static void marks_are_found_in_commands(void **state)
{
	struct blob blob = { .size = 0 };
	struct replaced_list list = { 0 };

	make_header(&blob, 1);
	make_subvol(&blob, "s");
	scan(&blob, 0, 0);
	make(&blob, 22, 15, "f", 18, N(0), 4, N(4096), 0);
	scan(&blob, 0, 0);
	make(&blob, 22, 15, "f", 18, N(0), 4, N(4096), MARK, 14, "zero", 0);
	make(&blob, 15, 15, "f", 18, N(4096), 19, "data", 0);
	make(&blob, 22, 15, "f", 18, N(4096), 4, N(4096), MARK, 14, "zero", 0);
	make(&blob, 22, 15, "f", 18, N(9000), 4, N(1), MARK, 14, "skip", 0);
	/* These lack something, or are of another kind of thing. */
	make(&blob, 22, 18, N(9000), 4, N(1), MARK, 14, "skip", 0);
	make(&blob, 22, 15, "f", 18, N(9000), MARK, 14, "skip", 0);
	make(&blob, 22, 15, "f", 18, N(1), 4, N(1), 13, "user.x", 14, "zero", 0);
	make(&blob, 13, 15, "f", MARK, 14, "zero", 0);
	scan(&blob, 2, 8193);
	for (size_t size = 0; size < blob.size; size++) {
		replaced_scan(&list, 0, blob.bytes, size);
		replaced_clear(&list);
	}
	blob_free(&blob);
}

struct place {
	char directory[32];
	char path[64];
};

static int set_up(void **state)
{
	struct place *place = calloc(1, sizeof(*place));

	*state = place;
	strcpy(place->directory, "/tmp/sendcp-unit.XXXXXX");
	assert_non_null(mkdtemp(place->directory));
	snprintf(place->path, sizeof(place->path), "%s/cp", place->directory);
	return 0;
}

static int tear_down(void **state)
{
	struct place *place = *state;

	unlink(place->path);
	rmdir(place->directory);
	free(place);
	return 0;
}

static struct journal *create(const char *path)
{
	struct identity identity = { .id = 256, .spec = (char *)"s", .path = (char *)"/s" };
	struct journal_header header = {
		.tool = (char *)"test", .protocol = 1, .buffer_size = BATCH, .buffers = 1,
		.interval = BATCH, .subvolumes = { &identity, 1 },
	};
	struct journal *journal;

	assert_int_equal(journal_create(path, &header, &journal), 0);
	return journal;
}

/* Batches from number @from on, each with one range, two sectors apart from the next. */
static void put(struct journal *journal, u64 from, u64 count)
{
	static u8 checkpoint[3];

	for (u64 i = from; i < from + count; i++) {
		struct journal_batch batch = {
			.length = BATCH, .stream_offset = i * BATCH, .output_offset = i * BATCH,
			.checkpoint = checkpoint, .checkpoint_size = sizeof(checkpoint),
		};

		add(&batch.replaced, "f", 3 * i, 1, true);
		assert_int_equal(journal_put_batch(journal, &batch), 0);
		replaced_clear(&batch.replaced);
	}
}

/* Before byte @end there are those of the first @count batches. */
static void has(const char *path, u64 end, u64 count)
{
	struct journal_contents contents;
	struct replaced_list list = { 0 };

	assert_int_equal(journal_read_path(path, &contents), 0);
	journal_replaced(&contents, end, &list);
	assert_int_equal(replaced_count(&list), count);
	for (size_t i = 0; i < list.count; i++)
		assert_int_equal(list.ranges[i].offset, 3 * i);
	replaced_clear(&list);
	journal_clear(&contents);
}

static void the_journal_keeps_them(void **state)
{
	const struct place *place = *state;
	struct journal *journal = create(place->path);

	put(journal, 0, 5);
	has(place->path, UINT64_MAX, 5);
	has(place->path, 3 * BATCH, 3);
	has(place->path, 3 * BATCH + 1, 4);
	/* A run that was resumed makes them again. */
	put(journal, 2, 1);
	has(place->path, UINT64_MAX, 3);
	put(journal, 0, 1);
	has(place->path, UINT64_MAX, 1);
	journal_close(journal);
}

static void thinning_keeps_them(void **state)
{
	const struct place *place = *state;
	struct journal_contents contents;
	struct journal *journal = create(place->path);

	journal_set_keep(journal, 10 * BATCH);
	put(journal, 0, 100);
	has(place->path, UINT64_MAX, 100);
	journal_close(journal);
	assert_int_equal(journal_open(place->path, &contents, &journal), 0);
	assert_true(contents.count < 30);
	journal_clear(&contents);
	journal_set_keep(journal, 10 * BATCH);
	put(journal, 98, 100);
	has(place->path, UINT64_MAX, 198);
	/* The stream from its beginning again. */
	put(journal, 0, 50);
	has(place->path, UINT64_MAX, 50);
	journal_close(journal);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(adjacent_ranges_are_one),
		TEST(memory_is_bounded),
		TEST(json_there_and_back),
		TEST(marks_are_found_in_commands),
		TEST(the_journal_keeps_them),
		TEST(thinning_keeps_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
