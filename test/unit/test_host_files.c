// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * File contents through both hosts equal those of the mounted filesystem, for all extents,
 * checksums and profiles.
 */
#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "backend/read_failure.h"
#include "backend/internal.h"
#include "items/items.h"
#include "loopfs.h"

#define CHUNK (48u * 1024)
#define READ_MAX 180224u

/*
 * One of each kind of extent: inline, plain, holes, preallocated, partly overwritten, each
 * compression (inline too), no checksums, unaligned sizes, a reflink into the middle.
 */
static const char contents[] =
	"btrfs -q subvolume create src\n"
	"cd src\n"
	"put() { dd if=$1 of=$2 bs=4096 count=$3 seek=$4 conv=notrunc status=none; }\n"
	"fill() { head -c \"$2\" /dev/urandom > \"$1\"; }\n"
	"text() { seq 1 400000 | head -c \"$2\" > \"$1\"; }\n"
	"fill empty 0; fill inline 1000; fill plain 3000001; text short 2048\n"
	"truncate -s 777777 sparse; echo x >> sparse; truncate -s 2000000 sparse\n"
	"truncate -s 1234567 hole\n"
	"fill prealloc 100000; fallocate -l 500000 prealloc\n"
	"fallocate -l 300000 half; put plain half 7 5\n"
	"touch nosum; chattr +C nosum; put plain nosum 100 0\n"
	"for c in zlib lzo zstd; do\n"
	"  mount -o remount,compress-force=$c .. \n"
	"  text $c 1500000; text $c.small 1500; text $c.tail 131073; fill $c.hard 200000\n"
	"  cp --reflink=always $c $c.cut; put plain $c.cut 3 40\n"
	"  fallocate -p -o 600000 -l 100000 $c.cut\n"
	"  sync -f .\n"
	"done\n"
	"mount -o remount,compress=none ..\n"
	"cp --reflink=always plain cloned; put zlib cloned 2 9\n"
	"cd ..; sync -f .; btrfs -q subvolume snapshot -r src snap; sync -f .\n";

struct comparison {
	struct sendcp_source *source;
	struct sendcp_tree tree;
	unsigned int files;
	u8 *buffer;
};

/* nftw() has no argument for its callback. */
static struct comparison *comparing;

static void fill_range(struct comparison *c, u64 ino, u64 generation, u64 offset, u32 length,
		       struct sendcp_file_range *range)
{
	*range = (struct sendcp_file_range){
		.root = c->tree.id,
		.inode = ino,
		.generation = generation,
		.offset = offset,
		.length = length,
	};
}

/* Compares @length bytes at @offset, read into an odd address to show that none is special. */
static void compare_range(struct comparison *c, int fd, const struct sendcp_inode *inode,
			  u64 offset, u32 length, const char *path)
{
	static u8 expected[READ_MAX];
	struct sendcp_file_range range;
	struct sendcp_error error;
	u8 *out = c->buffer + (offset / CHUNK) % 3;
	char line[256];

	assert_int_equal(pread(fd, expected, length, (off_t)offset), length);
	fill_range(c, inode->ino, inode->generation, offset, length, &range);
	sendcp_error_clear(&error);
	if (c->source->host.ops->read_file(c->source, &range, out, &error))
		fail_msg("%s at %llu: %s", path, offset,
			 sendcp_error_format(&error, line, sizeof(line)));
	if (memcmp(out, expected, length))
		fail_msg("%s: %u bytes at %llu differ", path, length, offset);
}

static void compare_file(struct comparison *c, const char *path, u64 ino)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct sendcp_inode inode;
	u64 at;

	assert_true(fd >= 0);
	assert_int_equal(sendcp_inode_get(&c->tree, ino, &inode), 0);
	for (at = 0; at < inode.size; at += CHUNK)
		compare_range(c, fd, &inode, at, (u32)sendcp_min(CHUNK, inode.size - at), path);
	for (at = 1; at < inode.size; at += 100003)
		compare_range(c, fd, &inode, at, (u32)sendcp_min(5003, inode.size - at), path);
	if (inode.size)
		compare_range(c, fd, &inode, 0, (u32)sendcp_min(READ_MAX, inode.size), path);
	close(fd);
	c->files++;
}

static int compare_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	if (S_ISREG(st->st_mode))
		compare_file(comparing, path, st->st_ino);
	return 0;
}

/* Every file of the mounted subvolume @path against what @source reads of subvolume @spec. */
static void compare_all(struct sendcp_source *source, const char *spec, const char *path)
{
	struct comparison c = { .source = source };
	struct sendcp_subvolume subvolume;

	assert_int_equal(sendcp_source_find_subvolume(source, spec, &subvolume), 0);
	assert_true(subvolume.readonly);
	assert_int_equal(sendcp_tree_open(sendcp_source_volume(source), subvolume.id, true,
					  &c.tree), 0);
	c.buffer = malloc(READ_MAX + 8);
	comparing = &c;
	assert_int_equal(nftw(path, compare_entry, 16, FTW_PHYS), 0);
	assert_true(c.files >= 20);
	free(c.buffer);
	sendcp_subvolume_release(&subvolume);
}

static void compare_direct(struct loopfs *fs)
{
	struct sendcp_source *again;
	struct sendcp_source *source;
	char snap[200];

	snprintf(snap, sizeof(snap), "%s/snap", fs->mount);
	assert_int_equal(sendcp_source_open_mounted(snap, NULL, &source, NULL), 0);
	assert_string_equal(sendcp_source_kind(source), "direct");
	compare_all(source, snap, snap);
	assert_int_equal(sendcp_source_reopen(source, &again, NULL), 0);
	sendcp_source_close(source);
	compare_all(again, snap, snap);
	sendcp_source_close(again);
}

/* Opens the image files from @first on. */
static void open_images(struct loopfs *fs, unsigned int first, struct sendcp_source **out)
{
	const char *paths[LOOPFS_DEVICES];
	unsigned int count = 0;
	unsigned int i;

	/* Last first: the order must not matter. */
	for (i = fs->count; i > first; i--)
		paths[count++] = fs->images[i - 1];
	assert_int_equal(sendcp_source_open_image(paths, count, NULL, out, NULL), 0);
}

static void compare_image(struct loopfs *fs, unsigned int first)
{
	struct sendcp_source *again;
	struct sendcp_source *source;
	char snap[200];

	snprintf(snap, sizeof(snap), "%s/snap", fs->mount);
	open_images(fs, first, &source);
	assert_string_equal(sendcp_source_kind(source), "image");
	compare_all(source, "snap", snap);
	assert_int_equal(sendcp_source_reopen(source, &again, NULL), 0);
	sendcp_source_close(source);
	compare_all(again, "/snap/", snap);
	sendcp_source_close(again);
}

struct profile {
	const char *name;
	unsigned int devices;
	const char *options;
	/* The number of devices that may be missing. */
	unsigned int spare;
};

static const struct profile profiles[] = {
	{ "crc32c", 1, "", 0 },
	{ "xxhash", 1, "--csum xxhash -n 4096", 0 },
	{ "sha256", 1, "--csum sha256 -m single", 0 },
	{ "blake2", 1, "--csum blake2 -n 65536", 0 },
	{ "mixed", 1, "--mixed", 0 },
	{ "with holes", 1, "-O ^no-holes", 0 },
	{ "raid0", 2, "-d raid0 -m raid1", 0 },
	{ "raid1", 2, "-d raid1 -m raid1", 1 },
	{ "raid10", 4, "-d raid10 -m raid10", 1 },
	{ "raid5", 3, "-d raid5 -m raid1", 1 },
	{ "raid6", 4, "-d raid6 -m raid1c3", 2 },
};

static void test_profile(void **state)
{
	const struct profile *profile = *state;
	static struct loopfs fs;

	loopfs_make(&fs, profile->devices, 256, profile->options);
	loopfs_mount(&fs, "");
	loopfs_run(&fs, "%s", contents);
	compare_direct(&fs);
	loopfs_unmount(&fs);
	loopfs_mount(&fs, "ro");
	compare_image(&fs, 0);
	if (profile->spare)
		compare_image(&fs, profile->spare);
	loopfs_destroy(&fs);
}

/* The direct host with a device missing: both metadata and the kernel's own reads are degraded. */
static void test_direct_degraded(void **state)
{
	static struct loopfs fs;

	loopfs_make(&fs, 3, 256, "-d raid5 -m raid1");
	loopfs_mount(&fs, "");
	loopfs_run(&fs, "%s", contents);
	loopfs_unmount(&fs);
	loopfs_detach(&fs, 1);
	loopfs_mount(&fs, "degraded,ro");
	compare_direct(&fs);
	loopfs_destroy(&fs);
}

/* A sprout: the seed's blocks are read from it, under the seed's own id, by both hosts. */
static void test_seed(void **state)
{
	static struct loopfs fs;

	loopfs_make(&fs, 2, 256, "-d single -m single");
	loopfs_run(&fs, "mkfs.btrfs -q -f %s > mkfs.log 2>&1", fs.loops[0]);
	loopfs_mount(&fs, "");
	loopfs_run(&fs, "%s", contents);
	loopfs_unmount(&fs);
	loopfs_run(&fs, "btrfstune -S 1 %s", fs.loops[0]);
	loopfs_mount(&fs, "");
	loopfs_run(&fs, "btrfs -q device add -f %s . && mount -o remount,rw .\n"
		   "touch new; sync -f .", fs.loops[1]);
	compare_direct(&fs);
	loopfs_unmount(&fs);
	loopfs_mount(&fs, "ro");
	compare_image(&fs, 0);
	loopfs_destroy(&fs);
}

#define PATTERN "a pattern that stands nowhere else: 5b1c0d7e"
#define PATTERN_AT 1000003u

/* A raid1 with one file that holds the pattern in the middle; not mounted. */
static u64 make_patterned(struct loopfs *fs)
{
	char path[200];
	struct stat st;

	loopfs_make(fs, 2, 256, "-d raid1 -m raid1");
	loopfs_mount(fs, "");
	loopfs_run(fs, "btrfs -q subvolume create src; head -c 2000000 /dev/urandom > src/file\n"
		   "printf '%%s' '%s' | dd of=src/file bs=1 seek=%u conv=notrunc status=none\n"
		   "sync -f .; btrfs -q subvolume snapshot -r src snap", PATTERN, PATTERN_AT);
	snprintf(path, sizeof(path), "%s/snap/file", fs->mount);
	assert_int_equal(stat(path, &st), 0);
	loopfs_unmount(fs);
	return st.st_ino;
}

/* Reads the file's part around the pattern through @source; the result of that. */
static int read_patterned(struct sendcp_source *source, const char *spec, u64 ino, u8 *out,
			  struct sendcp_error *error)
{
	struct comparison c = { .source = source };
	struct sendcp_file_range range;
	struct sendcp_subvolume subvolume;
	struct sendcp_inode inode;
	int ret = 0;
	u64 at;

	assert_int_equal(sendcp_source_find_subvolume(source, spec, &subvolume), 0);
	assert_int_equal(sendcp_tree_open(sendcp_source_volume(source), subvolume.id, true,
					  &c.tree), 0);
	assert_int_equal(sendcp_inode_get(&c.tree, ino, &inode), 0);
	sendcp_error_clear(error);
	for (at = 0; !ret && at + CHUNK <= inode.size; at += CHUNK) {
		fill_range(&c, ino, inode.generation, at, CHUNK, &range);
		ret = source->host.ops->read_file(source, &range, out + at, error);
	}
	sendcp_subvolume_release(&subvolume);
	return ret;
}

/* One bad copy is served by the other; returns the number of repairs. */
static u64 read_with_bad_copy(unsigned int bad)
{
	u8 *out = malloc(2000000);
	struct sendcp_source *source;
	struct sendcp_error error;
	struct sendcp_stats stats;
	static struct loopfs fs;
	u64 ino;

	ino = make_patterned(&fs);
	assert_int_equal(loopfs_corrupt(&fs, bad, PATTERN, strlen(PATTERN), 3), 1);
	open_images(&fs, 0, &source);
	assert_int_equal(read_patterned(source, "snap", ino, out, &error), 0);
	assert_memory_equal(out + PATTERN_AT, PATTERN, strlen(PATTERN));
	sendcp_volume_stats(sendcp_source_volume(source), &stats);
	assert_int_equal(stats.repairs, source->warnings);
	sendcp_source_close(source);
	free(out);
	loopfs_destroy(&fs);
	return stats.repairs;
}

static void test_one_bad_copy(void **state)
{
	/* Only the copy that is read first is ever noticed, and reported once. */
	assert_int_equal(read_with_bad_copy(0) + read_with_bad_copy(1), 1);
}

/*
 * The direct host and the module report the same of a failure: the beginning of the read, and EIO.
 */
static void check_explained(struct sendcp_source *source, const struct sendcp_error *told)
{
	const u64 bad = PATTERN_AT / 4096 * 4096;
	struct sendcp_error error = *told;

	snprintf(error.detail, sizeof(error.detail), "a/path");
	error.offset = bad - 176128 + 4096;
	sendcp_read_failure_explain(source, &error);
	assert_int_equal(error.reason, SENDCP_ERR_DATA_CSUM);
	assert_int_equal(error.err, -EIO);
	assert_int_equal(error.inode, told->inode);
	assert_int_equal(error.root, told->root);
	assert_int_equal(error.offset, bad);
	assert_string_equal(error.detail, "a/path");
	/* With nothing wrong it was the device, and other errors are left alone. */
	error = *told;
	error.offset = bad + 4096;
	sendcp_read_failure_explain(source, &error);
	assert_int_equal(error.reason, SENDCP_ERR_DATA_READ);
	assert_int_equal(error.offset, bad + 4096);
	error.offset = bad;
	error.err = -EPERM;
	sendcp_read_failure_explain(source, &error);
	assert_int_equal(error.reason, SENDCP_ERR_DATA_READ);
}

static void test_both_copies_bad(void **state)
{
	u8 *out = malloc(2000000);
	struct sendcp_source *source;
	struct sendcp_error error;
	static struct loopfs fs;
	char snap[200];
	u64 ino;

	ino = make_patterned(&fs);
	assert_int_equal(loopfs_corrupt(&fs, 0, PATTERN, strlen(PATTERN), 3), 1);
	assert_int_equal(loopfs_corrupt(&fs, 1, PATTERN, strlen(PATTERN), 3), 1);
	open_images(&fs, 0, &source);
	assert_int_equal(read_patterned(source, "snap", ino, out, &error), -EIO);
	assert_int_equal(error.reason, SENDCP_ERR_DATA_CSUM);
	assert_int_equal(error.err, -EIO);
	assert_int_equal(error.inode, ino);
	assert_int_equal(error.offset, PATTERN_AT / 4096 * 4096);
	sendcp_source_close(source);

	loopfs_mount(&fs, "ro");
	snprintf(snap, sizeof(snap), "%s/snap", fs.mount);
	assert_int_equal(sendcp_source_open_mounted(snap, NULL, &source, NULL), 0);
	assert_int_equal(read_patterned(source, snap, ino, out, &error), -EIO);
	assert_int_equal(error.reason, SENDCP_ERR_DATA_READ);
	assert_int_equal(error.inode, ino);
	assert_in_range(error.offset, PATTERN_AT / 4096 * 4096 - CHUNK, PATTERN_AT);
	check_explained(source, &error);
	sendcp_source_close(source);
	free(out);
	loopfs_destroy(&fs);
}

int main(void)
{
	struct CMUnitTest tests[ARRAY_SIZE(profiles) + 4];
	size_t i;

	if (loopfs_skip())
		return 0;
	for (i = 0; i < ARRAY_SIZE(profiles); i++)
		tests[i] = (struct CMUnitTest){
			.name = profiles[i].name,
			.test_func = test_profile,
			.initial_state = (void *)(uintptr_t)&profiles[i],
		};
	tests[i++] = (struct CMUnitTest)cmocka_unit_test(test_direct_degraded);
	tests[i++] = (struct CMUnitTest)cmocka_unit_test(test_seed);
	tests[i++] = (struct CMUnitTest)cmocka_unit_test(test_one_bad_copy);
	tests[i++] = (struct CMUnitTest)cmocka_unit_test(test_both_copies_bad);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
