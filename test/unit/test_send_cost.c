// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The engine's work and memory against what is sent: twice as many names, directories or entries
 * are twice the work. Nothing is timed: what the parts of the engine below send/ are asked is
 * counted, and every byte that is allocated.
 *
 * Needs root and loop devices; skipped otherwise.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <malloc.h>
#include <stdlib.h>
#include <cmocka.h>

#include "backend/internal.h"
#include "items/items.h"
#include "loopfs.h"
#include "sending.h"

/* Twice the size may be as much more than twice the work, in percent. */
#define MOST 230u

static struct loopfs fs;
static struct sendcp_source *source;

static u64 work;
static u64 allocated;
static u64 most_allocated;

/* The linker puts these before the real ones. */
#define COUNTED(type, name, parameters, arguments) \
	type __real_##name parameters; \
	type __wrap_##name parameters; \
	type __wrap_##name parameters \
	{ \
		work++; \
		return __real_##name arguments; \
	}

COUNTED(int, sendcp_ref_iter_next, (struct sendcp_ref_iter *iter, struct sendcp_ref *ref),
	(iter, ref))
COUNTED(int, sendcp_dirent_iter_next,
	(struct sendcp_dirent_iter *iter, struct sendcp_dirent *entry), (iter, entry))
COUNTED(int, sendcp_inode_get, (struct sendcp_tree *tree, u64 ino, struct sendcp_inode *inode),
	(tree, ino, inode))
/* Each command has one. */
COUNTED(u32, sendcp_crc32c, (u32 crc, const void *data, size_t size), (crc, data, size))

static void *note(void *block)
{
	allocated += malloc_usable_size(block);
	most_allocated = sendcp_max(most_allocated, allocated);
	return block;
}

void *__real_sendcp_alloc(size_t size);
void *__real_sendcp_zalloc(size_t size);
void *__real_sendcp_realloc(void *block, size_t old, size_t size);
void __real_sendcp_free(void *block);
void *__wrap_sendcp_alloc(size_t size);
void *__wrap_sendcp_zalloc(size_t size);
void *__wrap_sendcp_realloc(void *block, size_t old, size_t size);
void __wrap_sendcp_free(void *block);

void *__wrap_sendcp_alloc(size_t size)
{
	return note(__real_sendcp_alloc(size));
}

void *__wrap_sendcp_zalloc(size_t size)
{
	return note(__real_sendcp_zalloc(size));
}

void *__wrap_sendcp_realloc(void *block, size_t old, size_t size)
{
	allocated -= malloc_usable_size(block);
	return note(__real_sendcp_realloc(block, old, size));
}

void __wrap_sendcp_free(void *block)
{
	allocated -= malloc_usable_size(block);
	__real_sendcp_free(block);
}

static u64 id_of(const char *name)
{
	struct sendcp_subvolume subvolume;
	u64 id;

	assert_int_equal(sendcp_source_find_subvolume(source, name, &subvolume), 0);
	id = subvolume.id;
	sendcp_subvolume_release(&subvolume);
	return id;
}

/*
 * The snapshots 0 to @count - 1 of trees of @kind, see cost_tree.py, the n-th of 2^n times @size;
 * and in @parents those they are to be sent against. @unlike: a tree of its own.
 */
static void make_trees(const char *kind, u32 size, u32 count, bool parents, bool unlike)
{
	char *tool = realpath("test/reliability/cost_tree.py", NULL);
	u32 i;

	assert_non_null(tool);
	loopfs_make(&fs, 1, 1500, "-n 16384");
	loopfs_mount(&fs, "commit=300");
	for (i = 0; i < count; i++, size *= 2) {
		loopfs_run(&fs, "btrfs -q subvolume create rw\n"
			   "python3 '%s' %s %u before rw", tool, kind, size);
		if (parents)
			loopfs_run(&fs, "btrfs -q subvolume snapshot -r rw parent%u", i);
		if (unlike)
			loopfs_run(&fs, "btrfs -q subvolume delete rw\n"
				   "btrfs -q subvolume create rw");
		if (parents)
			loopfs_run(&fs, "python3 '%s' %s %u %s rw", tool, kind, size,
				   unlike ? "before" : "after");
		loopfs_run(&fs, "btrfs -q subvolume snapshot -r rw %u\n"
			   "btrfs -q subvolume delete rw", i);
	}
	loopfs_unmount(&fs);
	free(tool);
}

static void open_trees(void)
{
	const char *image = fs.images[0];

	assert_int_equal(sendcp_source_open_image(&image, 1, NULL, &source, NULL), 0);
}

static void destroy_trees(void)
{
	sendcp_source_close(source);
	source = NULL;
	loopfs_destroy(&fs);
}

/* The work of sending snapshot @n, a checkpoint taken after each fill; sets most_allocated. */
static u64 work_of(u32 n, bool parents)
{
	struct sending sending = { .volume = sendcp_source_volume(source) };
	struct sendcp_request request = { .protocol = 1 };
	struct bytes stream = { 0 }, checkpoint = { 0 };
	struct sendcp_engine *engine;
	char name[16];
	bool end = false;

	snprintf(name, sizeof(name), "%u", n);
	request.subvolume = id_of(name);
	snprintf(name, sizeof(name), "parent%u", n);
	request.parent = parents ? id_of(name) : 0;
	work = 0;
	allocated = 0;
	most_allocated = 0;
	engine = open_engine(&sending, &request);
	while (!end) {
		assert_int_equal(fill_once(engine, 1 << 20, 0, &stream, &end), 0);
		checkpoint.size = 0;
		take_checkpoint(engine, &checkpoint);
	}
	sendcp_engine_close(engine);
	bytes_free(&stream);
	bytes_free(&checkpoint);
	return work;
}

static void check_work(const char *kind, u32 size, bool parents, bool unlike)
{
	u64 once;
	u64 twice;

	make_trees(kind, size, 2, parents, unlike);
	open_trees();
	once = work_of(0, parents);
	twice = work_of(1, parents);
	print_message("%s: %llu, twice as many: %llu\n", kind, once, twice);
	assert_true(once > size);
	assert_true(twice * 100 < once * MOST);
	destroy_trees();
}

static void links(void **state)
{
	check_work("links", 6000, false, false);
}

static void renamed_links(void **state)
{
	check_work("renamed-links", 6000, true, false);
}

/* More directories than any fixed number that might be remembered. */
static void directories_emptied_in_turn(void **state)
{
	check_work("deleted-files", 4000, true, false);
}

static void numbers_used_again(void **state)
{
	check_work("numbers-used-again", 1000, true, true);
}

static void directories_waiting_to_be_moved(void **state)
{
	check_work("waiting-moves", 1000, true, false);
}

/* The paths of the 3,000 links have 6 MB. */
static void links_in_deep_directories_take_no_memory_for_paths(void **state)
{
	make_trees("links-in-deep-directories", 3000, 1, false, false);
	open_trees();
	work_of(0, false);
	print_message("%llu bytes\n", most_allocated);
	assert_true(most_allocated < 2000000);
	destroy_trees();
}

/* What an inode with many names took is given back when the next one comes. */
static void memory_is_given_back(void **state)
{
	struct sending sending = { 0 };
	struct sendcp_request request = { .protocol = 1 };
	struct bytes stream = { 0 };
	struct sendcp_engine *engine;
	bool end = false;

	make_trees("links", 6000, 1, false, false);
	open_trees();
	sending.volume = sendcp_source_volume(source);
	request.subvolume = id_of("0");
	allocated = 0;
	most_allocated = 0;
	engine = open_engine(&sending, &request);
	while (!end)
		assert_int_equal(fill_once(engine, 1 << 20, 0, &stream, &end), 0);
	print_message("%llu bytes at most, %llu at the end\n", most_allocated, allocated);
	assert_true(most_allocated > 6000 * 24);
	assert_true(allocated < most_allocated / 2);
	sendcp_engine_close(engine);
	bytes_free(&stream);
	destroy_trees();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(links),
		cmocka_unit_test(renamed_links),
		cmocka_unit_test(directories_emptied_in_turn),
		cmocka_unit_test(numbers_used_again),
		cmocka_unit_test(directories_waiting_to_be_moved),
		cmocka_unit_test(links_in_deep_directories_take_no_memory_for_paths),
		cmocka_unit_test(memory_is_given_back),
	};

	if (loopfs_skip())
		return 0;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
