// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Parts of the clone search that need no filesystem: sets, back references, the cache.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "clone/backref_walk.h"
#include "fixture.h"
#include "leaf.h"

#define EXTENT 1048576

static void set_keeps_order(void **state)
{
	struct sendcp_id_set set = { 0 };
	u64 i;

	for (i = 0; i < 5000; i++)
		assert_int_equal(sendcp_id_set_add(&set, 16384 * (i * 7 % 5000)), 1);
	for (i = 0; i < 5000; i++)
		assert_int_equal(sendcp_id_set_add(&set, 16384 * i), 0);
	assert_int_equal(set.count, 5000);
	for (i = 0; i < 5000; i++)
		assert_int_equal(set.ids[i], 16384 * (i * 7 % 5000));
	sendcp_id_set_clear(&set);
	assert_int_equal(set.count, 0);
	assert_int_equal(sendcp_id_set_add(&set, 0), 1);
	assert_int_equal(sendcp_id_set_add(&set, 0), 0);
	sendcp_id_set_release(&set);
}

static void set_is_bounded(void **state)
{
	struct sendcp_id_set set = { 0 };
	u64 i;

	for (i = 0; i < SENDCP_CLONE_MAX_BLOCKS; i++)
		assert_int_equal(sendcp_id_set_add(&set, i), 1);
	assert_int_equal(sendcp_id_set_add(&set, i), -E2BIG);
	assert_int_equal(sendcp_id_set_add(&set, 5), 0);
	assert_int_equal(set.count, SENDCP_CLONE_MAX_BLOCKS);
	sendcp_id_set_release(&set);
}

static bool descends(const struct sendcp_backref *a, const struct sendcp_backref *b)
{
	if (a->root != b->root)
		return a->root > b->root;
	if (a->key.objectid != b->key.objectid)
		return a->key.objectid > b->key.objectid;
	return a->parent >= b->parent;
}

static void refs_are_sorted(void **state)
{
	struct sendcp_backref_list list = { 0 };
	struct sendcp_volume volume = { 0 };
	u64 seed = 42;
	u32 i, count;

	for (count = 0; count < 70; count++) {
		u64 sum = 0;

		assert_int_equal(sendcp_backrefs_reset(&volume, &list, 70), 0);
		for (i = 0; i < count; i++) {
			struct sendcp_backref ref = { .count = i };

			ref.root = fixture_random(&seed) % 4;
			ref.key.objectid = fixture_random(&seed) % 4;
			ref.parent = fixture_random(&seed);
			list.refs[list.count++] = ref;
		}
		sendcp_backrefs_sort(&list);
		for (i = 0; i < count; i++) {
			sum += list.refs[i].count;
			if (i)
				assert_true(descends(&list.refs[i - 1], &list.refs[i]));
		}
		assert_int_equal(sum, count * (count - 1) / 2);
	}
	sendcp_free(list.refs);
}

/* Inline references: the type byte, then little-endian numbers, one byte of each being enough. */
#define N64(low) low "\0\0\0\0\0\0\0"
#define N32(low) low "\0\0\0"
#define OWNER_REF(root) "\254" N64(root)
#define TREE_REF(root) "\260" N64(root)
#define DATA_REF(root, ino, offset, count) "\262" N64(root) N64(ino) N64(offset) N32(count)
#define SHARED_BLOCK(parent) "\266" N64(parent)
#define SHARED_DATA(parent, count) "\270" N64(parent) N32(count)
/* Tree -9, of relocation. */
#define RELOC_REF "\262\367\377\377\377\377\377\377\377" N64("\1") N64("\0") N32("\1")
#define BYTES(bytes) bytes, sizeof(bytes) - 1

struct row {
	const char *what;
	u64 refs;
	bool is_block;
	const char *inline_refs;
	u32 inline_size;
	/* One item after the extent's; type 0: none. */
	u8 keyed_type;
	const char *keyed;
	u32 keyed_size;
};

static int collect_row(const struct row *row, struct leaf *leaf, struct sendcp_backref_list *list)
{
	struct sendcp_extent_entry entry = {
		.bytenr = EXTENT,
		.refs = row->refs,
		.is_block = row->is_block,
	};

	leaf_init(leaf);
	leaf_add(leaf, EXTENT, SENDCP_EXTENT_ITEM, 4096, row->inline_refs, row->inline_size);
	if (row->keyed_type)
		leaf_add(leaf, EXTENT, row->keyed_type, 777, row->keyed, row->keyed_size);
	leaf_add(leaf, EXTENT + 8192, SENDCP_EXTENT_ITEM, 4096, BYTES(""));
	leaf->cursor.slot[0] = 0;
	return sendcp_backrefs_collect(&leaf->cursor, &entry, list);
}

static void refs_are_collected(void **state)
{
	static const struct row row = {
		"all kinds", 10, false,
		BYTES(OWNER_REF("\5") SHARED_DATA("\11", "\2") DATA_REF("\5", "\1", "\0", "\1")
		      DATA_REF("\6", "\1", "\0", "\3") RELOC_REF DATA_REF("\5", "\1", "\0", "\1")),
		SENDCP_SHARED_DATA_REF, BYTES(N32("\1")),
	};
	struct sendcp_backref_list list = { 0 };
	struct leaf leaf;

	assert_int_equal(collect_row(&row, &leaf, &list), 0);
	assert_int_equal(list.count, 4);
	assert_int_equal(list.refs[0].root, 6);
	assert_int_equal(list.refs[0].count, 3);
	assert_int_equal(list.refs[1].root, 5);
	assert_int_equal(list.refs[1].key.objectid, 1);
	assert_int_equal(list.refs[1].key.type, SENDCP_EXTENT_DATA);
	assert_int_equal(list.refs[1].count, 2);
	assert_int_equal(list.refs[2].parent, 777);
	assert_int_equal(list.refs[2].root, 0);
	assert_int_equal(list.refs[3].parent, 9);
	assert_int_equal(list.refs[3].count, 2);
	sendcp_free(list.refs);
}

static void block_refs_are_collected(void **state)
{
	static const struct row row = {
		"block", 3, true, BYTES(TREE_REF("\5") SHARED_BLOCK("\11")),
		SENDCP_TREE_BLOCK_REF, BYTES(""),
	};
	struct sendcp_backref_list list = { 0 };
	struct leaf leaf;

	assert_int_equal(collect_row(&row, &leaf, &list), 0);
	assert_int_equal(list.count, 3);
	assert_int_equal(list.refs[0].root, 777);
	assert_int_equal(list.refs[1].root, 5);
	assert_int_equal(list.refs[2].parent, 9);
	sendcp_free(list.refs);
}

static const struct row bad_rows[] = {
	{ "unknown type", 1, false, BYTES("\1" N64("\1")), 0, BYTES("") },
	{ "type cut off", 1, false, BYTES(DATA_REF("\5", "\1", "\0", "\1") "\262"), 0, BYTES("") },
	{ "reference cut", 1, false,
	  BYTES("\262" N64("\5") N64("\1") N64("\0") "\1"), 0, BYTES("") },
	{ "shared cut", 1, false, BYTES("\270" N64("\5")), 0, BYTES("") },
	{ "tree reference to data", 1, false, BYTES(TREE_REF("\5")), 0, BYTES("") },
	{ "block reference to data", 1, false, BYTES(SHARED_BLOCK("\5")), 0, BYTES("") },
	{ "data reference to block", 1, true,
	  BYTES(DATA_REF("\5", "\1", "\0", "\1")), 0, BYTES("") },
	{ "more than said", 1, false, BYTES(DATA_REF("\5", "\1", "\0", "\2")), 0, BYTES("") },
	{ "many more than said", 1, false,
	  BYTES("\262" N64("\5") N64("\1") N64("\0") "\377\377\377\377"), 0, BYTES("") },
	{ "none, said to be", 0, true, BYTES(TREE_REF("\5")), 0, BYTES("") },
	{ "one more as item", 1, false, BYTES(SHARED_DATA("\11", "\1")),
	  SENDCP_SHARED_DATA_REF, BYTES(N32("\1")) },
	{ "item cut", 9, false, BYTES(""), SENDCP_EXTENT_DATA_REF, BYTES(N64("\5") N64("\1")) },
	{ "shared item cut", 9, false, BYTES(""), SENDCP_SHARED_DATA_REF, BYTES("\1\0\0") },
};

static void bad_refs_are_refused(void **state)
{
	struct sendcp_backref_list list = { 0 };
	struct leaf leaf;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(bad_rows); i++) {
		if (collect_row(&bad_rows[i], &leaf, &list) != -EUCLEAN)
			fail_msg("%s is taken", bad_rows[i].what);
		assert_int_equal(leaf.volume.error.reason, SENDCP_ERR_ITEM_FORMAT);
		assert_int_equal(leaf.volume.error.bytenr, leaf.node.bytenr);
	}
	sendcp_free(list.refs);
}

/* A search with clone roots 300, 301..., and a walk in which leaves have roots without any tree. */
struct cache_fixture {
	struct sendcp_volume volume;
	struct sendcp_clone_root roots[20];
	struct sendcp_clone_search search;
	struct sendcp_backref_walk walk;
};

static void cache_setup(struct cache_fixture *cache)
{
	u32 i;

	memset(cache, 0, sizeof(*cache));
	for (i = 0; i < ARRAY_SIZE(cache->roots); i++)
		cache->roots[i].tree.id = 300 + i;
	assert_int_equal(sendcp_clone_search_init(&cache->search, &cache->volume, cache->roots,
						  ARRAY_SIZE(cache->roots)), 0);
	cache->walk.search = &cache->search;
	sendcp_backref_cache_begin(&cache->walk);
}

static void cache_release(struct cache_fixture *cache)
{
	sendcp_id_set_release(&cache->walk.roots);
	sendcp_clone_search_release(&cache->search);
}

static void store(struct cache_fixture *cache, u64 leaf, u64 first_root, u32 count)
{
	u32 i;

	sendcp_id_set_clear(&cache->walk.roots);
	for (i = 0; i < count; i++)
		assert_int_equal(sendcp_id_set_add(&cache->walk.roots, first_root + i), 1);
	sendcp_backref_cache_store(&cache->walk, leaf);
}

static void cache_forgets_least_recent(void **state)
{
	struct cache_fixture cache;
	u64 leaves[SENDCP_BACKREF_CACHE_LEAVES];
	const u64 *roots;
	u32 i, count;

	cache_setup(&cache);
	for (i = 0; i < SENDCP_BACKREF_CACHE_LEAVES; i++)
		store(&cache, 4096 * i, 300 + i % 20, 1);
	assert_int_equal(sendcp_backref_cache_lookup(&cache.walk, 0, &roots, &count), 1);
	assert_int_equal(count, 1);
	assert_int_equal(roots[0], 300);
	store(&cache, 1, 300, 1);
	assert_int_equal(sendcp_backref_cache_lookup(&cache.walk, 4096, &roots, &count), 0);
	assert_int_equal(sendcp_backref_cache_save(&cache.search, leaves,
						   SENDCP_BACKREF_CACHE_LEAVES),
			 SENDCP_BACKREF_CACHE_LEAVES);
	for (i = 0; i < SENDCP_BACKREF_CACHE_LEAVES - 2; i++)
		assert_int_equal(leaves[i], 4096 * (i + 2));
	assert_int_equal(leaves[SENDCP_BACKREF_CACHE_LEAVES - 2], 0);
	assert_int_equal(leaves[SENDCP_BACKREF_CACHE_LEAVES - 1], 1);
	cache_release(&cache);
}

static void cache_keeps_clone_roots_only(void **state)
{
	struct cache_fixture cache;
	const u64 *roots;
	u32 count;

	cache_setup(&cache);
	/* 290 to 299 are none, so that 17 are left; then 18. */
	store(&cache, 4096, 290, 10 + SENDCP_BACKREF_CACHE_ROOTS);
	store(&cache, 8192, 290, 11 + SENDCP_BACKREF_CACHE_ROOTS);
	store(&cache, 12288, 290, 5);
	assert_int_equal(sendcp_backref_cache_lookup(&cache.walk, 4096, &roots, &count), 1);
	assert_int_equal(count, SENDCP_BACKREF_CACHE_ROOTS);
	assert_int_equal(roots[0], 300);
	assert_int_equal(roots[16], 316);
	assert_int_equal(sendcp_backref_cache_lookup(&cache.walk, 8192, &roots, &count), 0);
	assert_int_equal(sendcp_backref_cache_lookup(&cache.walk, 12288, &roots, &count), 1);
	assert_int_equal(count, 0);
	cache_release(&cache);
}

static void cache_is_rolled_back(void **state)
{
	struct cache_fixture cache;
	const u64 *roots;
	u64 leaves[3];
	u32 count;

	cache_setup(&cache);
	store(&cache, 4096, 300, 1);
	store(&cache, 8192, 301, 1);
	sendcp_backref_cache_begin(&cache.walk);
	assert_int_equal(sendcp_backref_cache_lookup(&cache.walk, 4096, &roots, &count), 1);
	store(&cache, 12288, 302, 1);
	sendcp_backref_cache_rollback(cache.search.backref_cache);
	assert_int_equal(sendcp_backref_cache_save(&cache.search, leaves, 3), 2);
	assert_int_equal(leaves[0], 4096);
	assert_int_equal(leaves[1], 8192);
	/* Nothing happened since: nothing to undo. */
	sendcp_backref_cache_begin(&cache.walk);
	sendcp_backref_cache_rollback(cache.search.backref_cache);
	assert_int_equal(sendcp_backref_cache_save(&cache.search, leaves, 0), 2);
	cache_release(&cache);
}

static void cache_is_loaded(void **state)
{
	static const u64 first[] = { 4096, 8192, 4096 };
	struct cache_fixture cache;
	u64 many[SENDCP_BACKREF_CACHE_LEAVES + 5], leaves[SENDCP_BACKREF_CACHE_LEAVES];
	u32 i;

	cache_setup(&cache);
	store(&cache, 77, 300, 1);
	assert_int_equal(sendcp_backref_cache_load(&cache.search, first, 3), 0);
	assert_int_equal(sendcp_backref_cache_save(&cache.search, leaves, 3), 2);
	assert_int_equal(leaves[0], 8192);
	assert_int_equal(leaves[1], 4096);
	for (i = 0; i < ARRAY_SIZE(many); i++)
		many[i] = 4096 * i;
	assert_int_equal(sendcp_backref_cache_load(&cache.search, many, ARRAY_SIZE(many)), 0);
	assert_int_equal(sendcp_backref_cache_save(&cache.search, leaves,
						   SENDCP_BACKREF_CACHE_LEAVES),
			 SENDCP_BACKREF_CACHE_LEAVES);
	assert_memory_equal(leaves, many + 5, sizeof(leaves));
	cache_release(&cache);
}

static void clone_roots_are_found(void **state)
{
	struct cache_fixture cache;
	u32 i;

	cache_setup(&cache);
	for (i = 0; i < 20; i++)
		assert_int_equal(sendcp_clone_root_index(&cache.search, 300 + i), i);
	assert_int_equal(sendcp_clone_root_index(&cache.search, 299), -1);
	assert_int_equal(sendcp_clone_root_index(&cache.search, 320), -1);
	assert_false(cache.search.alone);
	cache_release(&cache);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(set_keeps_order),
		cmocka_unit_test(set_is_bounded),
		cmocka_unit_test(refs_are_sorted),
		cmocka_unit_test(refs_are_collected),
		cmocka_unit_test(block_refs_are_collected),
		cmocka_unit_test(bad_refs_are_refused),
		cmocka_unit_test(cache_forgets_least_recent),
		cmocka_unit_test(cache_keeps_clone_roots_only),
		cmocka_unit_test(cache_is_rolled_back),
		cmocka_unit_test(cache_is_loaded),
		cmocka_unit_test(clone_roots_are_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
