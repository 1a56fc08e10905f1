/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Searching and stepping in handmade trees of three levels, damaged ones too, and what follows
 * when a mounted one moves.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <sendcp/subvolume.h>
#include "fixture.h"
#include "fs/internal.h"
#include "tree/internal.h"

#define LEAVES		30u
#define PER_LEAF	5u
#define ITEMS		(LEAVES * PER_LEAF)
#define FANOUT		10u
#define SUBVOLUME	256ULL

/*
 * Block numbers from TINY_FREE on: leaves, level 1, root; then the same again for where it moves.
 */
#define BLOCKS		40u

static u64 block_at(u32 number)
{
	return TINY_FREE + (u64)number * TINY_NODESIZE;
}

/* Item @i of the tree has objectid 10 i + 10. */
static struct sendcp_key item_key(u32 i)
{
	return (struct sendcp_key) { .objectid = 10 * i + 10, .type = 1, .offset = 7 };
}

/* @more, if not 0: the objectid of one more item at the end of leaf 0. */
static void write_leaves(struct fixture *fixture, u32 base, u64 generation, u64 more)
{
	struct tiny_item items[PER_LEAF + 1];
	u32 i, j, count;

	for (i = 0; i < LEAVES; i++) {
		count = PER_LEAF + (!i && more);
		for (j = 0; j < count; j++) {
			items[j].key = item_key(i * PER_LEAF + j);
			if (j == PER_LEAF)
				items[j].key.objectid = more;
			items[j].data = "data";
			items[j].size = 4;
		}
		tiny_leaf(fixture, block_at(base + i), generation, items, count);
	}
}

static void write_inners(struct fixture *fixture, u32 base, u64 generation)
{
	struct tiny_pointer pointers[FANOUT];
	u32 i, j;

	for (i = 0; i < LEAVES / FANOUT; i++) {
		for (j = 0; j < FANOUT; j++) {
			pointers[j].key = item_key((i * FANOUT + j) * PER_LEAF);
			pointers[j].bytenr = block_at(base + i * FANOUT + j);
			pointers[j].generation = generation;
		}
		tiny_inner(fixture, block_at(base + LEAVES + i), generation, 1, pointers, FANOUT);
	}
	for (i = 0; i < LEAVES / FANOUT; i++) {
		pointers[i].key = item_key(i * FANOUT * PER_LEAF);
		pointers[i].bytenr = block_at(base + LEAVES + i);
		pointers[i].generation = generation;
	}
	tiny_inner(fixture, block_at(base + LEAVES + 5), generation, 2, pointers, LEAVES / FANOUT);
}

struct state {
	struct fixture fixture;
	struct sendcp_disk_root root;
	u32 base;
	u64 generation;
	/* See write_leaves(). */
	u64 more;
};

/* Commits: the tree at block number state->base, the root tree in block @root, the superblock. */
static void commit(struct state *state, u64 root)
{
	struct fixture *fixture = &state->fixture;
	struct tiny_item item = {
		{ SUBVOLUME, SENDCP_ROOT_ITEM, 3 }, &state->root, sizeof(state->root),
	};
	struct sendcp_disk_super *super = (void *)(fixture->devices[0].bytes +
						   SENDCP_SUPER_OFFSET_0);

	state->root.bytenr = cpu_to_le64(block_at(state->base + LEAVES + 5));
	state->root.generation = cpu_to_le64(state->generation);
	state->root.generation_v2 = state->root.generation;
	state->root.level = 2;
	tiny_leaf(fixture, root, state->generation, &item, state->root.refs || !state->base);
	super->root = cpu_to_le64(root);
	super->generation = cpu_to_le64(state->generation);
	tiny_seal(super, SENDCP_SUPER_SIZE);
}

static void write_tree(struct state *state)
{
	write_leaves(&state->fixture, state->base, state->generation, state->more);
	write_inners(&state->fixture, state->base, state->generation);
}

static int setup(void **out)
{
	static struct state state;

	memset(&state, 0, sizeof(state));
	fixture_init(&state.fixture);
	tiny_make(&state.fixture, 4 << 20);
	state.generation = TINY_GENERATION;
	state.root.refs = cpu_to_le32(1);
	state.root.flags = cpu_to_le64(SENDCP_ROOT_READONLY);
	state.root.ctransid = cpu_to_le64(5);
	tiny_uuid(state.root.uuid, 0x77);
	write_tree(&state);
	commit(&state, TINY_ROOT_ROOT);
	assert_int_equal(fixture_open(&state.fixture), 0);
	*out = &state;
	return 0;
}

static int teardown(void **state)
{
	fixture_release(&((struct state *)*state)->fixture);
	return 0;
}

/* The whole tree's blocks are elsewhere, and the old ones are overwritten. */
static void move(struct state *state)
{
	u32 old = state->base;
	u32 i;

	state->base = old ? 0 : BLOCKS;
	state->generation++;
	write_tree(state);
	commit(state, state->base ? TINY_ROOT_ROOT + TINY_NODESIZE : TINY_ROOT_ROOT);
	for (i = 0; i < BLOCKS; i++)
		memset(state->fixture.devices[0].bytes + block_at(old + i), 0x5a, TINY_NODESIZE);
}

static void open_tree(struct state *state, struct sendcp_tree *tree)
{
	assert_int_equal(sendcp_tree_open(state->fixture.volume, SUBVOLUME, true, tree), 0);
}

static void expect_item(struct sendcp_cursor *cursor, u32 i)
{
	struct sendcp_key key = sendcp_cursor_key(cursor), wanted = item_key(i);

	assert_int_equal(sendcp_key_compare(&key, &wanted), 0);
}

static void every_key_is_found(void **state)
{
	struct sendcp_tree tree;
	struct sendcp_cursor cursor;
	struct sendcp_key key;
	u32 i;

	open_tree(*state, &tree);
	sendcp_cursor_init(&cursor, &tree);
	for (i = 0; i < ITEMS; i++) {
		key = item_key(i);
		assert_int_equal(sendcp_search(&cursor, &key), 0);
		expect_item(&cursor, i);
		assert_int_equal(sendcp_search_exact(&cursor, &key), 0);
		assert_int_equal(sendcp_search_last(&cursor, &key), 0);
		expect_item(&cursor, i);
		key.offset--;
		assert_int_equal(sendcp_search(&cursor, &key), 1);
		expect_item(&cursor, i);
		assert_int_equal(sendcp_search_exact(&cursor, &key), -ENOENT);
		assert_int_equal(sendcp_search_last(&cursor, &key), i ? 0 : -ENOENT);
		if (i)
			expect_item(&cursor, i - 1);
	}
	key.objectid = ~0ULL;
	assert_int_equal(sendcp_search(&cursor, &key), -ENOENT);
	assert_int_equal(sendcp_search_last(&cursor, &key), 0);
	expect_item(&cursor, ITEMS - 1);
	sendcp_cursor_release(&cursor);
	sendcp_cursor_release(&cursor);
}

static void slots_are_where_keys_belong(void **state)
{
	struct sendcp_key key = item_key(PER_LEAF * 2 - 1);
	struct sendcp_tree tree;
	struct sendcp_cursor cursor;
	int level;

	open_tree(*state, &tree);
	sendcp_cursor_init(&cursor, &tree);
	key.offset++;
	assert_int_equal(sendcp_search_slot(&cursor, &key, 0), 1);
	assert_int_equal(cursor.slot[0], PER_LEAF);
	assert_int_equal(sendcp_next(&cursor), 0);
	expect_item(&cursor, PER_LEAF * 2);
	key = item_key(PER_LEAF * FANOUT);
	for (level = 0; level < SENDCP_MAX_LEVEL; level++) {
		assert_int_equal(sendcp_search_slot(&cursor, &key, level), 0);
		assert_non_null(cursor.path[level < 2 ? level : 2]);
		assert_true(level == 0 || !cursor.path[level - 1] || level > 2);
	}
	assert_int_equal(sendcp_search_slot(&cursor, &key, 2), 0);
	assert_int_equal(cursor.slot[2], 1);
	key.objectid++;
	assert_int_equal(sendcp_search_slot(&cursor, &key, 1), 1);
	assert_int_equal(cursor.slot[1], 0);
	sendcp_cursor_release(&cursor);
}

static void walk_from(struct sendcp_cursor *cursor, u32 i)
{
	for (; i < ITEMS - 1; i++) {
		expect_item(cursor, i);
		assert_int_equal(sendcp_next(cursor), 0);
	}
	expect_item(cursor, ITEMS - 1);
	assert_int_equal(sendcp_next(cursor), -ENOENT);
	expect_item(cursor, ITEMS - 1);
}

static void walks_are_complete(void **state)
{
	struct sendcp_key key = { 0 };
	struct sendcp_cursor cursor;
	struct sendcp_tree tree;
	u32 leaves = 1;

	open_tree(*state, &tree);
	sendcp_cursor_init(&cursor, &tree);
	assert_int_equal(sendcp_search(&cursor, &key), 1);
	walk_from(&cursor, 0);
	assert_int_equal(sendcp_search(&cursor, &key), 1);
	while (!sendcp_next_leaf(&cursor))
		expect_item(&cursor, PER_LEAF * leaves++);
	assert_int_equal(leaves, LEAVES);
	sendcp_cursor_release(&cursor);
}

static void walks_read_ahead(void **out)
{
	struct state *state = *out;
	struct sendcp_key key = { 0 };
	struct sendcp_cursor cursor;
	struct sendcp_tree tree;
	unsigned int calls;

	open_tree(state, &tree);
	sendcp_cursor_init(&cursor, &tree);
	cursor.readahead = true;
	calls = state->fixture.calls;
	assert_int_equal(sendcp_search(&cursor, &key), 1);
	walk_from(&cursor, 0);
	/* Root, and for each of three nodes: itself, its ten leaves in one go. */
	assert_int_equal(state->fixture.calls - calls, 1 + 3 + 3);
	sendcp_cursor_release(&cursor);
}

static void empty_trees_have_nothing(void **out)
{
	struct state *state = *out;
	struct sendcp_key key = { 0 };
	struct sendcp_cursor cursor;
	struct sendcp_tree tree;

	open_tree(state, &tree);
	tree.pinned = false;
	tree.info.node = (struct sendcp_root_pointer) { block_at(90), 3, 0 };
	tiny_leaf(&state->fixture, block_at(90), 3, NULL, 0);
	sendcp_cursor_init(&cursor, &tree);
	assert_int_equal(sendcp_search(&cursor, &key), -ENOENT);
	assert_int_equal(sendcp_search_last(&cursor, &key), -ENOENT);
	assert_int_equal(sendcp_search_slot(&cursor, &key, 0), 1);
	assert_non_null(cursor.path[0]);
	assert_int_equal(cursor.slot[0], 0);
	assert_int_equal(sendcp_next(&cursor), -ENOENT);
	sendcp_cursor_release(&cursor);
}

/*
 * A leaf whose last keys reach into the next one's: each block is fine, the tree is not. A walk
 * would find an item that no search finds.
 */
static void overlapping_leaves_are_refused(void **out)
{
	struct state *state = *out;
	struct tiny_item items[2] = { { item_key(0), "x", 1 }, { item_key(PER_LEAF), "x", 1 } };
	struct sendcp_key key = { 0 };
	struct sendcp_cursor cursor;
	struct sendcp_tree tree;

	tiny_leaf(&state->fixture, block_at(0), state->generation, items, 2);
	open_tree(state, &tree);
	sendcp_cursor_init(&cursor, &tree);
	assert_int_equal(sendcp_search(&cursor, &key), -EUCLEAN);
	assert_int_equal(state->fixture.volume->error.reason, SENDCP_ERR_NODE_ITEMS);
	assert_int_equal(state->fixture.volume->error.bytenr, block_at(0));
	assert_int_equal(state->fixture.volume->error.root, SUBVOLUME);
	sendcp_cursor_release(&cursor);
}

static void damage_is_placed(void **out)
{
	struct state *state = *out;
	struct sendcp_key key = item_key(PER_LEAF * 3);
	struct sendcp_cursor cursor;
	struct sendcp_tree tree;

	state->fixture.devices[0].bytes[block_at(3) + 200] ^= 4;
	open_tree(state, &tree);
	sendcp_cursor_init(&cursor, &tree);
	assert_int_equal(sendcp_search(&cursor, &key), -EUCLEAN);
	assert_int_equal(state->fixture.volume->error.bytenr, block_at(3));
	assert_int_equal(state->fixture.volume->error.root, SUBVOLUME);
	/* Mounted, but nothing newer is there: it is damage all the same. */
	state->fixture.host.mounted = true;
	assert_int_equal(sendcp_search(&cursor, &key), -EUCLEAN);
	assert_int_equal(state->fixture.volume->error.reason, SENDCP_ERR_NODE_CSUM);
	assert_int_equal(state->fixture.volume->stats.refreshes, 0);
	sendcp_cursor_release(&cursor);
}

static void missing_trees(void **out)
{
	struct state *state = *out;
	struct sendcp_root_info info;
	struct sendcp_tree tree;
	u64 generation;

	/* There, but without a root directory. */
	assert_int_equal(sendcp_subvolume_root_generation(state->fixture.volume, SUBVOLUME,
							  &generation), -EUCLEAN);
	assert_int_equal(state->fixture.volume->error.reason, SENDCP_ERR_ITEM_MISSING);
	assert_int_equal(sendcp_subvolume_root_generation(state->fixture.volume, 257,
							  &generation), -ENOENT);
	assert_int_equal(sendcp_tree_open(state->fixture.volume, 257, false, &tree), -ENOENT);
	assert_int_equal(state->fixture.volume->error.reason, SENDCP_ERR_TREE_MISSING);
	assert_int_equal(state->fixture.volume->error.root, 257);
	assert_int_equal(sendcp_root_info_get(state->fixture.volume, 255, &info), -ENOENT);
	assert_int_equal(sendcp_root_info_get(state->fixture.volume, SUBVOLUME, &info), 0);
	assert_int_equal(info.ctransid, 5);
	assert_int_equal(info.uuid[3], 0x77);
	assert_int_equal(sendcp_tree_open(state->fixture.volume, SENDCP_ROOT_TREE_ID, false, &tree),
			 0);
	assert_int_equal(tree.info.node.bytenr, TINY_ROOT_ROOT);
	assert_int_equal(sendcp_tree_open(state->fixture.volume, SENDCP_CHUNK_TREE_ID, false,
					  &tree), 0);
	assert_int_equal(tree.info.node.bytenr, TINY_CHUNK_ROOT);
}

static void moved_trees_are_followed(void **out)
{
	struct state *state = *out;
	struct sendcp_cursor cursor, other;
	struct sendcp_key key = item_key(0);
	struct sendcp_tree tree;
	u32 i;

	state->fixture.host.mounted = true;
	open_tree(state, &tree);
	sendcp_cursor_init(&cursor, &tree);
	sendcp_cursor_init(&other, &tree);
	assert_int_equal(sendcp_search(&cursor, &key), 0);
	assert_int_equal(sendcp_search(&other, &key), 0);
	for (i = 0; i < ITEMS - 1; i++) {
		/* At different places of the leaves, and at once for two cursors. */
		if (i % 7 == 3) {
			move(state);
			assert_int_equal(sendcp_tree_revalidate(&tree), 1);
			assert_int_equal(sendcp_tree_revalidate(&tree), 0);
		}
		assert_int_equal(sendcp_next(&cursor), 0);
		expect_item(&cursor, i + 1);
		assert_int_equal(sendcp_next(&other), 0);
		expect_item(&other, i + 1);
	}
	assert_int_equal(sendcp_next(&cursor), -ENOENT);
	key = item_key(77);
	move(state);
	assert_int_equal(sendcp_search(&cursor, &key), 0);
	move(state);
	assert_int_equal(sendcp_search_last(&cursor, &key), 0);
	expect_item(&cursor, 77);
	/* A search found it out by itself: raw data read before that is not proven. */
	assert_int_equal(sendcp_tree_revalidate(&tree), 1);
	assert_int_equal(sendcp_tree_revalidate(&tree), 0);
	assert_true(state->fixture.volume->stats.refreshes > 0);
	sendcp_cursor_release(&cursor);
	sendcp_cursor_release(&other);
}

static struct state *moving;
static u32 calls_left;

static void move_always(struct fixture *fixture)
{
	if (calls_left && !--calls_left) {
		move(moving);
		calls_left = 2;
	}
}

/* A cache so small that nothing helps, and the tree moves with every second read. */
static void endless_moving_ends(void **out)
{
	struct state *state = *out;
	struct sendcp_key key = item_key(77);
	struct sendcp_cursor cursor;
	struct sendcp_tree tree;

	state->fixture.host.mounted = true;
	open_tree(state, &tree);
	sendcp_cursor_init(&cursor, &tree);
	moving = state;
	calls_left = 1;
	state->fixture.before_read = move_always;
	assert_int_equal(sendcp_search(&cursor, &key), -EAGAIN);
	assert_int_equal(state->fixture.volume->error.reason, SENDCP_ERR_MOVED_TOO_OFTEN);
	state->fixture.before_read = NULL;
	assert_int_equal(sendcp_search(&cursor, &key), 0);
	sendcp_cursor_release(&cursor);
}

static void move_once(struct fixture *fixture)
{
	if (calls_left && !--calls_left)
		move(moving);
}

/*
 * It moves between two leaves, with one more item now: before the key, at the key, or after it. A
 * key after the item that was the leaf's last one is no key after the one that is searched.
 */
static void moved_trees_may_have_more_items(void **out)
{
	const struct sendcp_key last = item_key(PER_LEAF - 1), next = item_key(PER_LEAF);
	struct sendcp_key key = { .objectid = last.objectid + 5, .type = 1, .offset = 7 }, found;
	struct state *state = *out;
	struct sendcp_cursor cursor;
	struct sendcp_tree tree;
	int distance;

	state->fixture.host.mounted = true;
	state->fixture.before_read = move_once;
	moving = state;
	for (distance = -1; distance <= 1; distance++) {
		assert_int_equal(sendcp_tree_open(state->fixture.volume, SUBVOLUME, false, &tree),
				 0);
		sendcp_cursor_init(&cursor, &tree);
		/* The root, a block below it, a leaf; then the next leaf. */
		calls_left = 4;
		state->more = key.objectid + distance;
		assert_int_equal(sendcp_search(&cursor, &key), distance ? 1 : 0);
		assert_int_equal(calls_left, 0);
		found = sendcp_cursor_key(&cursor);
		assert_int_equal(found.objectid, distance < 0 ? next.objectid : state->more);
		sendcp_cursor_release(&cursor);
		state->more = 0;
		move(state);
		assert_int_equal(sendcp_volume_refresh(state->fixture.volume), 1);
	}
}

static void change_uuid(struct state *state)
{
	tiny_uuid(state->root.uuid, 0x78);
}

static void change_ctransid(struct state *state)
{
	state->root.ctransid = cpu_to_le64(6);
}

static void make_writable(struct state *state)
{
	state->root.flags = 0;
}

static void mark_dead(struct state *state)
{
	state->root.flags = cpu_to_le64(SENDCP_ROOT_READONLY | SENDCP_ROOT_DEAD);
}

/* No references left; commit() leaves the item out, too. */
static void delete(struct state *state)
{
	state->root.refs = 0;
}

static void pins_hold(void **out)
{
	static const struct {
		void (*change)(struct state *state);
		enum sendcp_reason reason;
	} changes[] = {
		{ change_uuid, SENDCP_ERR_SUBVOLUME_REPLACED },
		{ change_ctransid, SENDCP_ERR_SUBVOLUME_CHANGED },
		{ make_writable, SENDCP_ERR_SUBVOLUME_CHANGED },
		{ mark_dead, SENDCP_ERR_SUBVOLUME_GONE },
		{ delete, SENDCP_ERR_SUBVOLUME_GONE },
	};
	struct state *state = *out;
	struct sendcp_key key = item_key(40);
	struct sendcp_cursor cursor;
	struct sendcp_tree tree;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(changes); i++) {
		teardown(out);
		setup(out);
		state->fixture.host.mounted = true;
		open_tree(state, &tree);
		sendcp_cursor_init(&cursor, &tree);
		changes[i].change(state);
		move(state);
		assert_int_equal(sendcp_search(&cursor, &key), -ESTALE);
		assert_int_equal(state->fixture.volume->error.reason, changes[i].reason);
		assert_int_equal(state->fixture.volume->error.root, SUBVOLUME);
		assert_int_equal(sendcp_tree_revalidate(&tree), -ESTALE);
		assert_int_equal(sendcp_tree_reopen(&tree), -ESTALE);
		/* Without a pin only a deletion matters. */
		tree.pinned = false;
		if (changes[i].change != delete)
			assert_int_equal(sendcp_search(&cursor, &key), 0);
		else
			assert_int_equal(sendcp_search(&cursor, &key), -ENOENT);
		sendcp_cursor_release(&cursor);
	}
}

static void another_filesystem_is_noticed(void **out)
{
	struct state *state = *out;
	struct sendcp_disk_super *super =
		(void *)(state->fixture.devices[0].bytes + SENDCP_SUPER_OFFSET_0);

	state->fixture.host.mounted = true;
	assert_int_equal(sendcp_volume_refresh(state->fixture.volume), 0);
	tiny_uuid(super->fsid, 0x99);
	tiny_seal(super, SENDCP_SUPER_SIZE);
	assert_int_equal(sendcp_volume_refresh(state->fixture.volume), -ENODEV);
	assert_int_equal(state->fixture.volume->error.reason, SENDCP_ERR_DEVICES_CHANGED);
	super->magic = cpu_to_le64(0);
	assert_int_equal(sendcp_volume_refresh(state->fixture.volume), -ENODEV);
	assert_int_equal(state->fixture.volume->error.reason, SENDCP_ERR_DEVICES_CHANGED);
	/* One that cannot be read says nothing about where it belongs. */
	state->fixture.devices[0].fail = -EIO;
	assert_int_equal(sendcp_volume_refresh(state->fixture.volume), -EIO);
	assert_int_equal(state->fixture.volume->error.reason, SENDCP_ERR_DEVICE_READ);
}

static void chunk_map_is_reloaded(void **out)
{
	struct state *state = *out;
	struct sendcp_disk_super *super =
		(void *)(state->fixture.devices[0].bytes + SENDCP_SUPER_OFFSET_0);
	u8 *from = state->fixture.devices[0].bytes + TINY_CHUNK_ROOT;
	u8 *to = from + 3 * TINY_NODESIZE;
	struct sendcp_disk_header *header = (void *)to;

	state->fixture.host.mounted = true;
	memcpy(to, from, TINY_NODESIZE);
	memset(from, 0, TINY_NODESIZE);
	state->generation++;
	header->bytenr = cpu_to_le64(TINY_CHUNK_ROOT + 3 * TINY_NODESIZE);
	header->generation = cpu_to_le64(state->generation);
	tiny_seal(to, TINY_NODESIZE);
	super->chunk_root = header->bytenr;
	super->chunk_root_generation = header->generation;
	commit(state, TINY_ROOT_ROOT);
	assert_int_equal(sendcp_volume_refresh(state->fixture.volume), 1);
	assert_int_equal(state->fixture.volume->chunk_root_generation, state->generation);
	assert_int_equal(state->fixture.volume->chunks.count, 1);
	/* A chunk tree that cannot be read leaves the old map in force. */
	state->generation++;
	super->chunk_root = cpu_to_le64(block_at(100));
	super->chunk_root_generation = cpu_to_le64(state->generation);
	commit(state, TINY_ROOT_ROOT);
	assert_int_equal(sendcp_volume_refresh(state->fixture.volume), -EUCLEAN);
	assert_int_equal(state->fixture.volume->chunks.count, 1);
	assert_int_equal(state->fixture.volume->generation, state->generation - 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(every_key_is_found),
		TEST(slots_are_where_keys_belong),
		TEST(walks_are_complete),
		TEST(walks_read_ahead),
		TEST(empty_trees_have_nothing),
		TEST(overlapping_leaves_are_refused),
		TEST(damage_is_placed),
		TEST(missing_trees),
		TEST(moved_trees_are_followed),
		TEST(endless_moving_ends),
		TEST(moved_trees_may_have_more_items),
		TEST(pins_hold),
		TEST(another_filesystem_is_noticed),
		TEST(chunk_map_is_reloaded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
