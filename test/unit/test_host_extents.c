// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Files put together from handmade extent items: the bytes they must read as, and the items that
 * must be refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <zlib.h>
#include <cmocka.h>
#include <sendcp/file.h>

#include "backend/decompress.h"
#include "fixture.h"

#define SECTOR 4096u
#define FILE_TREE 300ULL
#define FILE_INODE 400ULL
#define FILE_LEAF TINY_FREE
#define CSUM_LEAF (TINY_FREE + TINY_NODESIZE)
/* Stored bytes: DATA_SECTORS of noise, then a zlib stream of PLAIN_SIZE bytes, then garbage. */
#define DATA (TINY_FREE + 16 * TINY_NODESIZE)
#define DATA_SECTORS 160u
#define PACKED (DATA + (u64)DATA_SECTORS * SECTOR)
#define PACKED_SIZE (8u * SECTOR)
#define GARBAGE (PACKED + PACKED_SIZE)
#define PLAIN_SIZE 131072u
#define ITEMS_MAX 8u

static struct fixture fixture;
static struct sendcp_file_reader *reader;
static u8 plain[PLAIN_SIZE];
static u8 inline_packed[256];
static u32 inline_packed_size;

/* The items of the file under construction. */
static u8 bytes[ITEMS_MAX][512];
static struct tiny_item items[ITEMS_MAX];
static u32 item_count;

static struct sendcp_disk_extent_data *add_extent(u64 file_offset, u8 type, u32 payload)
{
	struct sendcp_disk_extent_data *disk = (void *)bytes[item_count];

	memset(disk, 0, sizeof(*disk));
	disk->type = type;
	items[item_count].key = (struct sendcp_key){ FILE_INODE, SENDCP_EXTENT_DATA, file_offset };
	items[item_count].data = disk;
	items[item_count].size = type == SENDCP_EXTENT_INLINE ?
		(u32)SENDCP_EXTENT_INLINE_HEADER + payload : (u32)sizeof(*disk);
	item_count++;
	return disk;
}

static struct sendcp_disk_extent_data *add_regular(u64 file_offset, u64 bytenr, u64 disk_length,
						   u64 offset, u64 length)
{
	struct sendcp_disk_extent_data *disk = add_extent(file_offset, SENDCP_EXTENT_REGULAR, 0);

	disk->ram_bytes = cpu_to_le64(disk_length);
	disk->disk_bytenr = cpu_to_le64(bytenr);
	disk->disk_num_bytes = cpu_to_le64(disk_length);
	disk->offset = cpu_to_le64(offset);
	disk->num_bytes = cpu_to_le64(length);
	return disk;
}

static void add_packed(u64 file_offset, u64 bytenr, u64 ram_bytes, u64 offset, u64 length)
{
	struct sendcp_disk_extent_data *disk;

	disk = add_regular(file_offset, bytenr, PACKED_SIZE, offset, length);
	disk->ram_bytes = cpu_to_le64(ram_bytes);
	disk->compression = SENDCP_COMPRESS_ZLIB;
}

static void add_inline(const void *payload, u32 size, u64 ram_bytes, u8 compression)
{
	struct sendcp_disk_extent_data *disk = add_extent(0, SENDCP_EXTENT_INLINE, size);

	disk->ram_bytes = cpu_to_le64(ram_bytes);
	disk->compression = compression;
	memcpy((u8 *)disk + SENDCP_EXTENT_INLINE_HEADER, payload, size);
}

/* Puts the file's items on the device and opens everything. */
static void commit(void)
{
	sendcp_file_reader_close(reader);
	fixture_close(&fixture);
	tiny_leaf(&fixture, FILE_LEAF, TINY_GENERATION, items, item_count);
	assert_int_equal(fixture_open(&fixture), 0);
	reader = sendcp_file_reader_open(fixture.volume);
	assert_non_null(reader);
}

static void fill_root(struct sendcp_disk_root *root, u64 bytenr)
{
	memset(root, 0, sizeof(*root));
	root->bytenr = cpu_to_le64(bytenr);
	root->generation = cpu_to_le64(TINY_GENERATION);
	root->generation_v2 = root->generation;
	root->refs = cpu_to_le32(1);
}

static void write_roots(void)
{
	struct sendcp_disk_root roots[2];
	struct tiny_item root_items[] = {
		{ { SENDCP_CSUM_TREE_ID, SENDCP_ROOT_ITEM, 0 }, &roots[0], sizeof(roots[0]) },
		{ { FILE_TREE, SENDCP_ROOT_ITEM, 0 }, &roots[1], sizeof(roots[1]) },
	};

	fill_root(&roots[0], CSUM_LEAF);
	fill_root(&roots[1], FILE_LEAF);
	tiny_leaf(&fixture, TINY_ROOT_ROOT, TINY_GENERATION, root_items, 2);
	tiny_leaf(&fixture, CSUM_LEAF, TINY_GENERATION, NULL, 0);
}

static void write_data(void)
{
	u8 *device = fixture.devices[0].bytes;
	uLongf size = PACKED_SIZE;
	u64 seed = 7;
	u32 i;

	for (i = 0; i < DATA_SECTORS * SECTOR; i++)
		device[DATA + i] = (u8)fixture_random(&seed);
	for (i = 0; i < PLAIN_SIZE; i++)
		plain[i] = (u8)(i / 100 * 7 + i % 3);
	assert_int_equal(compress2(device + PACKED, &size, plain, PLAIN_SIZE, 9), Z_OK);
	memset(device + GARBAGE, 0xa5, PACKED_SIZE);
	size = sizeof(inline_packed);
	assert_int_equal(compress2(inline_packed, &size, plain, 2000, 9), Z_OK);
	inline_packed_size = (u32)size;
}

static int setup(void **state)
{
	fixture_init(&fixture);
	tiny_make(&fixture, TINY_START + (1u << 20));
	write_roots();
	write_data();
	item_count = 0;
	fixture.decompressor = sendcp_decompressor_new();
	return fixture.decompressor ? 0 : -1;
}

static int teardown(void **state)
{
	sendcp_file_reader_close(reader);
	reader = NULL;
	sendcp_decompressor_free(fixture.decompressor);
	fixture_release(&fixture);
	return 0;
}

static int read_range(u64 offset, u32 length, u8 *out, struct sendcp_error *error)
{
	const struct sendcp_file_range range = {
		.root = FILE_TREE,
		.inode = FILE_INODE,
		.offset = offset,
		.length = length,
	};

	sendcp_error_clear(error);
	memset(out, 0xee, length);
	return sendcp_file_read(reader, &range, out, error);
}

static void assert_reads(u64 offset, u32 length, const u8 *expected)
{
	struct sendcp_error error;
	u8 *out = malloc(length);

	assert_int_equal(read_range(offset, length, out, &error), 0);
	assert_memory_equal(out, expected, length);
	free(out);
}

static void assert_fails(u64 offset, u32 length, enum sendcp_reason reason, u64 place)
{
	struct sendcp_error error;
	u8 *out = malloc(length);

	assert_int_equal(read_range(offset, length, out, &error), sendcp_reason_errno(reason));
	assert_int_equal(error.reason, reason);
	assert_int_equal(error.err, sendcp_reason_errno(reason));
	assert_int_equal(error.root, FILE_TREE);
	assert_int_equal(error.inode, FILE_INODE);
	assert_int_equal(error.offset, place);
	free(out);
}

static const u8 *stored(u64 offset)
{
	return fixture.devices[0].bytes + DATA + offset;
}

static const u8 zeros[64 * SECTOR];

/* Gaps at both ends and in the middle, an explicit hole, a preallocated range. */
static void test_pieces(void **state)
{
	struct sendcp_disk_extent_data *prealloc;
	u8 whole[24 * SECTOR] = { 0 };

	add_regular(2 * SECTOR, DATA, 8 * SECTOR, 3 * SECTOR, 2 * SECTOR);
	add_regular(6 * SECTOR, 0, 0, 0, SECTOR);
	prealloc = add_regular(7 * SECTOR, DATA, 4 * SECTOR, 0, 4 * SECTOR);
	prealloc->type = SENDCP_EXTENT_PREALLOC;
	add_packed(11 * SECTOR, PACKED, PLAIN_SIZE, 5 * SECTOR, 9 * SECTOR);
	commit();
	memcpy(whole + 2 * SECTOR, stored(3 * SECTOR), 2 * SECTOR);
	memcpy(whole + 11 * SECTOR, plain + 5 * SECTOR, 9 * SECTOR);
	assert_reads(0, sizeof(whole), whole);
	assert_reads(2 * SECTOR + 5, 10 * SECTOR, whole + 2 * SECTOR + 5);
	assert_reads(3 * SECTOR, 1, whole + 3 * SECTOR);
	assert_reads(12 * SECTOR + 1, 100, whole + 12 * SECTOR + 1);
	assert_reads(100 * SECTOR, 5000, zeros);
}

static void test_no_items(void **state)
{
	commit();
	assert_reads(0, 5000, zeros);
	assert_reads(1ULL << 40, 5000, zeros);
}

/* In order, out of order, and back again: the window must never give other bytes. */
static void test_window(void **state)
{
	static const u32 offsets[] = {
		0, 10000, 20000, 30000, 5, 600000, 10005, 300000, 310000, 20005, 524288, 534288,
		0, 10000, 645360,
	};
	size_t i;

	add_regular(0, DATA, DATA_SECTORS * SECTOR, 0, DATA_SECTORS * SECTOR);
	commit();
	for (i = 0; i < ARRAY_SIZE(offsets); i++)
		assert_reads(offsets[i], 10000, stored(offsets[i]));
}

static void test_inline(void **state)
{
	u8 whole[3 * SECTOR] = { 0 };

	add_inline(plain, 300, 300, SENDCP_COMPRESS_NONE);
	commit();
	memcpy(whole, plain, 300);
	assert_reads(0, 300, whole);
	assert_reads(0, sizeof(whole), whole);
	assert_reads(299, 2, whole + 299);
	assert_reads(301, 7, zeros);
	item_count = 0;
	add_inline(inline_packed, inline_packed_size, 2000, SENDCP_COMPRESS_ZLIB);
	commit();
	memcpy(whole, plain, 2000);
	assert_reads(0, sizeof(whole), whole);
	assert_reads(1000, 5, whole + 1000);
}

static void test_garbage(void **state)
{
	add_regular(0, DATA, SECTOR, 0, SECTOR);
	add_packed(SECTOR, GARBAGE, PLAIN_SIZE, 0, 4 * SECTOR);
	commit();
	assert_fails(0, 2 * SECTOR, SENDCP_ERR_DATA_DECOMPRESS, SECTOR);
	assert_fails(3 * SECTOR, 7, SENDCP_ERR_DATA_DECOMPRESS, 3 * SECTOR);
	assert_reads(0, SECTOR, stored(0));
	item_count = 0;
	add_inline(inline_packed + 10, inline_packed_size - 10, 2000, SENDCP_COMPRESS_ZLIB);
	commit();
	assert_fails(0, 100, SENDCP_ERR_DATA_DECOMPRESS, 0);
}

/* The same place on the disk, named as another extent, must not come from the cache. */
static void test_expanded_anew(void **state)
{
	add_packed(0, PACKED, PLAIN_SIZE, 0, SECTOR);
	add_packed(SECTOR, PACKED, 2 * SECTOR, 0, 2 * SECTOR);
	add_regular(3 * SECTOR, PACKED, PACKED_SIZE, 0, SECTOR);
	commit();
	assert_reads(0, SECTOR, plain);
	assert_reads(SECTOR, 2 * SECTOR, plain);
	assert_reads(3 * SECTOR, SECTOR, fixture.devices[0].bytes + PACKED);
	assert_reads(0, SECTOR, plain);
}

static void refuse(enum sendcp_reason reason)
{
	commit();
	assert_fails(0, SECTOR, reason, 0);
	item_count = 0;
}

static void test_impossible_items(void **state)
{
	add_packed(0, PACKED, 1ULL << 40, 0, SECTOR);
	refuse(SENDCP_ERR_ITEM_FORMAT);
	add_packed(0, PACKED, SECTOR, 0, 2 * SECTOR);
	refuse(SENDCP_ERR_ITEM_FORMAT);
	add_regular(0, PACKED, 1ULL << 30, 0, SECTOR)->compression = SENDCP_COMPRESS_ZSTD;
	refuse(SENDCP_ERR_ITEM_FORMAT);
	add_regular(0, DATA, SECTOR, SECTOR, SECTOR);
	refuse(SENDCP_ERR_ITEM_FORMAT);
	add_regular(0, DATA, SECTOR, ~0ULL - SECTOR + 1, 2 * SECTOR);
	refuse(SENDCP_ERR_ITEM_FORMAT);
	add_regular(0, ~0ULL - SECTOR + 1, 2 * SECTOR, 0, SECTOR);
	refuse(SENDCP_ERR_ITEM_FORMAT);
	add_regular(0, DATA, SECTOR, 0, SECTOR)->compression = 9;
	refuse(SENDCP_ERR_ITEM_FORMAT);
	add_regular(0, DATA, SECTOR, 0, SECTOR)->encryption = 1;
	refuse(SENDCP_ERR_ITEM_FORMAT);
	add_regular(0, DATA, SECTOR, 0, SECTOR)->other_encoding = cpu_to_le16(1);
	refuse(SENDCP_ERR_ITEM_FORMAT);
	add_regular(0, 1ULL << 50, SECTOR, 0, SECTOR);
	refuse(SENDCP_ERR_CHUNK_UNMAPPED);
}

/* Items that overlap: refused where it shows, and never an endless loop. */
static void test_overlap(void **state)
{
	add_regular(0, DATA, 8 * SECTOR, 0, 4 * SECTOR);
	add_regular(SECTOR, DATA, 8 * SECTOR, 0, SECTOR);
	commit();
	assert_reads(0, 4 * SECTOR, stored(0));
	assert_fails(0, 5 * SECTOR, SENDCP_ERR_ITEM_FORMAT, 4 * SECTOR);
}

static void test_failing_device(void **state)
{
	add_regular(0, DATA, DATA_SECTORS * SECTOR, 0, DATA_SECTORS * SECTOR);
	commit();
	assert_reads(0, SECTOR, stored(0));
	fixture.devices[0].fail = -EIO;
	assert_fails(SECTOR + 1, 3 * SECTOR, SENDCP_ERR_DATA_READ, SECTOR + 1);
	fixture.devices[0].fail = 0;
	assert_reads(SECTOR + 1, 3 * SECTOR, stored(SECTOR + 1));
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		T(test_pieces),
		T(test_no_items),
		T(test_window),
		T(test_inline),
		T(test_garbage),
		T(test_expanded_anew),
		T(test_impossible_items),
		T(test_overlap),
		T(test_failing_device),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
