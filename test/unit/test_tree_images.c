/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Filesystems as mkfs.btrfs and the kernel make them: every item of every tree is reached, in all
 * profiles, with devices missing, garbled or stale. Needs root and loop devices; skipped otherwise.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
#include "fixture.h"
#include "fs/internal.h"
#include "tree/internal.h"
#include "volume/internal.h"

/*
 * $1 folder, $2 number of devices, $3 what to do to them, $4 arguments of mkfs.btrfs. Leaves the
 * devices in $1/0, $1/1 ... and the number of items that dump-tree sees in $1/items.
 */
static const char script[] =
	"set -e; cd \"$1\"; loops=; mkdir -p m; trap 'umount m 2>/dev/null || :;"
	" for l in $loops; do losetup -d $l || :; done' EXIT\n"
	"attach() { rm -f $1; truncate -s 512M $1; l=$(losetup -f --show $1);"
	" loops=\"$loops $l\"; eval dev$1=$l; }\n"
	"fill() { mkdir m/$1; seq $2 | while read i; do echo $i >m/$1/a-file-called-$i; done;"
	" seq 200 | while read i; do ln m/$1/a-file-called-$i m/$1/link-$i; done;"
	" head -c 3000000 /dev/urandom >m/$1/big; }\n"
	"sprout() { umount m; btrfstune -f -S 1 $1 >/dev/null; mount -t btrfs $1 m 2>/dev/null;"
	" btrfs device add -f $2 m >/dev/null;"
	" mount -o remount,rw m; fill $3 500; }\n"
	"i=0; while [ $i -lt $2 ]; do attach $i; i=$((i+1)); done\n"
	"mkfs.btrfs -q -f $4 $loops >/dev/null 2>&1; btrfs device scan $loops >/dev/null\n"
	"mount -t btrfs $dev0 m\n"
	"fill one 3000; btrfs subvolume snapshot -r m m/snap >/dev/null; fill two 1000\n"
	"case $3 in\n"
	"seed) attach 1; sprout $dev0 $dev1 three; dev0=$dev1;;\n"
	"seeds) attach 1; attach 2; sprout $dev0 $dev1 three; sprout $dev1 $dev2 four;"
	" dev0=$dev2;;\n"
	"uuid) umount m; btrfstune -f -m $dev0 >/dev/null; mount $dev0 m; fill three 300;;\n"
	"stale) umount m; losetup -d $dev1; loops=$dev0;"
	" btrfs device scan -u $dev1 2>/dev/null || :; mount -t btrfs -o degraded $dev0 m;"
	" fill three 1000; rm -r m/two; sync -f m; fill four 1000;;\n"
	"esac\n"
	"umount m; btrfs inspect-internal dump-tree $dev0 2>/dev/null |"
	" grep -c '^.item [0-9]* key' >items\n";

struct volume_case {
	const char *name;
	const char *kind;
	const char *mkfs;
	u8 devices;
	/* Devices that may be missing or bad at once. */
	u8 spare;
};

static const struct volume_case cases[] = {
	{ "single", "plain", "-m single -n 4096 --csum xxhash", 1, 0 },
	{ "dup", "plain", "-m dup --csum crc32c", 1, 0 },
	{ "64k", "plain", "-m dup -n 65536 --csum sha256", 1, 0 },
	{ "mixed", "plain", "-M --csum blake2", 1, 0 },
	{ "uuid", "uuid", "-m single", 1, 0 },
	{ "seed", "seed", "-m dup", 1, 0 },
	{ "seeds", "seeds", "-m single", 1, 0 },
	{ "raid0", "plain", "-m raid0 -d raid0 -n 65536", 3, 0 },
	{ "raid1", "plain", "-m raid1 -d raid0", 2, 1 },
	{ "stale", "stale", "-m raid1 -d single", 2, 0 },
	{ "raid10", "plain", "-m raid10 -d raid10 -n 32768", 4, 1 },
	{ "raid5", "plain", "-m raid5 -d raid5 -n 65536", 3, 1 },
	{ "raid6", "plain", "-m raid6 -d raid6", 5, 2 },
	{ "raid1c3", "plain", "-d raid6 -m raid1c3", 4, 2 },
	{ "raid1c4", "plain", "-m raid1c4 -d raid1c4 -n 8192", 4, 3 },
};

struct image {
	char folder[64];
	const struct volume_case *of;
	u64 items;
	u32 devices;
};

static bool run_script(const char *folder, const struct volume_case *of)
{
	char count[4];
	pid_t pid = fork();
	int status = -1;

	snprintf(count, sizeof(count), "%u", of->devices);
	if (!pid) {
		execl("/bin/sh", "sh", "-c", script, "sh", folder, count, of->kind, of->mkfs,
		      (char *)NULL);
		_exit(127);
	}
	return pid > 0 && waitpid(pid, &status, 0) == pid && !status;
}

static void remove_folder(const char *folder)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -rf '%s'", folder);
	assert_int_equal(system(command), 0);
}

static void make_image(struct image *image, const struct volume_case *of)
{
	char path[128];
	FILE *file;

	image->of = of;
	snprintf(image->folder, sizeof(image->folder), "%s/sendcp-unit-XXXXXX",
		 getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
	assert_non_null(mkdtemp(image->folder));
	if (!run_script(image->folder, of)) {
		remove_folder(image->folder);
		fail_msg("cannot make image %s", of->name);
	}
	snprintf(path, sizeof(path), "%s/items", image->folder);
	file = fopen(path, "r");
	assert_non_null(file);
	assert_int_equal(fscanf(file, "%ju", (uintmax_t *)&image->items), 1);
	fclose(file);
	for (image->devices = 0; image->devices < FIXTURE_DEVICES; image->devices++) {
		snprintf(path, sizeof(path), "%s/%u", image->folder, image->devices);
		if (access(path, R_OK))
			break;
	}
}

/* All devices but those in @missing, the first to come last if @turned. */
static void map_image(struct fixture *fixture, const struct image *image, u32 missing, bool turned)
{
	char path[128];
	u32 i, index;

	fixture_init(fixture);
	for (i = 0; i < image->devices; i++) {
		index = turned ? image->devices - 1 - i : i;
		snprintf(path, sizeof(path), "%s/%u", image->folder, index);
		if (!(missing >> index & 1))
			fixture_add_file(fixture, path);
	}
}

struct sum {
	u64 items;
	u64 hash;
};

static void add_item(struct sum *sum, const struct sendcp_cursor *cursor)
{
	struct sendcp_key key = sendcp_cursor_key(cursor);
	u32 size;
	const void *item = sendcp_cursor_item(cursor, &size);
	u64 seed = sum->hash ^ key.objectid ^ (u64)key.type << 56 ^ key.offset << 8;

	sum->items++;
	sum->hash = fixture_random(&seed) ^ sendcp_crc32c(0, item, size);
}

static int walk_tree(struct sendcp_volume *volume, u64 id, bool ahead, struct sum *sum)
{
	struct sendcp_key key = { 0 };
	struct sendcp_cursor cursor;
	struct sendcp_tree tree;
	int ret;

	ret = sendcp_tree_open(volume, id, false, &tree);
	if (ret)
		return ret;
	sendcp_cursor_init(&cursor, &tree);
	cursor.readahead = ahead;
	ret = sendcp_search(&cursor, &key);
	while (ret >= 0) {
		add_item(sum, &cursor);
		ret = sendcp_next(&cursor);
	}
	sendcp_cursor_release(&cursor);
	return ret == -ENOENT ? 0 : ret;
}

/* Every tree that the root tree names, and the two that it does not. */
static int walk_all(struct sendcp_volume *volume, bool ahead, struct sum *sum)
{
	struct sendcp_key key = { 0 };
	struct sendcp_cursor cursor;
	struct sendcp_tree roots;
	int ret, walked;

	memset(sum, 0, sizeof(*sum));
	walked = walk_tree(volume, SENDCP_ROOT_TREE_ID, ahead, sum);
	if (!walked)
		walked = walk_tree(volume, SENDCP_CHUNK_TREE_ID, ahead, sum);
	assert_int_equal(sendcp_tree_open(volume, SENDCP_ROOT_TREE_ID, false, &roots), 0);
	sendcp_cursor_init(&cursor, &roots);
	ret = sendcp_search(&cursor, &key);
	while (ret >= 0 && !walked) {
		key = sendcp_cursor_key(&cursor);
		if (key.type == SENDCP_ROOT_ITEM)
			walked = walk_tree(volume, key.objectid, ahead, sum);
		ret = sendcp_next(&cursor);
	}
	sendcp_cursor_release(&cursor);
	return walked ? walked : ret == -ENOENT ? 0 : ret;
}

static void explain(struct fixture *fixture, const struct image *image, const char *what)
{
	const struct sendcp_error *error = fixture->volume ? &fixture->volume->error :
							  &fixture->error;
	char line[300];

	fail_msg("%s, %s: %s", image->of->name, what, sendcp_error_format(error, line,
									  sizeof(line)));
}

static void expect_whole(struct fixture *fixture, const struct image *image, const char *what,
			 struct sum *sum)
{
	struct sum found;

	if (fixture_open(fixture) || walk_all(fixture->volume, true, &found))
		explain(fixture, image, what);
	assert_int_equal(found.items, image->items);
	if (sum->items)
		assert_int_equal(found.hash, sum->hash);
	*sum = found;
}

/* Changes a byte of every page of @device that holds anything, from @start on. */
static void garble(struct fixture_device *device, u64 start)
{
	u64 at;

	for (at = start; at < device->size; at += 4096)
		if (sendcp_get_le64(device->bytes + at) ||
		    sendcp_get_le64(device->bytes + at + 2048))
			device->bytes[at + 60] ^= 0x42;
}

static void check_missing(const struct image *image, u32 mask, struct sum *sum)
{
	struct fixture fixture;

	map_image(&fixture, image, mask, false);
	expect_whole(&fixture, image, "devices missing", sum);
	assert_int_equal(fixture.warnings, 0);
	fixture_release(&fixture);
}

/* Bad devices are made up for and reported; @start 0: their superblocks are bad, too. */
static void check_garbled(const struct image *image, u32 mask, u64 start, struct sum *sum)
{
	struct fixture fixture;
	u32 i;

	map_image(&fixture, image, 0, false);
	for (i = 0; i < image->devices; i++)
		if (mask >> i & 1)
			garble(&fixture.devices[i], start);
	expect_whole(&fixture, image, "devices garbled", sum);
	assert_true(fixture.warnings > 0 || fixture.volume->stats.repairs == 0);
	fixture_release(&fixture);
}

static void check_combinations(const struct image *image, struct sum *sum)
{
	u32 mask;

	for (mask = 1; mask < 1u << image->devices; mask++) {
		if (__builtin_popcount(mask) > image->of->spare)
			continue;
		check_missing(image, mask, sum);
		check_garbled(image, mask, SENDCP_SUPER_OFFSET_1 + 4096, sum);
		check_garbled(image, mask, 0, sum);
	}
}

/* With one more device lost the failure is reported, and is not a crash. */
static void check_too_many_missing(const struct image *image)
{
	u32 mask = (1u << (image->of->spare + 1)) - 1;
	struct fixture fixture;
	struct sum sum;
	int ret;

	if (image->of->spare + 1u >= image->devices)
		return;
	map_image(&fixture, image, mask, false);
	ret = fixture_open(&fixture);
	if (!ret)
		ret = walk_all(fixture.volume, true, &sum);
	if (ret)
		assert_true(ret == -ENODEV || ret == -EUCLEAN);
	fixture_release(&fixture);
}

static void check_plain(const struct image *image, struct sum *sum)
{
	struct fixture fixture;
	struct sum again;

	map_image(&fixture, image, 0, false);
	expect_whole(&fixture, image, "whole", sum);
	assert_int_equal(fixture.volume->stats.repairs, 0);
	if (walk_all(fixture.volume, false, &again))
		explain(&fixture, image, "without reading ahead");
	assert_int_equal(again.hash, sum->hash);
	fixture_release(&fixture);
	map_image(&fixture, image, 0, true);
	fixture.host.cache_size = 1;
	expect_whole(&fixture, image, "devices in reverse order", sum);
	fixture_release(&fixture);
}

/* DUP: the first copy of everything is bad, and the second one serves. */
static void check_first_copies_bad(const struct image *image, struct sum *sum)
{
	struct fixture fixture;
	struct sendcp_chunk_map *map;
	u32 i;

	map_image(&fixture, image, 0, false);
	assert_int_equal(fixture_open(&fixture), 0);
	map = &fixture.volume->chunks;
	for (i = 0; i < map->count; i++) {
		struct sendcp_chunk_stripe *stripe = &map->chunks[i].stripes[0];
		struct fixture_device bytes = fixture.devices[stripe->device];

		bytes.size = stripe->offset + map->chunks[i].length;
		if (map->chunks[i].type & SENDCP_CHUNK_DUP)
			garble(&bytes, stripe->offset);
	}
	fixture_close(&fixture);
	expect_whole(&fixture, image, "first copies garbled", sum);
	if (strstr(image->of->mkfs, "dup")) {
		assert_true(fixture.volume->stats.repairs > 0);
		assert_true(fixture.warnings > 0);
		assert_int_equal(fixture.warning.err, -EUCLEAN);
	}
	fixture_release(&fixture);
}

static void check_case(const struct volume_case *of)
{
	struct sum sum = { 0 };
	struct image image;

	make_image(&image, of);
	check_plain(&image, &sum);
	check_first_copies_bad(&image, &sum);
	check_combinations(&image, &sum);
	check_too_many_missing(&image);
	remove_folder(image.folder);
}

static void walks_everything(void **state)
{
	size_t i;

	if (geteuid() || access("/dev/loop-control", R_OK | W_OK)) {
		print_message("needs root and loop devices\n");
		skip();
	}
	for (i = 0; i < ARRAY_SIZE(cases); i++)
		if (!getenv("CASE") || !strcmp(getenv("CASE"), cases[i].name))
			check_case(&cases[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(walks_everything),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
