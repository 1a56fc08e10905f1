// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Items found by name or number in a handmade tree.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "items/items.h"
#include "fixture.h"

#define SUBVOL		256ULL
#define NAMELESS	300ULL
#define DIR		257ULL
#define FILE_INO	258ULL
#define BARE		259ULL
#define EXTENDED	260ULL

/* "otherone" and, by force, "target" in one item, as if their hashes were the same. */
static const char colliding[] =
	"\1\1\0\0\0\0\0\0\1\0\0\0\0\0\0\0\0" "\7\0\0\0\0\0\0\0" "\0\0" "\10\0" "\1" "otherone"
	"\2\1\0\0\0\0\0\0\1\0\0\0\0\0\0\0\0" "\7\0\0\0\0\0\0\0" "\0\0" "\6\0" "\1" "target";
static const char attribute[] =
	"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0" "\7\0\0\0\0\0\0\0" "\3\0" "\6\0" "\10" "user.a" "xyz";
static const char reference[] = "\2\0\0\0\0\0\0\0" "\6\0" "target" "\3\0\0\0\0\0\0\0" "\1\0" "u";
static const char extended[] = "\1\1\0\0\0\0\0\0" "\2\0\0\0\0\0\0\0" "\1\0" "e";
static const char root_backref[] = "\0\1\0\0\0\0\0\0" "\2\0\0\0\0\0\0\0" "\3\0" "sub";
static const char bad_root_backref[] = "\0\1\0\0\0\0\0\0" "\2\0\0\0\0\0\0\0" "\3\0" "a/b";

#define ITEM(objectid, type, offset, bytes) \
	{ { objectid, type, offset }, bytes, sizeof(bytes) - 1 }

struct tree_of_items {
	struct fixture fixture;
	struct sendcp_tree tree;
};

static void make_root_tree(struct fixture *fixture)
{
	const struct tiny_item items[] = {
		ITEM(SUBVOL, SENDCP_ROOT_BACKREF, 5, root_backref),
		ITEM(SUBVOL, SENDCP_ROOT_BACKREF, 6, bad_root_backref),
		ITEM(NAMELESS + 1, SENDCP_ROOT_BACKREF, 5, bad_root_backref),
	};

	tiny_leaf(fixture, TINY_ROOT_ROOT, TINY_GENERATION, items, ARRAY_SIZE(items));
}

static void make_file_tree(struct fixture *fixture, struct sendcp_tree *tree)
{
	struct sendcp_disk_inode inode = { .size = cpu_to_le64(5) };
	struct sendcp_disk_extent_data extent = {
		.ram_bytes = cpu_to_le64(4096),
		.type = SENDCP_EXTENT_REGULAR,
		.num_bytes = cpu_to_le64(4096),
	};
	const struct tiny_item items[] = {
		ITEM(DIR, SENDCP_DIR_ITEM, sendcp_name_hash((const u8 *)"target", 6), colliding),
		{ { FILE_INO, SENDCP_INODE_ITEM, 0 }, &inode, sizeof(inode) },
		ITEM(FILE_INO, SENDCP_INODE_REF, DIR, reference),
		ITEM(FILE_INO, SENDCP_INODE_EXTREF, 1, extended),
		ITEM(FILE_INO, SENDCP_XATTR_ITEM, sendcp_name_hash((const u8 *)"user.a", 6),
		     attribute),
		{ { FILE_INO, SENDCP_EXTENT_DATA, 8192 }, &extent, sizeof(extent) },
		{ { BARE, SENDCP_INODE_ITEM, 0 }, &inode, sizeof(inode) },
		ITEM(EXTENDED, SENDCP_INODE_EXTREF, 1, extended),
	};

	tiny_leaf(fixture, TINY_FREE, TINY_GENERATION, items, ARRAY_SIZE(items));
	memset(tree, 0, sizeof(*tree));
	tree->volume = fixture->volume;
	tree->id = SUBVOL;
	tree->info.node.bytenr = TINY_FREE;
	tree->info.node.generation = TINY_GENERATION;
}

static int setup(void **state)
{
	static struct tree_of_items t;

	fixture_init(&t.fixture);
	tiny_make(&t.fixture, 4 << 20);
	make_root_tree(&t.fixture);
	assert_int_equal(fixture_open(&t.fixture), 0);
	make_file_tree(&t.fixture, &t.tree);
	*state = &t;
	return 0;
}

static int teardown(void **state)
{
	struct tree_of_items *t = *state;

	fixture_release(&t->fixture);
	return 0;
}

static void inodes(void **state)
{
	struct tree_of_items *t = *state;
	struct sendcp_inode inode;

	assert_int_equal(sendcp_inode_get(&t->tree, FILE_INO, &inode), 0);
	assert_int_equal(inode.ino, FILE_INO);
	assert_int_equal(inode.size, 5);
	assert_int_equal(sendcp_inode_get(&t->tree, DIR, &inode), -ENOENT);
	assert_int_equal(sendcp_inode_get(&t->tree, ~0ULL, &inode), -ENOENT);
}

static void first_references(void **state)
{
	struct tree_of_items *t = *state;
	struct sendcp_name name;

	assert_int_equal(sendcp_first_ref(&t->tree, FILE_INO, &name), 0);
	assert_int_equal(name.dir, DIR);
	assert_int_equal(name.len, 6);
	assert_memory_equal(name.bytes, "target", 6);
	assert_int_equal(sendcp_first_ref(&t->tree, EXTENDED, &name), 0);
	assert_int_equal(name.dir, DIR);
	assert_memory_equal(name.bytes, "e", 1);
	assert_int_equal(sendcp_first_ref(&t->tree, BARE, &name), -ENOENT);
	assert_int_equal(sendcp_first_ref(&t->tree, EXTENDED + 1, &name), -ENOENT);
}

/* Over the entries of each item, and over its items of both kinds. */
static void all_references(void **state)
{
	static const char *const names[] = { "target", "u", "e" };
	struct tree_of_items *t = *state;
	struct sendcp_inode_ref_iter iter;
	struct sendcp_ref ref;
	size_t i;

	sendcp_inode_ref_iter_init(&iter, &t->tree, FILE_INO);
	for (i = 0; i < ARRAY_SIZE(names); i++) {
		assert_int_equal(sendcp_inode_ref_iter_next(&iter, &ref), 1);
		assert_int_equal(ref.dir, DIR);
		assert_int_equal(ref.name_len, strlen(names[i]));
		assert_memory_equal(ref.name, names[i], ref.name_len);
	}
	assert_int_equal(sendcp_inode_ref_iter_next(&iter, &ref), 0);
	assert_int_equal(sendcp_inode_ref_iter_next(&iter, &ref), 0);
	sendcp_inode_ref_iter_release(&iter);
	sendcp_inode_ref_iter_init(&iter, &t->tree, BARE);
	assert_int_equal(sendcp_inode_ref_iter_next(&iter, &ref), 0);
	sendcp_inode_ref_iter_release(&iter);
	/* The last item of the tree. */
	sendcp_inode_ref_iter_init(&iter, &t->tree, EXTENDED);
	assert_int_equal(sendcp_inode_ref_iter_next(&iter, &ref), 1);
	assert_int_equal(sendcp_inode_ref_iter_next(&iter, &ref), 0);
	sendcp_inode_ref_iter_release(&iter);
}

static u32 count_items(struct sendcp_tree *tree, u8 first_type, u64 offset, u8 last_type)
{
	struct sendcp_key from = { .objectid = FILE_INO, .type = first_type, .offset = offset };
	struct sendcp_item_iter iter;
	u32 count = 0;
	int ret;

	sendcp_item_iter_init(&iter, tree, &from, last_type);
	while ((ret = sendcp_item_iter_next(&iter)) > 0) {
		assert_int_equal(sendcp_cursor_key(&iter.cursor).objectid, FILE_INO);
		count++;
	}
	assert_int_equal(ret, 0);
	sendcp_item_iter_release(&iter);
	return count;
}

static void items_of_an_inode(void **state)
{
	struct tree_of_items *t = *state;

	assert_int_equal(count_items(&t->tree, SENDCP_INODE_ITEM, 0, 255), 5);
	assert_int_equal(count_items(&t->tree, SENDCP_INODE_ITEM, 1, 255), 4);
	assert_int_equal(count_items(&t->tree, SENDCP_INODE_REF, 0, SENDCP_INODE_EXTREF), 2);
	assert_int_equal(count_items(&t->tree, SENDCP_EXTENT_DATA, 8192, SENDCP_EXTENT_DATA), 1);
	assert_int_equal(count_items(&t->tree, SENDCP_EXTENT_DATA, 8193, SENDCP_EXTENT_DATA), 0);
	assert_int_equal(count_items(&t->tree, SENDCP_DIR_INDEX, 0, SENDCP_DIR_INDEX), 0);
}

static void directory_entries(void **state)
{
	struct tree_of_items *t = *state;
	struct sendcp_key location;

	assert_int_equal(sendcp_dir_lookup(&t->tree, DIR, (const u8 *)"target", 6, &location), 0);
	assert_int_equal(location.objectid, FILE_INO);
	assert_int_equal(location.type, SENDCP_INODE_ITEM);
	/* The same item, but not under its own hash. */
	assert_int_equal(sendcp_dir_lookup(&t->tree, DIR, (const u8 *)"otherone", 8, &location),
			 -ENOENT);
	assert_int_equal(sendcp_dir_lookup(&t->tree, BARE, (const u8 *)"target", 6, &location),
			 -ENOENT);
}

static void attributes(void **state)
{
	struct tree_of_items *t = *state;
	struct sendcp_dirent entry;
	struct sendcp_cursor cursor;
	char longest[SENDCP_NAME_MAX + 2];

	sendcp_cursor_init(&cursor, &t->tree);
	assert_int_equal(sendcp_xattr_find(&cursor, FILE_INO, "user.a", &entry), 0);
	assert_int_equal(entry.data_len, 3);
	assert_memory_equal(entry.data, "xyz", 3);
	assert_int_equal(sendcp_xattr_find(&cursor, FILE_INO, "user.b", &entry), -ENOENT);
	assert_int_equal(sendcp_xattr_find(&cursor, BARE, "user.a", &entry), -ENOENT);
	memset(longest, 'a', sizeof(longest));
	longest[sizeof(longest) - 1] = 0;
	assert_int_equal(sendcp_xattr_find(&cursor, FILE_INO, longest, &entry), -ENOENT);
	sendcp_cursor_release(&cursor);
}

static void extents(void **state)
{
	struct tree_of_items *t = *state;
	struct sendcp_extent extent;
	struct sendcp_cursor cursor;

	sendcp_cursor_init(&cursor, &t->tree);
	assert_int_equal(sendcp_extent_find(&cursor, FILE_INO, 8192, &extent), 0);
	assert_int_equal(sendcp_extent_find(&cursor, FILE_INO, ~0ULL, &extent), 0);
	assert_int_equal(extent.file_offset, 8192);
	/* The item before it is of another kind, or of another inode. */
	assert_int_equal(sendcp_extent_find(&cursor, FILE_INO, 8191, &extent), -ENOENT);
	assert_int_equal(sendcp_extent_find(&cursor, BARE, 0, &extent), -ENOENT);
	assert_int_equal(sendcp_extent_find(&cursor, 1, 0, &extent), -ENOENT);
	assert_int_equal(sendcp_extent_find_next(&cursor, FILE_INO, 0, 8193, &extent), 0);
	assert_int_equal(extent.file_offset, 8192);
	assert_int_equal(sendcp_extent_find_next(&cursor, FILE_INO, 8192, ~0ULL, &extent), 0);
	assert_int_equal(sendcp_extent_find_next(&cursor, FILE_INO, 0, 8192, &extent), -ENOENT);
	assert_int_equal(sendcp_extent_find_next(&cursor, FILE_INO, 8193, ~0ULL, &extent), -ENOENT);
	assert_int_equal(sendcp_extent_find_next(&cursor, BARE, 0, ~0ULL, &extent), -ENOENT);
	assert_int_equal(sendcp_extent_get(&cursor, FILE_INO, 8192, &extent), 0);
	assert_int_equal(sendcp_extent_get(&cursor, FILE_INO, 4096, &extent), -ENOENT);
	sendcp_cursor_release(&cursor);
}

static void subvolume_names(void **state)
{
	struct tree_of_items *t = *state;
	struct sendcp_volume *volume = t->fixture.volume;
	struct sendcp_name name;
	u64 parent;

	assert_int_equal(sendcp_root_name(volume, SUBVOL, &name, &parent), 0);
	assert_int_equal(parent, 5);
	assert_int_equal(name.dir, 256);
	assert_int_equal(name.len, 3);
	assert_memory_equal(name.bytes, "sub", 3);
	assert_int_equal(sendcp_root_name(volume, NAMELESS, &name, &parent), -ENOENT);
	assert_int_equal(volume->error.reason, SENDCP_ERR_SUBVOLUME_NAMELESS);
	assert_int_equal(volume->error.root, NAMELESS);
	assert_int_equal(sendcp_root_name(volume, ~0ULL, &name, &parent), -ENOENT);
	assert_int_equal(sendcp_root_name(volume, NAMELESS + 1, &name, &parent), -EUCLEAN);
	assert_int_equal(volume->error.reason, SENDCP_ERR_ITEM_FORMAT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(inodes, setup, teardown),
		cmocka_unit_test_setup_teardown(first_references, setup, teardown),
		cmocka_unit_test_setup_teardown(all_references, setup, teardown),
		cmocka_unit_test_setup_teardown(items_of_an_inode, setup, teardown),
		cmocka_unit_test_setup_teardown(directory_entries, setup, teardown),
		cmocka_unit_test_setup_teardown(attributes, setup, teardown),
		cmocka_unit_test_setup_teardown(extents, setup, teardown),
		cmocka_unit_test_setup_teardown(subvolume_names, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
