// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The clone search on a tiny handmade filesystem, right and in many ways wrong: for any contents of
 * the extent tree the search ends, with an answer or with an error that names the place.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "clone/clone.h"
#include "fixture.h"

#define SUBVOL		256ULL
#define FIRST		257ULL
#define SECOND		258ULL
#define DATA		(TINY_START + 64 * TINY_NODESIZE)
#define LENGTH		4096u
#define EXTENT_LEAF	TINY_FREE
#define FILE_LEAF	(TINY_FREE + TINY_NODESIZE)
#define OTHER_BLOCK	(TINY_FREE + 2 * TINY_NODESIZE)
#define NO_TREE		999ULL

/* An extent item with at most two inline references. */
struct entry {
	u64 refs;
	u64 flags;
	u8 refs_inline[64];
	u32 size;
};

/* The contents of the handmade extent tree. */
struct plan {
	const char *what;
	/* Of the data: references of the two files, or one by the leaf's address, or none. */
	u64 data_refs;
	u64 data_flags;
	u64 shared_by;
	bool no_data_item;
	/* Of the leaf that holds the files' items: its tree, or its parent's address. */
	u64 tree;
	u64 parent;
	u64 leaf_refs;
	u64 leaf_flags;
	u64 leaf_level;
	bool no_leaf_item;
	int result;
	enum sendcp_reason reason;
};

#define BLOCK SENDCP_EXTENT_FLAG_TREE_BLOCK
#define FLAG_DATA SENDCP_EXTENT_FLAG_DATA

static const struct plan plans[] = {
	{ .what = "right", .result = 1 },
	{ .what = "by address", .shared_by = FILE_LEAF, .result = 1 },
	{ .what = "1024 references", .data_refs = 1024, .leaf_refs = 1024, .result = 1 },
	{ .what = "1025 references", .data_refs = 1025, .result = 0 },
	{ .what = "leaf has 1025 references", .leaf_refs = 1025, .result = 0 },
	{ .what = "leaf in a tree that is not", .tree = NO_TREE, .result = 0 },
	{ .what = "leaf is its own parent", .parent = FILE_LEAF, .result = 0 },
	{ .what = "leaf of no tree 0", .tree = ~0ULL, .result = 0 },
	{ .what = "no extent item", .no_data_item = true,
	  .result = -EUCLEAN, .reason = SENDCP_ERR_ITEM_MISSING },
	{ .what = "extent is a tree block", .data_flags = BLOCK,
	  .result = -EUCLEAN, .reason = SENDCP_ERR_ITEM_FORMAT },
	{ .what = "more references than said", .data_refs = 1,
	  .result = -EUCLEAN, .reason = SENDCP_ERR_ITEM_FORMAT },
	{ .what = "more items in a leaf than references", .shared_by = FILE_LEAF, .data_refs = 1,
	  .result = -EUCLEAN, .reason = SENDCP_ERR_ITEM_FORMAT },
	{ .what = "no item for the leaf", .no_leaf_item = true,
	  .result = -EUCLEAN, .reason = SENDCP_ERR_ITEM_MISSING },
	{ .what = "no item for the leaf by address", .no_leaf_item = true, .shared_by = FILE_LEAF,
	  .result = -EUCLEAN, .reason = SENDCP_ERR_ITEM_MISSING },
	{ .what = "leaf is data", .leaf_flags = FLAG_DATA,
	  .result = -EUCLEAN, .reason = SENDCP_ERR_ITEM_FORMAT },
	{ .what = "leaf of level 8", .leaf_level = 8,
	  .result = -EUCLEAN, .reason = SENDCP_ERR_ITEM_FORMAT },
	{ .what = "leaf of level 256", .leaf_level = 256,
	  .result = -EUCLEAN, .reason = SENDCP_ERR_ITEM_FORMAT },
	{ .what = "leaf by address of level 1", .leaf_level = 1, .shared_by = FILE_LEAF,
	  .result = -EUCLEAN, .reason = SENDCP_ERR_ITEM_FORMAT },
	{ .what = "parent that is nowhere", .parent = OTHER_BLOCK,
	  .result = -EUCLEAN, .reason = SENDCP_ERR_ITEM_MISSING },
	{ .what = "data in a leaf that is nowhere", .shared_by = OTHER_BLOCK,
	  .result = -EUCLEAN, .reason = SENDCP_ERR_ITEM_MISSING },
};

static u64 or_else(u64 value, u64 otherwise)
{
	return value ? value : otherwise;
}

static void add_bytes(struct entry *entry, u8 type, const void *bytes, u32 size)
{
	entry->refs_inline[entry->size++] = type;
	memcpy(entry->refs_inline + entry->size, bytes, size);
	entry->size += size;
}

static void add_file(struct entry *entry, u64 ino)
{
	struct sendcp_disk_extent_data_ref ref = {
		.root = cpu_to_le64(SUBVOL),
		.objectid = cpu_to_le64(ino),
		.count = cpu_to_le32(1),
	};

	add_bytes(entry, SENDCP_EXTENT_DATA_REF, &ref, sizeof(ref));
}

/* The item's bytes in @out; returns their number. */
static u32 entry_bytes(const struct entry *entry, u8 *out)
{
	struct sendcp_disk_extent_item item = {
		.refs = cpu_to_le64(entry->refs),
		.generation = cpu_to_le64(TINY_GENERATION),
		.flags = cpu_to_le64(entry->flags),
	};

	memcpy(out, &item, sizeof(item));
	memcpy(out + sizeof(item), entry->refs_inline, entry->size);
	return sizeof(item) + entry->size;
}

static u32 data_entry(const struct plan *plan, u8 *out)
{
	struct entry entry = {
		.refs = or_else(plan->data_refs, 2),
		.flags = or_else(plan->data_flags, FLAG_DATA),
	};
	u8 shared[12];

	if (plan->shared_by) {
		sendcp_put_le64(shared, plan->shared_by);
		sendcp_put_le32(shared + 8, plan->data_refs ? 1 : 2);
		add_bytes(&entry, SENDCP_SHARED_DATA_REF, shared, sizeof(shared));
	} else {
		add_file(&entry, FIRST);
		add_file(&entry, SECOND);
	}
	return entry_bytes(&entry, out);
}

static u32 leaf_entry(const struct plan *plan, u8 *out)
{
	struct entry entry = {
		.refs = or_else(plan->leaf_refs, 1),
		.flags = or_else(plan->leaf_flags, BLOCK),
	};
	u8 number[8];

	sendcp_put_le64(number, plan->parent ? plan->parent : or_else(plan->tree, SUBVOL));
	if (plan->tree == ~0ULL)
		sendcp_put_le64(number, 0);
	add_bytes(&entry, plan->parent ? SENDCP_SHARED_BLOCK_REF : SENDCP_TREE_BLOCK_REF, number,
		  8);
	return entry_bytes(&entry, out);
}

static void make_extent_tree(struct fixture *fixture, const struct plan *plan)
{
	u8 data[128], leaf[128];
	struct tiny_item items[2];
	u32 count = 0;

	if (!plan->no_leaf_item)
		items[count++] = (struct tiny_item){
			{ FILE_LEAF, SENDCP_METADATA_ITEM, plan->leaf_level },
			leaf, leaf_entry(plan, leaf),
		};
	if (!plan->no_data_item)
		items[count++] = (struct tiny_item){
			{ DATA, SENDCP_EXTENT_ITEM, LENGTH }, data, data_entry(plan, data),
		};
	tiny_leaf(fixture, EXTENT_LEAF, TINY_GENERATION, items, count);
}

static void make_files(struct fixture *fixture)
{
	struct sendcp_disk_extent_data item = {
		.generation = cpu_to_le64(TINY_GENERATION),
		.ram_bytes = cpu_to_le64(LENGTH),
		.type = SENDCP_EXTENT_REGULAR,
		.disk_bytenr = cpu_to_le64(DATA),
		.disk_num_bytes = cpu_to_le64(LENGTH),
		.num_bytes = cpu_to_le64(LENGTH),
	};
	const struct tiny_item items[] = {
		{ { FIRST, SENDCP_EXTENT_DATA, 0 }, &item, sizeof(item) },
		{ { SECOND, SENDCP_EXTENT_DATA, 0 }, &item, sizeof(item) },
	};
	struct sendcp_disk_header *header;

	tiny_leaf(fixture, FILE_LEAF, TINY_GENERATION, items, ARRAY_SIZE(items));
	header = (void *)(fixture->devices[0].bytes + FILE_LEAF);
	header->owner = cpu_to_le64(SUBVOL);
	tiny_seal(header, TINY_NODESIZE);
}

static void make_roots(struct fixture *fixture)
{
	struct sendcp_disk_root extent_root = {
		.generation = cpu_to_le64(TINY_GENERATION),
		.bytenr = cpu_to_le64(EXTENT_LEAF),
		.refs = cpu_to_le32(1),
	};
	struct sendcp_disk_root file_root = extent_root;
	const struct tiny_item items[] = {
		{ { SENDCP_EXTENT_TREE_ID, SENDCP_ROOT_ITEM, 0 }, &extent_root,
		  sizeof(extent_root) },
		{ { SUBVOL, SENDCP_ROOT_ITEM, 0 }, &file_root, sizeof(file_root) },
	};

	file_root.bytenr = cpu_to_le64(FILE_LEAF);
	tiny_leaf(fixture, TINY_ROOT_ROOT, TINY_GENERATION, items, ARRAY_SIZE(items));
}

static int search(struct fixture *fixture, struct sendcp_clone_source *source)
{
	struct sendcp_clone_root root = { .is_send_root = true };
	struct sendcp_clone_search clones;
	struct sendcp_clone_wanted wanted = {
		.leaf_owner = SUBVOL, .ino = SECOND, .inode_size = LENGTH,
	};
	struct sendcp_cursor cursor;
	struct sendcp_extent extent;
	int ret;

	assert_int_equal(sendcp_tree_open(fixture->volume, SUBVOL, true, &root.tree), 0);
	sendcp_cursor_init(&cursor, &root.tree);
	assert_int_equal(sendcp_extent_find(&cursor, SECOND, 0, &extent), 0);
	sendcp_cursor_release(&cursor);
	wanted.extent = &extent;
	assert_int_equal(sendcp_clone_search_init(&clones, fixture->volume, &root, 1), 0);
	/* As with further clone sources: no reference is left out. */
	clones.alone = false;
	ret = sendcp_clone_find(&clones, &wanted, source);
	sendcp_clone_search_release(&clones);
	return ret;
}

static void try_plan(const struct plan *plan, bool live)
{
	struct sendcp_clone_source source = { 0 };
	struct fixture fixture;
	int ret;

	fixture_init(&fixture);
	tiny_make(&fixture, 4 << 20);
	make_roots(&fixture);
	make_files(&fixture);
	make_extent_tree(&fixture, plan);
	fixture.host.mounted = live;
	assert_int_equal(fixture_open(&fixture), 0);
	ret = search(&fixture, &source);
	/* On a mounted filesystem a missing item means that it was moved. */
	if (live && plan->reason == SENDCP_ERR_ITEM_MISSING)
		assert_int_equal(ret, 0);
	else if (ret != plan->result || (ret < 0 && fixture.volume->error.reason != plan->reason))
		fail_msg("%s: %d, reason %d", plan->what, ret, fixture.volume->error.reason);
	if (ret == 1) {
		assert_int_equal(source.root, 0);
		assert_int_equal(source.ino, FIRST);
		assert_int_equal(source.offset, 0);
	}
	fixture_release(&fixture);
}

static void every_plan_ends(void **state)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(plans); i++) {
		try_plan(&plans[i], false);
		try_plan(&plans[i], true);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_plan_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
