/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Images damaged on purpose, with checksums that are right again: for any contents of a block,
 * opening and walking end with a clean error or with items that are inside their blocks.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#include "fixture.h"
#include "fs/internal.h"
#include "tree/internal.h"
#include "volume/internal.h"

#define NODESIZE 4096u
#define BLOCKS_MAX 4096u
#define ROUNDS 6000u

struct hostile {
	struct fixture fixture;
	/* Offsets of the tree blocks on the device. */
	u64 blocks[BLOCKS_MAX];
	u32 count;
	u64 seed;
};

static bool make_image(const char *path)
{
	char command[512];

	snprintf(command, sizeof(command),
		 "d=$(mktemp -d) && (cd $d; i=0; while [ $i -lt 400 ]; do mkdir -p d$((i%%7));"
		 " echo $i >d$((i%%7))/some-file-number-$i; i=$((i+1)); done;"
		 " truncate -s 128M '%s';"
		 " mkfs.btrfs -q -f -m single -n 4096 -r . '%s' >/dev/null 2>&1;"
		 " r=$?; rm -rf $d; exit $r)", path, path);
	return !system(command);
}

static bool is_tree_block(const u8 *block, const u8 *fsid)
{
	const struct sendcp_disk_header *header = (const void *)block;

	return !memcmp(header->fsid, fsid, SENDCP_UUID_SIZE) && header->level < SENDCP_MAX_LEVEL &&
	       le64_to_cpu(header->bytenr) % NODESIZE == 0 && le32_to_cpu(header->nritems) < 160;
}

static void find_blocks(struct hostile *hostile)
{
	const struct fixture_device *device = &hostile->fixture.devices[0];
	const u8 *fsid = device->bytes + SENDCP_SUPER_OFFSET_0 + 32;
	u64 at;

	for (at = 1 << 20; at < device->size && hostile->count < BLOCKS_MAX; at += NODESIZE)
		if (is_tree_block(device->bytes + at, fsid))
			hostile->blocks[hostile->count++] = at;
	assert_true(hostile->count > 30);
}

/* Reads every byte of the item: a sanitizer sees it if one is outside. */
static u32 touch(const struct sendcp_cursor *cursor)
{
	u32 size;
	const void *item = sendcp_cursor_item(cursor, &size);

	assert_true((const u8 *)item >= cursor->path[0]->data);
	assert_true((const u8 *)item + size <= cursor->path[0]->data + NODESIZE);
	return sendcp_crc32c(0, item, size);
}

static int walk(struct sendcp_volume *volume, u64 id)
{
	struct sendcp_key key = { 0 };
	struct sendcp_cursor cursor;
	struct sendcp_tree tree;
	u32 items = 0;
	int ret;

	ret = sendcp_tree_open(volume, id, false, &tree);
	if (ret)
		return ret;
	sendcp_cursor_init(&cursor, &tree);
	cursor.readahead = true;
	ret = sendcp_search(&cursor, &key);
	while (ret >= 0) {
		touch(&cursor);
		key = sendcp_cursor_key(&cursor);
		/* A walk must end: there are no more items than these on the image. */
		assert_true(items++ < 200000);
		ret = sendcp_next(&cursor);
	}
	if (ret == -ENOENT && items)
		assert_true(sendcp_search_last(&cursor, &key) <= 0);
	sendcp_cursor_release(&cursor);
	return ret == -ENOENT ? 0 : ret;
}

static void check_error(int ret, const struct sendcp_error *error)
{
	char line[300];

	if (!ret)
		return;
	assert_true(ret < 0);
	assert_int_equal(error->err, ret);
	assert_true(error->reason != SENDCP_ERR_NONE);
	assert_non_null(sendcp_error_format(error, line, sizeof(line)));
}

/* Returns whether everything could be read. */
static bool walk_everything(struct fixture *fixture)
{
	static const u64 ids[] = { 1, 2, 3, 4, 5, 7, 9, 10, SENDCP_DATA_RELOC_TREE_ID };
	bool whole = true;
	size_t i;
	int ret;

	ret = fixture_open(fixture);
	check_error(ret, &fixture->error);
	for (i = 0; i < ARRAY_SIZE(ids) && fixture->volume; i++) {
		ret = walk(fixture->volume, ids[i]);
		check_error(ret, &fixture->volume->error);
		whole = whole && !ret;
	}
	whole = whole && fixture->volume;
	fixture_close(fixture);
	return whole;
}

/* Values that like to break things. */
static u64 nasty(u64 *seed)
{
	static const u64 values[] = { 0, 1, 2, ~0ULL, 1ULL << 63, 0x7fffffff, 0x80000000, 4096,
				      65536, 0xffff, 101, 3995, 1ULL << 62 };
	u64 choice = fixture_random(seed);

	if (choice % 3 == 0)
		return fixture_random(seed);
	return values[choice / 3 % ARRAY_SIZE(values)];
}

static void damage(struct hostile *hostile, u8 *block, u32 size)
{
	u32 i, count = 1 + (u32)(fixture_random(&hostile->seed) % 3);

	for (i = 0; i < count; i++) {
		/* Mostly where headers, keys and pointers are. */
		u32 reach = fixture_random(&hostile->seed) % 4 ? 32 + 300 : size - 8;
		u32 at = 32 + (u32)(fixture_random(&hostile->seed) % (reach - 32));
		u64 value = nasty(&hostile->seed);

		memcpy(block + at, &value, 1u << fixture_random(&hostile->seed) % 4);
	}
	tiny_seal(block, size);
}

/* A good block in another one's place, with its address put right or not. */
static void misplace(struct hostile *hostile, u8 *block)
{
	u64 from = hostile->blocks[fixture_random(&hostile->seed) % hostile->count];
	u64 bytenr = sendcp_get_le64(block + 48);

	memcpy(block, hostile->fixture.devices[0].bytes + from, NODESIZE);
	if (fixture_random(&hostile->seed) % 2)
		sendcp_put_le64(block + 48, bytenr);
	tiny_seal(block, NODESIZE);
}

static bool one_round(struct hostile *hostile)
{
	u8 saved[NODESIZE], *block;
	u64 choice = fixture_random(&hostile->seed);
	bool whole;

	block = hostile->fixture.devices[0].bytes + hostile->blocks[choice / 16 % hostile->count];
	if (choice % 16 == 0)
		block = hostile->fixture.devices[0].bytes + SENDCP_SUPER_OFFSET_0;
	memcpy(saved, block, NODESIZE);
	if (choice % 16 < 13)
		damage(hostile, block, NODESIZE);
	else
		misplace(hostile, block);
	whole = walk_everything(&hostile->fixture);
	memcpy(block, saved, NODESIZE);
	return whole;
}

static void damage_is_survived(void **state)
{
	static struct hostile hostile;
	char path[64] = "/tmp/sendcp-unit-XXXXXX";
	u32 i, whole = 0, rounds = getenv("ROUNDS") ? (u32)atoi(getenv("ROUNDS")) : ROUNDS;
	int fd = mkstemp(path);

	hostile.seed = getenv("SEED") ? strtoull(getenv("SEED"), NULL, 0) :
		       (u64)getpid() << 32 | (u64)time(NULL);
	print_message("SEED=%#llx\n", (unsigned long long)hostile.seed);
	assert_true(fd >= 0);
	close(fd);
	assert_true(make_image(path));
	fixture_init(&hostile.fixture);
	fixture_add_file(&hostile.fixture, path);
	unlink(path);
	/* The second superblock would hide what is done to the first. */
	memset(hostile.fixture.devices[0].bytes + SENDCP_SUPER_OFFSET_1, 0, SENDCP_SUPER_SIZE);
	find_blocks(&hostile);
	assert_true(walk_everything(&hostile.fixture));
	for (i = 0; i < rounds; i++)
		whole += one_round(&hostile);
	print_message("%u of %u damaged images could be read whole\n", whole, rounds);
	assert_true(whole < rounds * 3ULL / 4);
	assert_true(walk_everything(&hostile.fixture));
	fixture_release(&hostile.fixture);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(damage_is_survived),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
