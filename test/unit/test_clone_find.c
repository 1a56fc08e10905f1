// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The clone search on filesystems that btrfs made: the source it names, and that the backref cache
 * in a checkpoint is as good as the one in memory.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <cmocka.h>

#include "clone/clone.h"
#include "fixture.h"
#include "loopfs.h"

#define KIB 1024ULL
#define NONE 99u

static struct loopfs fs;

/* Small nodes and files enough for trees of two levels, so that snapshots share leaves. */
#define OPTIONS "-n 4096 -m single"

static void reflink(const char *from, u64 offset, u64 length, const char *to, u64 to_offset)
{
	struct file_clone_range range = {
		.src_offset = offset, .src_length = length, .dest_offset = to_offset,
	};
	char path[256];
	int fd, source;

	snprintf(path, sizeof(path), "%s/%s", fs.mount, from);
	source = open(path, O_RDONLY | O_CLOEXEC);
	snprintf(path, sizeof(path), "%s/%s", fs.mount, to);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	assert_true(source >= 0 && fd >= 0);
	range.src_fd = source;
	assert_int_equal(ioctl(fd, FICLONERANGE, &range), 0);
	close(fd);
	close(source);
}

/*
 * Subvolume 256 and its files a = 257, b = 258: a copy, c = 259: twice the same, d = 260: a piece.
 * Then its snapshot 257, and 258, another one.
 */
static void make_four_files(const char *mount_options)
{
	loopfs_make(&fs, 1, 600, OPTIONS);
	loopfs_mount(&fs, mount_options);
	loopfs_run(&fs, "btrfs -q subvolume create w; head -c 131072 /dev/urandom > w/a;"
			" sync -f .");
	reflink("w/a", 0, 128 * KIB, "w/b", 0);
	reflink("w/a", 0, 128 * KIB, "w/c", 0);
	reflink("w/a", 0, 128 * KIB, "w/c", 128 * KIB);
	reflink("w/a", 32 * KIB, 32 * KIB, "w/d", 0);
	loopfs_run(&fs, "touch w/x$(seq -s ' w/x' 100)\n"
			"btrfs -q subvolume snapshot -r w s\n"
			"btrfs -q subvolume snapshot -r w t; sync -f .\n");
}

/* A search in subvolume roots[0], with all of @ids to clone from. */
struct lab {
	struct fixture fixture;
	struct sendcp_clone_root roots[4];
	struct sendcp_clone_search search;
	struct sendcp_tree *tree;
};

static void lab_open(struct lab *lab, u64 send, const u64 *ids, u32 count)
{
	u32 i;

	fixture_init(&lab->fixture);
	fixture_add_file(&lab->fixture, fs.images[0]);
	assert_int_equal(fixture_open(&lab->fixture), 0);
	memset(lab->roots, 0, sizeof(lab->roots));
	for (i = 0; i < count; i++) {
		assert_int_equal(sendcp_tree_open(lab->fixture.volume, ids[i], true,
						  &lab->roots[i].tree), 0);
		lab->roots[i].is_send_root = ids[i] == send;
		if (ids[i] == send)
			lab->tree = &lab->roots[i].tree;
	}
	assert_int_equal(sendcp_clone_search_init(&lab->search, lab->fixture.volume, lab->roots,
						  count), 0);
}

static void lab_close(struct lab *lab)
{
	sendcp_clone_search_release(&lab->search);
	fixture_release(&lab->fixture);
}

/* The source of the extent at @offset of @ino, all before which was sent; root NONE: none. */
static struct sendcp_clone_source find(struct lab *lab, u64 ino, u64 offset)
{
	struct sendcp_clone_source source = { .root = NONE };
	struct sendcp_clone_wanted wanted = { .ino = ino, .next_write_offset = offset };
	struct sendcp_cursor cursor;
	struct sendcp_extent extent;
	struct sendcp_inode inode;
	int ret;

	assert_int_equal(sendcp_inode_get(lab->tree, ino, &inode), 0);
	sendcp_cursor_init(&cursor, lab->tree);
	assert_int_equal(sendcp_extent_find(&cursor, ino, offset, &extent), 0);
	assert_int_equal(extent.file_offset, offset);
	wanted.extent = &extent;
	wanted.leaf_owner = cursor.path[0]->owner;
	wanted.inode_size = inode.size;
	sendcp_cursor_release(&cursor);
	ret = sendcp_clone_find(&lab->search, &wanted, &source);
	assert_true(ret >= 0);
	if (!ret)
		source.root = NONE;
	return source;
}

static void expect(struct lab *lab, u64 ino, u64 offset, u32 root, u64 from, u64 from_offset)
{
	struct sendcp_clone_source source = find(lab, ino, offset);

	assert_int_equal(source.root, root);
	if (root == NONE)
		return;
	assert_int_equal(source.ino, from);
	assert_int_equal(source.offset, from_offset);
}

/* Native send names the same sources. */
static void expect_four_files(struct lab *lab)
{
	expect(lab, 257, 0, NONE, 0, 0);
	expect(lab, 258, 0, 0, 257, 0);
	expect(lab, 259, 0, 0, 258, 0);
	/* The later part of the same file comes before other files. */
	expect(lab, 259, 128 * KIB, 0, 259, 0);
	expect(lab, 260, 0, 0, 259, 160 * KIB);
}

static void within_a_subvolume(void **state)
{
	static const u64 ids[] = { 257 };
	struct lab lab;

	make_four_files("");
	loopfs_unmount(&fs);
	lab_open(&lab, 257, ids, 1);
	expect_four_files(&lab);
	lab_close(&lab);
}

static void from_another_subvolume(void **state)
{
	static const u64 ids[] = { 257, 258 };
	struct lab lab;

	lab_open(&lab, 258, ids, 2);
	/* The older snapshot has it all. */
	expect(&lab, 257, 0, 0, 259, 128 * KIB);
	lab_close(&lab);
	lab_open(&lab, 257, ids, 2);
	expect(&lab, 257, 0, 1, 259, 128 * KIB);
	lab_close(&lab);
}

/* Without the subvolume that made it, a leaf's items are referred to by its address. */
static void through_shared_references(void **state)
{
	static const u64 ids[] = { 257 };
	struct lab lab;

	make_four_files("commit=1");
	loopfs_run(&fs, "btrfs -q subvolume delete w; btrfs subvolume sync . > /dev/null\n"
			"sync -f .\n"
		   "btrfs inspect-internal dump-tree -t extent %s |\n"
		   "grep -q 'shared data backref'\n",
		   fs.loops[0]);
	loopfs_unmount(&fs);
	lab_open(&lab, 257, ids, 1);
	expect(&lab, 257, 0, NONE, 0, 0);
	expect(&lab, 258, 0, 0, 257, 0);
	/* The leaf is known from the first search, so its items are taken as they come. */
	expect(&lab, 259, 0, 0, 257, 0);
	expect(&lab, 259, 128 * KIB, 0, 257, 0);
	expect(&lab, 260, 0, 0, 257, 32 * KIB);
	lab_close(&lab);
	/* Otherwise from the last one. */
	lab_open(&lab, 257, ids, 1);
	expect(&lab, 260, 0, 0, 259, 160 * KIB);
	lab_close(&lab);
}

static void parts_of_a_compressed_extent(void **state)
{
	static const u64 ids[] = { 257, 258 };
	struct lab lab;

	loopfs_make(&fs, 1, 300, "");
	loopfs_mount(&fs, "compress-force=zstd");
	loopfs_run(&fs, "btrfs -q subvolume create w; cd w; yes | head -c 131072 > a; sync -f .\n"
			"dd if=/dev/urandom of=a bs=4096 count=1 seek=16 conv=notrunc status=none\n"
			"cd ..; sync -f .; btrfs -q subvolume snapshot -r w s\n"
			"btrfs -q subvolume create t; sync -f .\n");
	loopfs_unmount(&fs);
	/* Alone: the reference that both parts make is not looked at. */
	lab_open(&lab, 257, ids, 1);
	expect(&lab, 257, 68 * KIB, NONE, 0, 0);
	lab_close(&lab);
	/* Else it is, and of compressed parts any will do. */
	lab_open(&lab, 257, ids, 2);
	expect(&lab, 257, 68 * KIB, 0, 257, 0);
	expect(&lab, 257, 0, NONE, 0, 0);
	lab_close(&lab);
}

static void up_to_1024_references(void **state)
{
	static const u64 ids[] = { 257 };
	struct lab lab;

	loopfs_make(&fs, 1, 300, "");
	loopfs_mount(&fs, "");
	loopfs_run(&fs, "btrfs -q subvolume create w; cd w\n"
			"head -c 8192 /dev/urandom > a; head -c 8192 /dev/urandom > b; sync -f .\n"
			"for i in $(seq 1023); do cp --reflink=always a a$i; done\n"
			"for i in $(seq 1024); do cp --reflink=always b b$i; done\n"
			"cd ..; btrfs -q subvolume snapshot -r w s; sync -f .\n");
	loopfs_unmount(&fs);
	lab_open(&lab, 257, ids, 1);
	expect(&lab, 259 + 1022, 0, 0, 259 + 1021, 0);
	expect(&lab, 259, 0, 0, 257, 0);
	expect(&lab, 259 + 1023, 0, NONE, 0, 0);
	lab_close(&lab);
}

/*
 * Searches for each extent of @lab's tree; the backref cache goes through a checkpoint before each.
 */
static u32 compare_with_reloaded(struct lab *lab, struct lab *other)
{
	struct sendcp_key key = { 0 };
	u64 leaves[SENDCP_BACKREF_CACHE_LEAVES];
	struct sendcp_clone_source one, two;
	struct sendcp_cursor cursor;
	u32 count, seen = 0;
	int ret;

	sendcp_cursor_init(&cursor, lab->tree);
	for (ret = sendcp_search(&cursor, &key); ret >= 0; ret = sendcp_next(&cursor)) {
		key = sendcp_cursor_key(&cursor);
		if (key.type != SENDCP_EXTENT_DATA)
			continue;
		one = find(lab, key.objectid, key.offset);
		count = sendcp_backref_cache_save(&other->search, leaves,
						  SENDCP_BACKREF_CACHE_LEAVES);
		sendcp_clone_search_release(&other->search);
		assert_int_equal(sendcp_clone_search_init(&other->search, other->fixture.volume,
							  other->roots, lab->search.root_count), 0);
		assert_int_equal(sendcp_backref_cache_load(&other->search, leaves, count), 0);
		two = find(other, key.objectid, key.offset);
		assert_int_equal(one.root, two.root);
		if (one.root == NONE)
			continue;
		assert_int_equal(one.ino, two.ino);
		assert_int_equal(one.offset, two.offset);
		seen++;
	}
	assert_int_equal(ret, -ENOENT);
	sendcp_cursor_release(&cursor);
	return seen;
}

static void cache_survives_a_checkpoint(void **state)
{
	static const u64 ids[] = { 257, 258, 259 };
	static struct lab lab, other;

	loopfs_make(&fs, 1, 300, OPTIONS);
	loopfs_mount(&fs, "max_inline=0");
	/* Each original in a leaf of its own: enough of them to fill the backref cache. */
	loopfs_run(&fs, "btrfs -q subvolume create w; cd w\n"
			"for i in $(seq 200); do\n"
			"  head -c 16384 /dev/urandom > f$i; touch x$i-$(seq -s \" x$i-\" 10)\n"
			"done; sync -f .\n"
			"copy() {\n"
			"  cp --reflink=always f$(($1 * 7 %% 200 + 1)) c$1\n"
			"  touch y$1-$(seq -s \" y$1-\" 5)\n"
			"}\n"
			"for i in $(seq 300); do copy $i; done\n"
			"btrfs -q subvolume snapshot -r . ../s\n"
			"for i in $(seq 301 600); do copy $i; done\n"
			"btrfs -q subvolume snapshot -r . ../t\n"
			"for i in $(seq 601 800); do copy $i; done\n"
			"btrfs -q subvolume snapshot -r . ../u; sync -f .\n");
	loopfs_unmount(&fs);
	lab_open(&lab, 259, ids, 3);
	lab_open(&other, 259, ids, 3);
	assert_true(compare_with_reloaded(&lab, &other) > 800);
	assert_int_equal(sendcp_backref_cache_save(&lab.search, NULL, 0),
			 SENDCP_BACKREF_CACHE_LEAVES);
	lab_close(&other);
	lab_close(&lab);
}

/* The data is moved between reading the file's item and looking for a source. */
static void moved_under_the_reader(void **state)
{
	struct sendcp_clone_root root = { .is_send_root = true };
	struct sendcp_clone_wanted wanted = {
		.ino = 258, .leaf_owner = 256, .inode_size = 128 * KIB,
	};
	struct sendcp_clone_source source;
	struct sendcp_clone_search search;
	struct sendcp_cursor cursor;
	struct sendcp_extent extent;
	struct fixture fixture;

	make_four_files("");
	fixture_init(&fixture);
	fixture_add_direct(&fixture, fs.loops[0]);
	fixture.host.mounted = true;
	assert_int_equal(fixture_open(&fixture), 0);
	assert_int_equal(sendcp_tree_open(fixture.volume, 257, true, &root.tree), 0);
	sendcp_cursor_init(&cursor, &root.tree);
	assert_int_equal(sendcp_extent_find(&cursor, 258, 0, &extent), 0);
	sendcp_cursor_release(&cursor);
	wanted.extent = &extent;
	assert_int_equal(sendcp_clone_search_init(&search, fixture.volume, &root, 1), 0);
	assert_int_equal(sendcp_clone_find(&search, &wanted, &source), 1);

	loopfs_run(&fs, "btrfs balance start --full-balance . > /dev/null; sync -f .\n"
			"touch w/x; sync -f .\n");
	assert_true(sendcp_clone_find(&search, &wanted, &source) >= 0);
	assert_int_equal(sendcp_volume_refresh(fixture.volume), 1);
	/* The extent is not in the extent tree any more: no source, no failure. */
	assert_int_equal(sendcp_clone_find(&search, &wanted, &source), 0);

	/* At the address that the item has now, there is one. */
	assert_int_equal(sendcp_tree_reopen(&root.tree), 0);
	assert_int_equal(sendcp_extent_find(&cursor, 258, 0, &extent), 0);
	wanted.leaf_owner = cursor.path[0]->owner;
	sendcp_cursor_release(&cursor);
	assert_int_equal(sendcp_clone_find(&search, &wanted, &source), 1);
	assert_int_equal(source.ino, 257);
	sendcp_clone_search_release(&search);
	fixture_release(&fixture);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(within_a_subvolume),
		cmocka_unit_test(from_another_subvolume),
		cmocka_unit_test(through_shared_references),
		cmocka_unit_test(parts_of_a_compressed_extent),
		cmocka_unit_test(up_to_1024_references),
		cmocka_unit_test(cache_survives_a_checkpoint),
		cmocka_unit_test(moved_under_the_reader),
	};

	if (loopfs_skip())
		return 0;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
