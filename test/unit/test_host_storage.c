// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The devices that block devices are made of, from a tree like that of sysfs: partitions,
 * device-mapper, md, loop devices, and stacks of them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

/* The file itself is tried, with another place for sysfs: the working directory. */
#define SYSFS_BLOCK "block"
#include "backend/storage.c"

static char directory[200];

__attribute__((format(printf, 1, 2)))
static void run(const char *fmt, ...)
{
	char command[1000];
	va_list args;

	va_start(args, fmt);
	vsnprintf(command, sizeof(command), fmt, args);
	va_end(args);
	assert_int_equal(system(command), 0);
}

/* No driver has these major numbers, so nothing is asked of a real device. */
static void make_tree(void)
{
	/* Two disks, the first with two partitions. */
	run("mkdir -p block devices/sda/sda1 devices/sda/sda2 devices/sdb");
	run("echo 3000:0 > devices/sda/dev; echo 3000:1 > devices/sda/sda1/dev");
	run("echo 3000:2 > devices/sda/sda2/dev; echo 3000:16 > devices/sdb/dev");
	run("echo 1 > devices/sda/sda1/partition; echo 2 > devices/sda/sda2/partition");
	/* md on a partition and a disk, two volumes of device-mapper on that, one more on sda2. */
	run("for d in md0 dm-0 dm-1 dm-2; do mkdir -p devices/$d/slaves; done");
	run("echo 3001:0 > devices/md0/dev; echo 3002:0 > devices/dm-0/dev");
	run("echo 3002:1 > devices/dm-1/dev; echo 3002:2 > devices/dm-2/dev");
	run("ln -s ../../sda/sda1 ../../sdb devices/md0/slaves");
	run("ln -s ../../md0 devices/dm-0/slaves; ln -s ../../md0 devices/dm-1/slaves");
	run("ln -s ../../sda/sda2 devices/dm-2/slaves");
	/* A loop device on a file, whose name is all that can be known here. */
	run("mkdir -p devices/loop0/loop; echo 3003:0 > devices/loop0/dev; touch backing");
	run("echo \"$PWD/backing\" > devices/loop0/loop/backing_file");
	/* One that is made of itself. */
	run("mkdir -p devices/dm-9/slaves; echo 3002:9 > devices/dm-9/dev");
	run("ln -s ../../dm-9 devices/dm-9/slaves");
	run("for f in devices/*/dev devices/*/*/dev; do ln -s ../${f%%/dev} block/$(cat $f); done");
}

static int setup(void **state)
{
	snprintf(directory, sizeof(directory), "%s/sendcp-test.XXXXXX",
		 getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
	assert_non_null(mkdtemp(directory));
	assert_int_equal(chdir(directory), 0);
	make_tree();
	return 0;
}

static int teardown(void **state)
{
	assert_int_equal(chdir("/"), 0);
	run("rm -r %s", directory);
	return 0;
}

static struct storage of_block(unsigned int high, unsigned int low)
{
	const struct stat st = { .st_mode = S_IFBLK, .st_rdev = makedev(high, low) };
	struct storage storage;

	assert_int_equal(sendcp_storage_of_stat(&st, &storage), 0);
	return storage;
}

static void check(struct storage first, struct storage second, enum storage_relation want)
{
	enum storage_relation back = want == STORAGE_HOLDS ? STORAGE_LIES_ON :
				     want == STORAGE_LIES_ON ? STORAGE_HOLDS : want;

	assert_int_equal(sendcp_storage_relate(&first, &second), want);
	assert_int_equal(sendcp_storage_relate(&second, &first), back);
}

static void partitions(void **state)
{
	check(of_block(3000, 0), of_block(3000, 0), STORAGE_SAME);
	check(of_block(3000, 0), of_block(3000, 1), STORAGE_HOLDS);
	check(of_block(3000, 1), of_block(3000, 2), STORAGE_APART);
	check(of_block(3000, 0), of_block(3000, 16), STORAGE_APART);
}

static void stacks(void **state)
{
	check(of_block(3001, 0), of_block(3000, 1), STORAGE_LIES_ON);
	check(of_block(3002, 0), of_block(3001, 0), STORAGE_LIES_ON);
	/* All the way down. */
	check(of_block(3002, 0), of_block(3000, 0), STORAGE_LIES_ON);
	check(of_block(3002, 0), of_block(3000, 16), STORAGE_LIES_ON);
	check(of_block(3002, 0), of_block(3000, 2), STORAGE_APART);
	/* Volumes of one group have disks in common, and no byte. */
	check(of_block(3002, 0), of_block(3002, 1), STORAGE_APART);
	check(of_block(3002, 2), of_block(3002, 1), STORAGE_APART);
	check(of_block(3002, 2), of_block(3000, 2), STORAGE_LIES_ON);
}

static void loop_devices(void **state)
{
	struct storage file;
	struct stat st;

	assert_int_equal(stat("backing", &st), 0);
	assert_int_equal(sendcp_storage_of_stat(&st, &file), 0);
	check(of_block(3003, 0), file, STORAGE_SAME);
	check(of_block(3003, 0), of_block(3000, 0), STORAGE_APART);
}

/* Nor is what sysfs does not know, or what has no bytes that stay. */
static void nothing_is_endless(void **state)
{
	const struct stat self = { .st_mode = S_IFBLK, .st_rdev = makedev(3002, 9) };
	const struct stat pipe = { .st_mode = S_IFIFO, .st_ino = 1 };
	struct storage storage;

	assert_int_equal(sendcp_storage_of_stat(&self, &storage), -E2BIG);
	assert_int_equal(sendcp_storage_of_stat(&pipe, &storage), 0);
	assert_int_equal(storage.count, 0);
	assert_int_equal(sendcp_storage_relate(&storage, &storage), STORAGE_APART);
	check(of_block(3009, 1), of_block(3009, 1), STORAGE_SAME);
	check(of_block(3009, 1), of_block(3009, 2), STORAGE_APART);
	assert_int_equal(sendcp_storage_of_fd(-1, &storage), -EBADF);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(partitions),
		cmocka_unit_test(stacks),
		cmocka_unit_test(loop_devices),
		cmocka_unit_test(nothing_is_endless),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
