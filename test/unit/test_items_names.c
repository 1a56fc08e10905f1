// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Items that hold names: references, directory entries, extended attributes.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "items/items.h"
#include "leaf.h"

#define INO 300

/* An INODE_REF entry: index, name length, name. */
#define REF(len, name) "\5\0\0\0\0\0\0\0" len "\0" name
/* An INODE_EXTREF entry: parent directory 256 + @dir, index, name length, name. */
#define EXTREF(dir, len, name) dir "\1\0\0\0\0\0\0" REF(len, name)
/* A directory entry: location, transid, data length, name length, type, name, data. */
#define ENTRY(data_len, len, rest) \
	"\1\1\0\0\0\0\0\0\1\0\0\0\0\0\0\0\0" "\7\0\0\0\0\0\0\0" data_len "\0" len "\0" "\1" rest
#define ITEM(bytes) bytes, sizeof(bytes) - 1

struct bad {
	const char *what;
	u64 ino;
	u8 type;
	const char *bytes;
	u32 size;
};

static void refs_are_walked(void **state)
{
	struct sendcp_ref_iter iter;
	struct sendcp_ref ref;
	struct leaf leaf;

	leaf_init(&leaf);
	leaf_add(&leaf, INO, SENDCP_INODE_REF, 256, ITEM(REF("\1", "a") REF("\3", "bcd")));
	sendcp_ref_iter_init(&iter, &leaf.cursor);
	assert_int_equal(sendcp_ref_iter_next(&iter, &ref), 1);
	assert_int_equal(ref.dir, 256);
	assert_int_equal(ref.name_len, 1);
	assert_memory_equal(ref.name, "a", 1);
	assert_int_equal(sendcp_ref_iter_next(&iter, &ref), 1);
	assert_int_equal(ref.name_len, 3);
	assert_memory_equal(ref.name, "bcd", 3);
	assert_int_equal(sendcp_ref_iter_next(&iter, &ref), 0);
	assert_int_equal(sendcp_ref_iter_next(&iter, &ref), 0);
}

static void extended_refs_are_walked(void **state)
{
	struct sendcp_ref_iter iter;
	struct sendcp_ref ref;
	struct leaf leaf;

	leaf_init(&leaf);
	leaf_add(&leaf, INO, SENDCP_INODE_EXTREF, 0x12345678,
		 ITEM(EXTREF("\1", "\2", "ab") EXTREF("\2", "\1", "c")));
	sendcp_ref_iter_init(&iter, &leaf.cursor);
	assert_int_equal(sendcp_ref_iter_next(&iter, &ref), 1);
	assert_int_equal(ref.dir, 257);
	assert_memory_equal(ref.name, "ab", 2);
	assert_int_equal(sendcp_ref_iter_next(&iter, &ref), 1);
	assert_int_equal(ref.dir, 258);
	assert_memory_equal(ref.name, "c", 1);
	assert_int_equal(sendcp_ref_iter_next(&iter, &ref), 0);
}

static void root_directory_is_dotdot(void **state)
{
	struct sendcp_ref_iter iter;
	struct sendcp_ref ref;
	struct leaf leaf;

	leaf_init(&leaf);
	leaf_add(&leaf, 256, SENDCP_INODE_REF, 256, ITEM(REF("\2", "..")));
	sendcp_ref_iter_init(&iter, &leaf.cursor);
	assert_int_equal(sendcp_ref_iter_next(&iter, &ref), 1);
	assert_int_equal(ref.name_len, 2);
}

static void longest_name_is_taken(void **state)
{
	u8 bytes[10 + SENDCP_NAME_MAX + 1];
	struct sendcp_ref_iter iter;
	struct sendcp_ref ref;
	struct leaf leaf;

	memset(bytes, 'n', sizeof(bytes));
	sendcp_put_le16(bytes + 8, SENDCP_NAME_MAX);
	leaf_init(&leaf);
	leaf_add(&leaf, INO, SENDCP_INODE_REF, 256, bytes, sizeof(bytes) - 1);
	sendcp_ref_iter_init(&iter, &leaf.cursor);
	assert_int_equal(sendcp_ref_iter_next(&iter, &ref), 1);
	assert_int_equal(ref.name_len, SENDCP_NAME_MAX);

	sendcp_put_le16(bytes + 8, SENDCP_NAME_MAX + 1);
	leaf_add(&leaf, INO, SENDCP_INODE_REF, 257, bytes, sizeof(bytes));
	sendcp_ref_iter_init(&iter, &leaf.cursor);
	assert_int_equal(sendcp_ref_iter_next(&iter, &ref), -EUCLEAN);
}

static const struct bad bad_refs[] = {
	{ "empty", INO, SENDCP_INODE_REF, ITEM("") },
	{ "header cut", INO, SENDCP_INODE_REF, ITEM("\5\0\0\0\0\0\0\0\1") },
	{ "no name", INO, SENDCP_INODE_REF, ITEM(REF("\1", "")) },
	{ "length zero", INO, SENDCP_INODE_REF, ITEM(REF("\0", "a")) },
	{ "name cut", INO, SENDCP_INODE_REF, ITEM(REF("\5", "abcd")) },
	{ "name huge", INO, SENDCP_INODE_REF, ITEM("\5\0\0\0\0\0\0\0\377\377abcd") },
	{ "rest behind", INO, SENDCP_INODE_REF, ITEM(REF("\1", "a") "x") },
	{ "second cut", INO, SENDCP_INODE_REF, ITEM(REF("\1", "a") REF("\2", "b")) },
	{ "slash", INO, SENDCP_INODE_REF, ITEM(REF("\3", "a/b")) },
	{ "nul", INO, SENDCP_INODE_REF, ITEM(REF("\3", "a\0b")) },
	{ "dot", INO, SENDCP_INODE_REF, ITEM(REF("\1", ".")) },
	{ "dotdot", INO, SENDCP_INODE_REF, ITEM(REF("\2", "..")) },
	{ "other name of the root", 256, SENDCP_INODE_REF, ITEM(REF("\1", ".")) },
	{ "extended, plain's size", INO, SENDCP_INODE_EXTREF, ITEM(REF("\1", "a")) },
	{ "extended, name cut", INO, SENDCP_INODE_EXTREF, ITEM(EXTREF("\1", "\3", "ab")) },
	{ "extended, slash", INO, SENDCP_INODE_EXTREF, ITEM(EXTREF("\1", "\1", "/")) },
};

static void bad_refs_are_refused(void **state)
{
	struct sendcp_ref_iter iter;
	struct sendcp_ref ref;
	struct leaf leaf;
	size_t i;
	int err;

	for (i = 0; i < ARRAY_SIZE(bad_refs); i++) {
		leaf_init(&leaf);
		leaf_add(&leaf, bad_refs[i].ino, bad_refs[i].type, 256, bad_refs[i].bytes,
			 bad_refs[i].size);
		sendcp_ref_iter_init(&iter, &leaf.cursor);
		while ((err = sendcp_ref_iter_next(&iter, &ref)) > 0)
			;
		if (err != -EUCLEAN || leaf.volume.error.reason != SENDCP_ERR_ITEM_FORMAT)
			fail_msg("%s: %d", bad_refs[i].what, err);
		assert_int_equal(leaf.volume.error.bytenr, leaf.node.bytenr);
		assert_int_equal(leaf.volume.error.root, leaf.tree.id);
	}
}

static void entries_are_walked(void **state)
{
	struct sendcp_dirent_iter iter;
	struct sendcp_dirent entry;
	struct leaf leaf;

	leaf_init(&leaf);
	leaf_add(&leaf, INO, SENDCP_XATTR_ITEM, 1,
		 ITEM(ENTRY("\2", "\3", "abcxy") ENTRY("\0", "\1", "d")));
	sendcp_dirent_iter_init(&iter, &leaf.cursor);
	assert_int_equal(sendcp_dirent_iter_next(&iter, &entry), 1);
	assert_int_equal(entry.location.objectid, 257);
	assert_int_equal(entry.location.type, SENDCP_INODE_ITEM);
	assert_int_equal(entry.type, 1);
	assert_int_equal(entry.name_len, 3);
	assert_memory_equal(entry.name, "abc", 3);
	assert_int_equal(entry.data_len, 2);
	assert_memory_equal(entry.data, "xy", 2);
	assert_int_equal(sendcp_dirent_iter_next(&iter, &entry), 1);
	assert_int_equal(entry.name_len, 1);
	assert_int_equal(entry.data_len, 0);
	assert_int_equal(sendcp_dirent_iter_next(&iter, &entry), 0);
}

static const struct bad bad_entries[] = {
	{ "empty", INO, SENDCP_DIR_ITEM, ITEM("") },
	{ "header only", INO, SENDCP_DIR_ITEM, ITEM(ENTRY("\0", "\0", "")) },
	{ "length zero", INO, SENDCP_DIR_ITEM, ITEM(ENTRY("\0", "\0", "a")) },
	{ "name cut", INO, SENDCP_DIR_ITEM, ITEM(ENTRY("\0", "\2", "a")) },
	{ "data cut", INO, SENDCP_XATTR_ITEM, ITEM(ENTRY("\2", "\1", "ax")) },
	{ "rest behind", INO, SENDCP_DIR_INDEX, ITEM(ENTRY("\0", "\1", "ax")) },
	{ "second cut", INO, SENDCP_DIR_ITEM, ITEM(ENTRY("\0", "\1", "a") ENTRY("\0", "\2", "b")) },
};

static void bad_entries_are_refused(void **state)
{
	struct sendcp_dirent_iter iter;
	struct sendcp_dirent entry;
	struct leaf leaf;
	size_t i;
	int err;

	for (i = 0; i < ARRAY_SIZE(bad_entries); i++) {
		leaf_init(&leaf);
		leaf_add(&leaf, bad_entries[i].ino, bad_entries[i].type, 2, bad_entries[i].bytes,
			 bad_entries[i].size);
		sendcp_dirent_iter_init(&iter, &leaf.cursor);
		while ((err = sendcp_dirent_iter_next(&iter, &entry)) > 0)
			;
		if (err != -EUCLEAN || leaf.volume.error.reason != SENDCP_ERR_ITEM_FORMAT)
			fail_msg("%s: %d", bad_entries[i].what, err);
	}
}

static void names_hash_as_on_disk(void **state)
{
	/* Key offsets of DIR_ITEMs and XATTR_ITEMs that btrfs made. */
	assert_int_equal(sendcp_name_hash((const u8 *)"default", 7), 2378154706);
	assert_int_equal(sendcp_name_hash((const u8 *)"security.capability", 19), 2083934385);
	assert_int_equal(sendcp_name_hash((const u8 *)"user.sendcp", 11), 3469495610);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refs_are_walked),
		cmocka_unit_test(extended_refs_are_walked),
		cmocka_unit_test(root_directory_is_dotdot),
		cmocka_unit_test(longest_name_is_taken),
		cmocka_unit_test(bad_refs_are_refused),
		cmocka_unit_test(entries_are_walked),
		cmocka_unit_test(bad_entries_are_refused),
		cmocka_unit_test(names_hash_as_on_disk),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
