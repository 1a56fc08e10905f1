/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Superblocks: which copy is taken, and which are refused for which reason.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "fixture.h"

/* Big enough for the second copy. */
#define SIZE (SENDCP_SUPER_OFFSET_1 + (1 << 20))

static struct sendcp_disk_super *super_at(struct fixture *fixture, u64 offset)
{
	return (struct sendcp_disk_super *)(fixture->devices[0].bytes + offset);
}

static struct sendcp_disk_super *first(struct fixture *fixture)
{
	return super_at(fixture, SENDCP_SUPER_OFFSET_0);
}

static struct sendcp_disk_super *second(struct fixture *fixture)
{
	return super_at(fixture, SENDCP_SUPER_OFFSET_1);
}

static int setup(void **state)
{
	static struct fixture fixture;

	fixture_init(&fixture);
	tiny_make(&fixture, SIZE);
	tiny_super(second(&fixture), SENDCP_SUPER_OFFSET_1);
	*state = &fixture;
	return 0;
}

static int teardown(void **state)
{
	fixture_release(*state);
	return 0;
}

static void opens(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(fixture_open(fixture), 0);
	assert_int_equal(fixture->volume->generation, TINY_GENERATION);
	assert_int_equal(fixture->volume->chunks.count, 1);
	assert_int_equal(fixture->volume->csum_size, 4);
	assert_int_equal(fixture->warnings, 0);
}

static void newest_copy_wins(void **state)
{
	struct fixture *fixture = *state;

	/* The first copy is of a commit whose root block was reused. */
	first(fixture)->generation = cpu_to_le64(TINY_GENERATION - 1);
	first(fixture)->root = cpu_to_le64(TINY_FREE);
	tiny_seal(first(fixture), SENDCP_SUPER_SIZE);
	assert_int_equal(fixture_open(fixture), 0);
	assert_int_equal(fixture->volume->root_tree.bytenr, TINY_ROOT_ROOT);
}

static void leftover_of_another_filesystem_does_not_win(void **state)
{
	struct fixture *fixture = *state;

	second(fixture)->generation = cpu_to_le64(1000);
	tiny_uuid(second(fixture)->fsid, 0xaa);
	tiny_seal(second(fixture), SENDCP_SUPER_SIZE);
	assert_int_equal(fixture_open(fixture), 0);
	assert_int_equal(fixture->volume->generation, TINY_GENERATION);
}

static void damaged_copy_is_passed_over(void **state)
{
	struct fixture *fixture = *state;

	first(fixture)->label[0] ^= 1;
	assert_int_equal(fixture_open(fixture), 0);
	fixture_close(fixture);
	/* And the other way round. */
	tiny_super(first(fixture), SENDCP_SUPER_OFFSET_0);
	second(fixture)->label[0] ^= 1;
	assert_int_equal(fixture_open(fixture), 0);
}

static void expect_failure(struct fixture *fixture, enum sendcp_reason reason, const char *detail)
{
	assert_int_equal(fixture_open(fixture), sendcp_reason_errno(reason));
	assert_null(fixture->volume);
	assert_int_equal(fixture->error.reason, reason);
	assert_int_equal(fixture->error.err, sendcp_reason_errno(reason));
	if (detail)
		assert_string_equal(fixture->error.detail, detail);
}

static void nothing_there(void **state)
{
	struct fixture *fixture = *state;

	memset(first(fixture), 0, SENDCP_SUPER_SIZE);
	memset(second(fixture), 0, SENDCP_SUPER_SIZE);
	expect_failure(fixture, SENDCP_ERR_NOT_BTRFS, NULL);
	assert_int_equal(fixture->error.device, 0);
	fixture->host.device_count = 0;
	expect_failure(fixture, SENDCP_ERR_NOT_BTRFS, "no device");
	fixture->host.device_count = 1;
}

static void all_copies_bad(void **state)
{
	struct fixture *fixture = *state;

	first(fixture)->label[0] ^= 1;
	second(fixture)->label[0] ^= 1;
	expect_failure(fixture, SENDCP_ERR_SUPER_NONE, NULL);
	memset(second(fixture), 0, SENDCP_SUPER_SIZE);
	expect_failure(fixture, SENDCP_ERR_SUPER_CSUM, NULL);
}

static void unreadable_device(void **state)
{
	struct fixture *fixture = *state;

	fixture->devices[0].fail = -ENXIO;
	assert_int_equal(fixture_open(fixture), -ENXIO);
	assert_int_equal(fixture->error.reason, SENDCP_ERR_DEVICE_READ);
	assert_int_equal(fixture->error.device, 0);
	/* An errno with a meaning of its own further up is not passed on. */
	fixture->devices[0].fail = -ENOENT;
	assert_int_equal(fixture_open(fixture), -EIO);
}

static void interrupted(void **state)
{
	struct fixture *fixture = *state;

	fixture->interrupt = true;
	expect_failure(fixture, SENDCP_ERR_INTERRUPTED, NULL);
	assert_int_equal(fixture->calls, 0);
}

/* Each value that must not be there, written into an otherwise good superblock. */
static const struct {
	const char *what;
	size_t offset;
	u8 size;
	u64 value;
	enum sendcp_reason reason;
	const char *detail;
} faults[] = {
#define FIELD(f) #f, offsetof(struct sendcp_disk_super, f), \
	sizeof(((struct sendcp_disk_super *)0)->f)
	{ FIELD(magic), 1, SENDCP_ERR_NOT_BTRFS, "" },
	{ FIELD(bytenr), 0, SENDCP_ERR_SUPER_FIELDS, "" },
	{ FIELD(csum_type), 4, SENDCP_ERR_CSUM_TYPE, "" },
	{ FIELD(csum_type), 0xffff, SENDCP_ERR_CSUM_TYPE, "" },
	{ FIELD(sectorsize), 0, SENDCP_ERR_SUPER_FIELDS, "" },
	{ FIELD(sectorsize), 2048, SENDCP_ERR_SUPER_FIELDS, "" },
	{ FIELD(sectorsize), 4097, SENDCP_ERR_SUPER_FIELDS, "" },
	{ FIELD(sectorsize), 8192, SENDCP_ERR_SUPER_FIELDS, "" },
	{ FIELD(nodesize), 131072, SENDCP_ERR_SUPER_FIELDS, "" },
	{ FIELD(nodesize), 12288, SENDCP_ERR_SUPER_FIELDS, "" },
	{ FIELD(nodesize), 0, SENDCP_ERR_SUPER_FIELDS, "" },
	{ FIELD(root_level), 8, SENDCP_ERR_SUPER_FIELDS, "" },
	{ FIELD(chunk_root_level), 255, SENDCP_ERR_SUPER_FIELDS, "" },
	{ FIELD(root), TINY_ROOT_ROOT + 1, SENDCP_ERR_SUPER_FIELDS, "" },
	{ FIELD(chunk_root), 512, SENDCP_ERR_SUPER_FIELDS, "" },
	{ FIELD(generation), 0, SENDCP_ERR_SUPER_FIELDS, "" },
	{ FIELD(chunk_root_generation), 0, SENDCP_ERR_SUPER_FIELDS, "" },
	{ FIELD(sys_chunk_array_size), 2049, SENDCP_ERR_SUPER_FIELDS, "" },
	{ FIELD(sys_chunk_array_size), ~0u, SENDCP_ERR_SUPER_FIELDS, "" },
	{ FIELD(sys_chunk_array_size), 20, SENDCP_ERR_CHUNK_FORMAT, "superblock's chunks" },
	{ FIELD(sys_chunk_array_size), 96, SENDCP_ERR_CHUNK_FORMAT, "item size" },
	{ FIELD(sys_chunk_array_size), 98, SENDCP_ERR_CHUNK_FORMAT, "superblock's chunks" },
	{ FIELD(sys_chunk_array_size), 0, SENDCP_ERR_CHUNK_UNMAPPED, "" },
	{ FIELD(chunk_root), ~0ULL << 12, SENDCP_ERR_CHUNK_UNMAPPED, "" },
	{ FIELD(chunk_root), 1ULL << 63, SENDCP_ERR_CHUNK_UNMAPPED, "" },
	{ FIELD(chunk_root), TINY_ROOT_ROOT, SENDCP_ERR_CHUNK_FORMAT, "no chunks" },
	{ FIELD(chunk_root_generation), 1, SENDCP_ERR_NODE_GENERATION, "" },
	{ FIELD(generation), 9, SENDCP_ERR_NODE_GENERATION, "" },
	{ FIELD(root_level), 1, SENDCP_ERR_NODE_LEVEL, "" },
	{ FIELD(root), TINY_FREE, SENDCP_ERR_NODE_CSUM, "" },
	{ FIELD(incompat_flags), 1 | SENDCP_INCOMPAT_EXTENT_TREE_V2, SENDCP_ERR_FEATURE,
	  "extent-tree-v2" },
	{ FIELD(incompat_flags), 1 | SENDCP_INCOMPAT_RAID_STRIPE_TREE, SENDCP_ERR_FEATURE,
	  "raid-stripe-tree" },
	{ FIELD(incompat_flags), SENDCP_INCOMPAT_REMAP_TREE, SENDCP_ERR_FEATURE, "remap-tree" },
	{ FIELD(incompat_flags), 1ULL << 15, SENDCP_ERR_FEATURE, "bit 15" },
	{ FIELD(incompat_flags), 1ULL << 63, SENDCP_ERR_FEATURE, "bit 63" },
	{ FIELD(flags), 1ULL << 33, SENDCP_ERR_SUPER_BUSY, "metadata dump" },
	{ FIELD(flags), 1ULL << 34, SENDCP_ERR_SUPER_BUSY, "metadata dump" },
	{ FIELD(flags), 1ULL << 35, SENDCP_ERR_SUPER_BUSY, "fsid change" },
	{ FIELD(flags), 1ULL << 36, SENDCP_ERR_SUPER_BUSY, "fsid change" },
	{ FIELD(flags), 1ULL << 38, SENDCP_ERR_SUPER_BUSY, "conversion" },
	{ FIELD(flags), 1ULL << 40, SENDCP_ERR_SUPER_BUSY, "conversion" },
#undef FIELD
};

static void each_fault_is_named(void **state)
{
	struct fixture *fixture = *state;
	size_t i;

	memset(second(fixture), 0, SENDCP_SUPER_SIZE);
	for (i = 0; i < ARRAY_SIZE(faults); i++) {
		tiny_super(first(fixture), SENDCP_SUPER_OFFSET_0);
		memcpy((u8 *)first(fixture) + faults[i].offset, &faults[i].value, faults[i].size);
		tiny_seal(first(fixture), SENDCP_SUPER_SIZE);
		if (fixture_open(fixture) != sendcp_reason_errno(faults[i].reason) ||
		    fixture->error.reason != faults[i].reason)
			fail_msg("%zu: %s: %s", i, faults[i].what,
				 sendcp_reason_text(fixture->error.reason));
		assert_string_equal(fixture->error.detail, faults[i].detail);
		assert_null(fixture->volume);
	}
}

static void harmless_features_are_read(void **state)
{
	struct fixture *fixture = *state;

	first(fixture)->incompat_flags = cpu_to_le64(SENDCP_INCOMPAT_READABLE &
						     ~SENDCP_INCOMPAT_METADATA_UUID);
	first(fixture)->compat_ro_flags = cpu_to_le64(~0ULL);
	first(fixture)->generation = cpu_to_le64(TINY_GENERATION);
	tiny_seal(first(fixture), SENDCP_SUPER_SIZE);
	assert_int_equal(fixture_open(fixture), 0);
}

static void metadata_uuid_is_what_blocks_carry(void **state)
{
	struct fixture *fixture = *state;

	memset(second(fixture), 0, SENDCP_SUPER_SIZE);
	first(fixture)->incompat_flags = cpu_to_le64(1 | SENDCP_INCOMPAT_METADATA_UUID);
	tiny_uuid(first(fixture)->metadata_uuid, 0xf5);
	tiny_uuid(first(fixture)->fsid, 0x11);
	tiny_seal(first(fixture), SENDCP_SUPER_SIZE);
	assert_int_equal(fixture_open(fixture), 0);
	assert_int_equal(fixture->volume->fsid[0], 0x11);
	fixture_close(fixture);
	/* Without the feature the field means nothing, and the blocks are somebody else's. */
	first(fixture)->incompat_flags = cpu_to_le64(1);
	tiny_seal(first(fixture), SENDCP_SUPER_SIZE);
	expect_failure(fixture, SENDCP_ERR_NODE_FSID, NULL);
}

/* Adds a second device whose superblock is device 0's with the changes that tests make to it. */
static struct sendcp_disk_super *add_second_device(struct fixture *fixture)
{
	u32 index = fixture_add(fixture, SIZE);
	struct sendcp_disk_super *super = (struct sendcp_disk_super *)
		(fixture->devices[index].bytes + SENDCP_SUPER_OFFSET_0);

	tiny_super(super, SENDCP_SUPER_OFFSET_0);
	super->dev_item.devid = cpu_to_le64(2);
	tiny_uuid(super->dev_item.uuid, 2);
	tiny_seal(super, SENDCP_SUPER_SIZE);
	return super;
}

static void same_device_twice(void **state)
{
	struct fixture *fixture = *state;
	struct sendcp_disk_super *super = add_second_device(fixture);

	assert_int_equal(fixture_open(fixture), 0);
	fixture_close(fixture);
	tiny_super(super, SENDCP_SUPER_OFFSET_0);
	expect_failure(fixture, SENDCP_ERR_DEVICE_TWICE, NULL);
	assert_int_equal(fixture->error.device, 1);
}

static void foreign_device(void **state)
{
	struct fixture *fixture = *state;
	struct sendcp_disk_super *super = add_second_device(fixture);

	tiny_uuid(super->fsid, 0xbb);
	super->generation = cpu_to_le64(1);
	tiny_seal(super, SENDCP_SUPER_SIZE);
	expect_failure(fixture, SENDCP_ERR_DEVICE_FOREIGN, NULL);
	assert_int_equal(fixture->error.device, 1);
	/* A seed, but not one of this filesystem: no DEV_ITEM names it. */
	super->flags = cpu_to_le64(SENDCP_SUPER_SEEDING);
	tiny_seal(super, SENDCP_SUPER_SIZE);
	expect_failure(fixture, SENDCP_ERR_DEVICE_FOREIGN, NULL);
}

static void half_changed_fsid(void **state)
{
	struct fixture *fixture = *state;
	struct sendcp_disk_super *super = add_second_device(fixture);

	super->incompat_flags = cpu_to_le64(1 | SENDCP_INCOMPAT_METADATA_UUID);
	memcpy(super->metadata_uuid, super->fsid, SENDCP_UUID_SIZE);
	tiny_uuid(super->fsid, 0xbb);
	tiny_seal(super, SENDCP_SUPER_SIZE);
	expect_failure(fixture, SENDCP_ERR_SUPER_BUSY, "devices disagree on the fsid");
}

static void stale_device(void **state)
{
	struct fixture *fixture = *state;
	struct sendcp_disk_super *super = add_second_device(fixture);

	super->generation = cpu_to_le64(TINY_GENERATION - 1);
	super->root = cpu_to_le64(TINY_FREE);
	tiny_seal(super, SENDCP_SUPER_SIZE);
	assert_int_equal(fixture_open(fixture), 0);
	assert_false(fixture->volume->devices[0].stale);
	assert_true(fixture->volume->devices[1].stale);
	assert_int_equal(fixture->volume->generation, TINY_GENERATION);
}

static void device_without_superblock_is_told(void **state)
{
	struct fixture *fixture = *state;
	struct sendcp_disk_super *super = add_second_device(fixture);

	super->label[0] ^= 1;
	assert_int_equal(fixture_open(fixture), 0);
	assert_int_equal(fixture->warnings, 1);
	assert_int_equal(fixture->warning.reason, SENDCP_ERR_SUPER_CSUM);
	assert_int_equal(fixture->warning.device, 1);
	assert_false(fixture->volume->devices[1].present);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(opens),
		TEST(newest_copy_wins),
		TEST(leftover_of_another_filesystem_does_not_win),
		TEST(damaged_copy_is_passed_over),
		TEST(nothing_there),
		TEST(all_copies_bad),
		TEST(unreadable_device),
		TEST(interrupted),
		TEST(each_fault_is_named),
		TEST(harmless_features_are_read),
		TEST(metadata_uuid_is_what_blocks_carry),
		TEST(same_device_twice),
		TEST(foreign_device),
		TEST(half_changed_fsid),
		TEST(stale_device),
		TEST(device_without_superblock_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
