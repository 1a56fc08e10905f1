// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * INODE_ITEM and EXTENT_DATA.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "items/items.h"
#include "leaf.h"

#define INO 300
#define KIB 1024ULL
#define TOP (~0ULL - 4095)
/* Of the longest file, in whole sectors. */
#define FILES_END (1ULL << 63)

static void inode_is_parsed(void **state)
{
	struct sendcp_disk_inode disk = {
		.generation = cpu_to_le64(1ULL << 40),
		.size = cpu_to_le64(FILES_END - 1),
		.nlink = cpu_to_le32(2),
		.uid = cpu_to_le32(1000),
		.gid = cpu_to_le32(1001),
		.mode = cpu_to_le32(0100644),
		.rdev = cpu_to_le64(3),
		.flags = cpu_to_le64(1ULL << 32),
		.atime = { cpu_to_le64(-1ULL), cpu_to_le32(999999999) },
		.mtime = { cpu_to_le64(5), cpu_to_le32(6) },
	};
	struct sendcp_inode inode;
	struct leaf leaf;

	leaf_init(&leaf);
	leaf_add(&leaf, INO, SENDCP_INODE_ITEM, 0, &disk, sizeof(disk));
	assert_int_equal(sendcp_inode_parse(&leaf.cursor, &inode), 0);
	assert_int_equal(inode.ino, INO);
	assert_int_equal(inode.generation, 1ULL << 40);
	assert_int_equal(inode.size, FILES_END - 1);
	assert_int_equal(inode.nlink, 2);
	assert_int_equal(inode.uid, 1000);
	assert_int_equal(inode.gid, 1001);
	assert_int_equal(inode.mode, 0100644);
	assert_int_equal(inode.rdev, 3);
	assert_int_equal(inode.flags, 1ULL << 32);
	assert_int_equal(inode.atime.sec, -1ULL);
	assert_int_equal(inode.atime.nsec, 999999999);
	assert_int_equal(inode.mtime.sec, 5);
}

static int parse_inode(u64 ino, u64 size, u32 mode, u32 nlink)
{
	struct sendcp_disk_inode disk = {
		.size = cpu_to_le64(size),
		.mode = cpu_to_le32(mode),
		.nlink = cpu_to_le32(nlink),
	};
	struct sendcp_inode inode;
	struct leaf leaf;

	leaf_init(&leaf);
	leaf_add(&leaf, ino, SENDCP_INODE_ITEM, 0, &disk, sizeof(disk));
	return sendcp_inode_parse(&leaf.cursor, &inode);
}

static void impossible_inodes_are_refused(void **state)
{
	assert_int_equal(parse_inode(INO, FILES_END, 0100644, 1), -EUCLEAN);
	assert_int_equal(parse_inode(INO, 0, 0100644, 0), 0);
	assert_int_equal(parse_inode(SENDCP_ROOT_DIR_ID, 0, 040755, 1), 0);
	assert_int_equal(parse_inode(SENDCP_ROOT_DIR_ID, 0, 040755, 0), -EUCLEAN);
	assert_int_equal(parse_inode(SENDCP_ROOT_DIR_ID, 0, 0100644, 1), -EUCLEAN);
}

static void short_inode_is_refused(void **state)
{
	struct sendcp_disk_inode disk = { 0 };
	struct sendcp_inode inode;
	struct leaf leaf;

	leaf_init(&leaf);
	leaf_add(&leaf, INO, SENDCP_INODE_ITEM, 0, &disk, sizeof(disk) - 1);
	assert_int_equal(sendcp_inode_parse(&leaf.cursor, &inode), -EUCLEAN);
	assert_int_equal(leaf.volume.error.reason, SENDCP_ERR_ITEM_FORMAT);
}

/* One item in short: x-lines are good or bad as their tables say. */
struct row {
	const char *what;
	u8 type;
	u8 compression;
	u8 encryption;
	/* Bytes of the item; 0: a whole one. */
	u32 size;
	u64 file_offset;
	u64 ram_bytes;
	u64 disk_bytenr;
	u64 disk_num_bytes;
	u64 offset;
	u64 num_bytes;
};

static int parse_row(const struct row *row, struct leaf *leaf, struct sendcp_extent *extent)
{
	struct sendcp_disk_extent_data disk = {
		.generation = cpu_to_le64(7),
		.ram_bytes = cpu_to_le64(row->ram_bytes),
		.compression = row->compression,
		.encryption = row->encryption,
		.type = row->type,
		.disk_bytenr = cpu_to_le64(row->disk_bytenr),
		.disk_num_bytes = cpu_to_le64(row->disk_num_bytes),
		.offset = cpu_to_le64(row->offset),
		.num_bytes = cpu_to_le64(row->num_bytes),
	};

	leaf_init(leaf);
	leaf_add(leaf, INO, SENDCP_EXTENT_DATA, row->file_offset, &disk,
		 row->size ? row->size : sizeof(disk));
	return sendcp_extent_parse(&leaf->cursor, extent);
}

static const struct row good_rows[] = {
	{ "plain", 1, 0, 0, 0, 0, 8 * KIB, 4 * KIB, 8 * KIB, 0, 8 * KIB },
	{ "part", 1, 0, 0, 0, 4 * KIB, 64 * KIB, 4 * KIB, 64 * KIB, 60 * KIB, 4 * KIB },
	{ "hole", 1, 0, 0, 0, 0, 8 * KIB, 0, 0, 0, 8 * KIB },
	{ "preallocated", 2, 0, 0, 0, 0, 8 * KIB, 4 * KIB, 8 * KIB, 0, 8 * KIB },
	{ "zlib", 1, 1, 0, 0, 0, 128 * KIB, 4 * KIB, 4 * KIB, 0, 128 * KIB },
	{ "part of zstd", 1, 3, 0, 0, 0, 128 * KIB, 4 * KIB, 4 * KIB, 124 * KIB, 4 * KIB },
	{ "inline", 0, 0, 0, 31, 0, 10, 0, 0, 0, 0 },
	{ "inline lzo", 0, 2, 0, 31, 0, 4 * KIB, 0, 0, 0, 0 },
	{ "empty inline", 0, 0, 0, 21, 0, 0, 0, 0, 0, 0 },
	{ "last sector", 1, 0, 0, 0, FILES_END - 4 * KIB, 4 * KIB, 4 * KIB, 4 * KIB, 0, 4 * KIB },
};

static const struct row bad_rows[] = {
	{ "header cut", 0, 0, 0, 20, 0, 10, 0, 0, 0, 0 },
	{ "range cut", 1, 0, 0, 52, 0, 8 * KIB, 4 * KIB, 8 * KIB, 0, 8 * KIB },
	{ "type 3", 3, 0, 0, 0, 0, 8 * KIB, 4 * KIB, 8 * KIB, 0, 8 * KIB },
	{ "compression 4", 1, 4, 0, 0, 0, 8 * KIB, 4 * KIB, 8 * KIB, 0, 8 * KIB },
	{ "encrypted", 1, 0, 1, 0, 0, 8 * KIB, 4 * KIB, 8 * KIB, 0, 8 * KIB },
	{ "nothing", 1, 0, 0, 0, 0, 8 * KIB, 4 * KIB, 8 * KIB, 0, 0 },
	{ "file offset unaligned", 1, 0, 0, 0, 1, 8 * KIB, 4 * KIB, 8 * KIB, 0, 8 * KIB },
	{ "address unaligned", 1, 0, 0, 0, 0, 8 * KIB, 5 * KIB, 8 * KIB, 0, 8 * KIB },
	{ "offset unaligned", 1, 0, 0, 0, 0, 8 * KIB, 4 * KIB, 8 * KIB, 100, 4 * KIB },
	{ "length unaligned", 1, 0, 0, 0, 0, 8 * KIB, 4 * KIB, 8 * KIB, 0, 100 },
	{ "longer than stored", 1, 0, 0, 0, 0, 8 * KIB, 4 * KIB, 8 * KIB, 4 * KIB, 8 * KIB },
	{ "preallocated, longer", 2, 1, 0, 0, 0, 64 * KIB, 4 * KIB, 8 * KIB, 4 * KIB, 8 * KIB },
	{ "file range overflows", 1, 0, 0, 0, TOP, 8 * KIB, 4 * KIB, 8 * KIB, 0, 8 * KIB },
	{ "hole overflows", 1, 0, 0, 0, 4 * KIB, 0, 0, 0, 0, TOP },
	{ "after all files", 1, 0, 0, 0, FILES_END, 4 * KIB, 4 * KIB, 4 * KIB, 0, 4 * KIB },
	{ "hole after all files", 1, 0, 0, 0, 4 * KIB, 0, 0, 0, 0, FILES_END },
	{ "disk range overflows", 1, 0, 0, 0, 0, 8 * KIB, TOP, 8 * KIB, 0, 8 * KIB },
	{ "extent range overflows", 1, 0, 0, 0, 0, 8 * KIB, 4 * KIB, 8 * KIB, TOP, 8 * KIB },
	{ "expands too far", 1, 1, 0, 0, 0, 132 * KIB, 4 * KIB, 4 * KIB, 0, 4 * KIB },
	{ "stored too long", 1, 1, 0, 0, 0, 128 * KIB, 4 * KIB, 132 * KIB, 0, 4 * KIB },
	{ "stored nowhere", 1, 1, 0, 0, 0, 128 * KIB, 4 * KIB, 0, 0, 4 * KIB },
	{ "behind what expands", 1, 1, 0, 0, 0, 8 * KIB, 4 * KIB, 4 * KIB, 8 * KIB, 4 * KIB },
	{ "inline inside the file", 0, 0, 0, 31, 4 * KIB, 10, 0, 0, 0, 0 },
	{ "inline shorter than said", 0, 0, 0, 31, 0, 11, 0, 0, 0, 0 },
	{ "inline longer than said", 0, 0, 0, 31, 0, 9, 0, 0, 0, 0 },
	{ "inline expands too far", 0, 1, 0, 31, 0, 132 * KIB, 0, 0, 0, 0 },
};

static void good_extents_are_parsed(void **state)
{
	struct sendcp_extent extent;
	struct leaf leaf;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(good_rows); i++) {
		const struct row *row = &good_rows[i];

		if (parse_row(row, &leaf, &extent))
			fail_msg("%s is refused", row->what);
		assert_int_equal(extent.ino, INO);
		assert_int_equal(extent.file_offset, row->file_offset);
		assert_int_equal(extent.generation, 7);
		assert_int_equal(extent.type, row->type);
		assert_int_equal(extent.compression, row->compression);
		assert_int_equal(extent.disk_bytenr, row->disk_bytenr);
		assert_int_equal(extent.num_bytes, row->type ? row->num_bytes : row->ram_bytes);
		assert_int_equal(extent.inline_size, row->type ? 0 : row->size - 21);
	}
}

static void bad_extents_are_refused(void **state)
{
	struct sendcp_extent extent;
	struct leaf leaf;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(bad_rows); i++) {
		if (parse_row(&bad_rows[i], &leaf, &extent) != -EUCLEAN)
			fail_msg("%s is taken", bad_rows[i].what);
		assert_int_equal(leaf.volume.error.reason, SENDCP_ERR_ITEM_FORMAT);
		assert_int_equal(leaf.volume.error.bytenr, leaf.node.bytenr);
	}
}

static void ends_and_holes(void **state)
{
	struct sendcp_extent extent;
	struct leaf leaf;

	parse_row(&good_rows[1], &leaf, &extent);
	assert_int_equal(sendcp_extent_end(&extent, 4096), 8 * KIB);
	assert_false(sendcp_extent_is_hole(&extent));
	parse_row(&good_rows[2], &leaf, &extent);
	assert_true(sendcp_extent_is_hole(&extent));
	parse_row(&good_rows[6], &leaf, &extent);
	assert_int_equal(sendcp_extent_end(&extent, 4096), 4 * KIB);
	assert_false(sendcp_extent_is_hole(&extent));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(inode_is_parsed),
		cmocka_unit_test(impossible_inodes_are_refused),
		cmocka_unit_test(short_inode_is_refused),
		cmocka_unit_test(good_extents_are_parsed),
		cmocka_unit_test(bad_extents_are_refused),
		cmocka_unit_test(ends_and_holes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
