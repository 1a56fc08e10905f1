/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Opening and walking with memory, reads or patience ending at every possible place: a clean error,
 * nothing lost (a sanitizer sees leaks), and the same volume works when the trouble is over.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <unistd.h>
#include "fixture.h"
#include "fs/internal.h"
#include "tree/internal.h"

/*
 * Calls that still succeed; none fails while it is negative. Once it strikes all later ones fail.
 */
static long allocations = -1;
static long device_reads = -1;

void *__real_sendcp_alloc(size_t size);
void *__real_sendcp_zalloc(size_t size);
void *__real_sendcp_realloc(void *block, size_t old, size_t size);
void *__real_sendcp_alloc_aligned(size_t size);
void *__wrap_sendcp_alloc(size_t size);
void *__wrap_sendcp_zalloc(size_t size);
void *__wrap_sendcp_realloc(void *block, size_t old, size_t size);
void *__wrap_sendcp_alloc_aligned(size_t size);

static bool ends(long *left)
{
	if (*left > 0)
		--*left;
	return !*left;
}

void *__wrap_sendcp_alloc(size_t size)
{
	return ends(&allocations) ? NULL : __real_sendcp_alloc(size);
}

void *__wrap_sendcp_zalloc(size_t size)
{
	return ends(&allocations) ? NULL : __real_sendcp_zalloc(size);
}

void *__wrap_sendcp_realloc(void *block, size_t old, size_t size)
{
	return ends(&allocations) ? NULL : __real_sendcp_realloc(block, old, size);
}

void *__wrap_sendcp_alloc_aligned(size_t size)
{
	return ends(&allocations) ? NULL : __real_sendcp_alloc_aligned(size);
}

static bool interrupts;

static void count_read(struct fixture *fixture)
{
	bool over = ends(&device_reads);

	fixture->interrupt = over && interrupts;
	fixture->devices[0].fail = over && !interrupts ? -EIO : 0;
}

static bool make_image(const char *path)
{
	char command[512];

	snprintf(command, sizeof(command),
		 "d=$(mktemp -d) && (cd $d; i=0; while [ $i -lt 3000 ]; do echo $i >file-$i;"
		 " i=$((i+1)); done; truncate -s 128M '%s';"
		 " mkfs.btrfs -q -f -m dup -n 4096 -r . '%s' >/dev/null 2>&1;"
		 " r=$?; rm -rf $d; exit $r)", path, path);
	return !system(command);
}

static struct fixture fixture;

static int group_setup(void **state)
{
	char path[64] = "/tmp/sendcp-unit-XXXXXX";
	int fd = mkstemp(path);

	if (fd < 0 || close(fd) || !make_image(path))
		return -1;
	fixture_init(&fixture);
	fixture_add_file(&fixture, path);
	fixture.host.cache_size = 1;
	fixture.before_read = count_read;
	return unlink(path);
}

static int group_teardown(void **state)
{
	fixture_release(&fixture);
	return 0;
}

static int walk(u32 *items)
{
	struct sendcp_key key = { 0 };
	struct sendcp_cursor cursor;
	struct sendcp_tree tree;
	int ret;

	*items = 0;
	ret = sendcp_tree_open(fixture.volume, SENDCP_FS_TREE_ID, false, &tree);
	if (ret)
		return ret;
	sendcp_cursor_init(&cursor, &tree);
	cursor.readahead = true;
	ret = sendcp_search(&cursor, &key);
	while (ret >= 0) {
		++*items;
		ret = sendcp_next(&cursor);
	}
	sendcp_cursor_release(&cursor);
	return ret == -ENOENT ? 0 : ret;
}

/* 0, or the failure, which must be @err with @reason. */
static int open_and_walk(u32 *items, int err, enum sendcp_reason reason)
{
	const struct sendcp_error *error = &fixture.error;
	int ret = fixture_open(&fixture);

	*items = 0;
	if (!ret) {
		ret = walk(items);
		error = &fixture.volume->error;
	}
	if (ret) {
		assert_int_equal(ret, err);
		assert_int_equal(error->err, err);
		assert_int_equal(error->reason, reason);
	}
	return ret;
}

/* Moves the end of @left on until everything succeeds. */
static void strike_everywhere(long *left, int err, enum sendcp_reason reason)
{
	u32 items, again, all;
	long calls;
	int ret;

	assert_int_equal(open_and_walk(&all, 0, SENDCP_ERR_NONE), 0);
	assert_true(all > 1000);
	fixture_close(&fixture);
	for (calls = 1; ; calls++) {
		*left = calls;
		ret = open_and_walk(&items, err, reason);
		*left = -1;
		fixture.interrupt = false;
		if (fixture.volume) {
			assert_int_equal(walk(&again), 0);
			assert_int_equal(again, all);
		}
		fixture_close(&fixture);
		if (!ret)
			break;
	}
	assert_int_equal(items, all);
	assert_true(calls > 10);
}

static void memory_ends(void **state)
{
	strike_everywhere(&allocations, -ENOMEM, SENDCP_ERR_NO_MEMORY);
}

static void reads_fail(void **state)
{
	interrupts = false;
	strike_everywhere(&device_reads, -EIO, SENDCP_ERR_DEVICE_READ);
}

/* Raised in a read, it is noticed before the next one. */
static void interruption(void **state)
{
	interrupts = true;
	strike_everywhere(&device_reads, -EINTR, SENDCP_ERR_INTERRUPTED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(memory_ends),
		cmocka_unit_test(reads_fail),
		cmocka_unit_test(interruption),
	};

	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
