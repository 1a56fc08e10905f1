// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Stored bytes on a handmade mirror of two devices: every alignment, every way a copy can be bad.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "data/data.h"
#include "fixture.h"

#define SECTOR 4096u
#define SECTORS 80u
#define DATA (TINY_START + (1ULL << 20))
#define DATA_LENGTH ((u64)SECTORS * SECTOR)
#define DATA_END (DATA + DATA_LENGTH)
#define CSUM_LEAF TINY_FREE
/* Sectors without checksum. */
#define GAP_START 16u
#define GAP_END 24u

static struct fixture fixture;
static u8 expected[SECTORS * SECTOR];
static u8 digests[SECTORS][4];

static struct tiny_item csum_item(u32 first, u32 end)
{
	struct tiny_item item = {
		.key = {
			.objectid = SENDCP_EXTENT_CSUM_ID,
			.type = SENDCP_EXTENT_CSUM,
			.offset = DATA + (u64)first * SECTOR,
		},
		.data = digests[first],
		.size = (end - first) * 4,
	};

	return item;
}

static void write_csums(void)
{
	struct tiny_item items[] = {
		csum_item(0, 10), csum_item(10, GAP_START), csum_item(GAP_END, SECTORS),
	};

	tiny_leaf(&fixture, CSUM_LEAF, TINY_GENERATION, items, ARRAY_SIZE(items));
}

/* The root tree: nothing but the checksum tree, or nothing at all. */
static void write_roots(bool with_csums)
{
	struct sendcp_disk_root root = { 0 };
	struct tiny_item item = {
		.key = { .objectid = SENDCP_CSUM_TREE_ID, .type = SENDCP_ROOT_ITEM },
		.data = &root,
		.size = sizeof(root),
	};

	root.bytenr = cpu_to_le64(CSUM_LEAF);
	root.generation = cpu_to_le64(TINY_GENERATION);
	root.generation_v2 = root.generation;
	root.refs = cpu_to_le32(1);
	tiny_leaf(&fixture, TINY_ROOT_ROOT, TINY_GENERATION, &item, with_csums ? 1 : 0);
}

static void fill_device_item(struct sendcp_disk_dev_item *item, u8 id)
{
	memset(item, 0, sizeof(*item));
	item->devid = cpu_to_le64(id);
	tiny_uuid(item->uuid, id);
	tiny_uuid(item->fsid, 0xf5);
}

static void write_chunks(void)
{
	struct sendcp_disk_dev_item devices[2];
	u8 tree_chunk[128];
	u8 data_chunk[160];
	struct tiny_item items[] = {
		{ { SENDCP_DEV_ITEMS_ID, SENDCP_DEV_ITEM, 1 }, &devices[0], sizeof(devices[0]) },
		{ { SENDCP_DEV_ITEMS_ID, SENDCP_DEV_ITEM, 2 }, &devices[1], sizeof(devices[1]) },
		{ { SENDCP_FIRST_CHUNK_ID, SENDCP_CHUNK_ITEM, TINY_START }, tree_chunk, 0 },
		{ { SENDCP_FIRST_CHUNK_ID, SENDCP_CHUNK_ITEM, DATA }, data_chunk, 0 },
	};

	fill_device_item(&devices[0], 1);
	fill_device_item(&devices[1], 2);
	items[2].size = tiny_chunk(tree_chunk, 1u << 20, SENDCP_CHUNK_SYSTEM |
				   SENDCP_CHUNK_METADATA, 1, TINY_START);
	items[3].size = tiny_chunk(data_chunk, DATA_LENGTH, SENDCP_CHUNK_DATA | SENDCP_CHUNK_RAID1,
				   2, DATA);
	tiny_leaf(&fixture, TINY_CHUNK_ROOT, TINY_GENERATION, items, ARRAY_SIZE(items));
}

static void write_super(u32 device)
{
	struct sendcp_disk_super *super = (void *)(fixture.devices[device].bytes +
						   SENDCP_SUPER_OFFSET_0);

	tiny_super(super, SENDCP_SUPER_OFFSET_0);
	super->num_devices = cpu_to_le64(2);
	fill_device_item(&super->dev_item, (u8)(device + 1));
	tiny_seal(super, SENDCP_SUPER_SIZE);
}

static int setup(void **state)
{
	u64 seed = 1;
	u32 i;

	fixture_init(&fixture);
	tiny_make(&fixture, DATA_END);
	fixture_add(&fixture, DATA_END);
	for (i = 0; i < sizeof(expected); i++)
		expected[i] = (u8)fixture_random(&seed);
	for (i = 0; i < SECTORS; i++)
		sendcp_checksum(SENDCP_CSUM_CRC32C, expected + (size_t)i * SECTOR, SECTOR,
				digests[i]);
	memcpy(fixture.devices[0].bytes + DATA, expected, sizeof(expected));
	memcpy(fixture.devices[1].bytes + DATA, expected, sizeof(expected));
	write_csums();
	write_roots(true);
	write_chunks();
	write_super(0);
	write_super(1);
	return fixture_open(&fixture);
}

static int teardown(void **state)
{
	fixture_release(&fixture);
	return 0;
}

static void damage(u32 device, u32 sector)
{
	fixture.devices[device].bytes[DATA + (u64)sector * SECTOR + 17] ^= 1;
}

/* Reads into memory that begins @shift bytes off a page, with guards around it. */
static int read_range(u64 offset, u32 length, u32 shift, u8 **out)
{
	static u8 *memory;
	int ret;

	sendcp_free_aligned(memory, 0);
	memory = sendcp_alloc_aligned(sizeof(expected) + 3 * SECTOR);
	memset(memory, 0xee, sizeof(expected) + 3 * SECTOR);
	*out = memory + SECTOR + shift;
	ret = sendcp_volume_read_data(fixture.volume, DATA + offset, length, *out);
	assert_int_equal((*out)[-1], 0xee);
	assert_int_equal((*out)[length], 0xee);
	return ret;
}

static void assert_reads(u64 offset, u32 length, u32 shift)
{
	u8 *out;

	assert_int_equal(read_range(offset, length, shift, &out), 0);
	assert_memory_equal(out, expected + offset, length);
}

static void assert_fails(u64 offset, u32 length, enum sendcp_reason reason, u64 sector)
{
	u8 *out;

	assert_int_equal(read_range(offset, length, 0, &out), sendcp_reason_errno(reason));
	assert_int_equal(fixture.volume->error.reason, reason);
	assert_int_equal(fixture.volume->error.bytenr, DATA + sector * SECTOR);
}

static void test_alignments(void **state)
{
	static const u32 shifts[] = { 0, 1, 512, 4095 };
	static const u32 offsets[] = { 0, 1, 4095, 4096, 9 * SECTOR + 5, 15 * SECTOR + 4000 };
	static const u32 lengths[] = { 1, 4095, 4096, 4097, 50000, 131072, 180224, 200001 };
	size_t s, o, l;

	for (s = 0; s < ARRAY_SIZE(shifts); s++)
		for (o = 0; o < ARRAY_SIZE(offsets); o++)
			for (l = 0; l < ARRAY_SIZE(lengths); l++)
				assert_reads(offsets[o], lengths[l], shifts[s]);
	assert_reads(0, sizeof(expected), 0);
	assert_reads(sizeof(expected) - 1, 1, 3);
	assert_reads(100, 0, 0);
	assert_int_equal(fixture.warnings, 0);
}

static void test_one_copy_bad(void **state)
{
	struct sendcp_stats stats;

	damage(0, 3);
	damage(1, 5);
	damage(0, 70);
	damage(1, 71);
	assert_reads(0, sizeof(expected), 0);
	assert_int_equal(fixture.warnings, 1);
	assert_int_equal(fixture.warning.reason, SENDCP_ERR_DATA_CSUM);
	sendcp_volume_stats(fixture.volume, &stats);
	assert_int_equal(stats.repairs, 2);
	assert_reads(2 * SECTOR + 100, 50000, 7);
}

static void test_both_copies_bad(void **state)
{
	damage(0, 30);
	damage(1, 30);
	assert_fails(0, sizeof(expected), SENDCP_ERR_DATA_CSUM, 30);
	assert_fails(30 * SECTOR + 9, 1, SENDCP_ERR_DATA_CSUM, 30);
	assert_reads(0, 30 * SECTOR, 0);
	assert_reads(31 * SECTOR, 1000, 0);
}

static void test_without_checksum(void **state)
{
	u8 *out;
	u32 i;

	for (i = GAP_START; i < GAP_END; i++)
		damage(0, i);
	assert_int_equal(read_range(0, sizeof(expected), 0, &out), 0);
	assert_memory_equal(out, expected, GAP_START * SECTOR);
	assert_memory_equal(out + GAP_END * SECTOR, expected + GAP_END * SECTOR,
			    (SECTORS - GAP_END) * SECTOR);
	assert_int_equal(fixture.warnings, 0);
}

static void test_device_fails(void **state)
{
	/* The checksums are on the first device: have them read before it fails. */
	assert_reads(0, SECTOR, 0);
	fixture.devices[0].fail = -EIO;
	assert_reads(0, sizeof(expected), 0);
	assert_int_equal(fixture.warning.reason, SENDCP_ERR_DATA_READ);
	fixture.devices[1].fail = -EIO;
	assert_fails(5 * SECTOR, 100, SENDCP_ERR_DATA_READ, 5);
	assert_int_equal(fixture.volume->error.err, -EIO);
	fixture.devices[0].fail = 0;
	damage(0, 6);
	assert_fails(6 * SECTOR, 100, SENDCP_ERR_DATA_CSUM, 6);
}

static void test_interrupted(void **state)
{
	u8 *out;

	assert_reads(0, SECTOR, 0);
	fixture.devices[0].fail = -EINTR;
	fixture.devices[1].fail = -EINTR;
	assert_int_equal(read_range(0, 100, 0, &out), -EINTR);
	assert_int_equal(fixture.volume->error.reason, SENDCP_ERR_INTERRUPTED);
	fixture.devices[0].fail = -ENOMEM;
	fixture.devices[1].fail = -ENOMEM;
	assert_int_equal(read_range(0, 100, 0, &out), -ENOMEM);
	assert_int_equal(fixture.volume->error.reason, SENDCP_ERR_NO_MEMORY);
}

static void test_addresses(void **state)
{
	static u8 out[2 * SECTOR];
	static const u64 unmapped[] = { 0, DATA_END, ~0ULL - 100, ~0ULL - 65536, 1ULL << 63 };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(unmapped); i++)
		assert_int_equal(sendcp_volume_read_data(fixture.volume, unmapped[i], 200, out),
				 -EUCLEAN);
	assert_int_equal(sendcp_volume_read_data(fixture.volume, DATA_END - 100, 200, out),
			 -EUCLEAN);
}

/* Replaces the checksum tree by one item and reads through it. */
static void assert_bad_item(u64 offset, u32 size)
{
	struct tiny_item item = csum_item(0, 1);
	u8 *out;

	item.key.offset = offset;
	item.size = size;
	fixture_close(&fixture);
	tiny_leaf(&fixture, CSUM_LEAF, TINY_GENERATION, &item, 1);
	assert_int_equal(fixture_open(&fixture), 0);
	assert_int_equal(read_range(0, 100, 0, &out), -EUCLEAN);
	assert_int_equal(fixture.volume->error.reason, SENDCP_ERR_ITEM_FORMAT);
}

static void test_bad_items(void **state)
{
	assert_bad_item(DATA, 0);
	assert_bad_item(DATA, 3);
	assert_bad_item(DATA, 7);
	assert_bad_item(DATA - 1, 8);
	assert_bad_item(DATA - 512, 40);
}

static void test_no_checksum_tree(void **state)
{
	u8 *out;

	fixture_close(&fixture);
	write_roots(false);
	assert_int_equal(fixture_open(&fixture), 0);
	assert_int_equal(read_range(0, 100, 0, &out), -ENOENT);
	assert_int_equal(fixture.volume->error.reason, SENDCP_ERR_TREE_MISSING);
}

static void test_empty_checksum_tree(void **state)
{
	fixture_close(&fixture);
	tiny_leaf(&fixture, CSUM_LEAF, TINY_GENERATION, NULL, 0);
	assert_int_equal(fixture_open(&fixture), 0);
	assert_reads(100, 30000, 1);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		T(test_alignments),
		T(test_one_copy_bad),
		T(test_both_copies_bad),
		T(test_without_checksum),
		T(test_device_fails),
		T(test_interrupted),
		T(test_addresses),
		T(test_bad_items),
		T(test_no_checksum_tree),
		T(test_empty_checksum_tree),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
