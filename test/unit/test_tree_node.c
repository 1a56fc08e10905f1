/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tree blocks: each check fails in its turn, good copies replace bad ones, the cache keeps its
 * bound.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "fixture.h"
#include "fs/internal.h"
#include "tree/internal.h"

#define LEAF	TINY_FREE
#define INNER	(TINY_FREE + TINY_NODESIZE)

static const struct tiny_item leaf_items[] = {
	{ { 256, 1, 0 }, "inode", 5 },
	{ { 256, 12, 5 }, "ref", 3 },
	{ { 257, 1, 0 }, "", 0 },
	{ { 257, 108, 4096 }, "extent", 6 },
};

static const struct tiny_pointer inner_pointers[] = {
	{ { 256, 1, 0 }, LEAF, 5 },
	{ { 300, 1, 0 }, LEAF + 8192, 6 },
	{ { 300, 1, 1 }, LEAF + 12288, 7 },
};

static void write_leaf(struct fixture *fixture)
{
	tiny_leaf(fixture, LEAF, 5, leaf_items, ARRAY_SIZE(leaf_items));
}

static void write_inner(struct fixture *fixture)
{
	tiny_inner(fixture, INNER, 6, 1, inner_pointers, ARRAY_SIZE(inner_pointers));
}

static int setup(void **state)
{
	static struct fixture fixture;

	fixture_init(&fixture);
	tiny_make(&fixture, 4 << 20);
	fixture.host.cache_size = 1;
	write_leaf(&fixture);
	write_inner(&fixture);
	assert_int_equal(fixture_open(&fixture), 0);
	*state = &fixture;
	return 0;
}

static int teardown(void **state)
{
	fixture_release(*state);
	return 0;
}

static int get(struct fixture *fixture, const struct sendcp_node_expect *expect)
{
	struct sendcp_node *node;
	int ret = sendcp_node_get(fixture->volume, expect, &node);

	if (!ret)
		sendcp_node_put(fixture->volume, node);
	else
		assert_null(node);
	return ret;
}

static const struct sendcp_node_expect leaf_expect = {
	.bytenr = LEAF, .generation = 5, .level = 0,
};
static const struct sendcp_node_expect inner_expect = {
	.bytenr = INNER, .generation = 6, .level = 1,
};

static void good_blocks_pass(void **state)
{
	struct fixture *fixture = *state;
	struct sendcp_node *node;
	struct sendcp_key key = { 257, 1, 0 };
	u32 size;

	assert_int_equal(sendcp_node_get(fixture->volume, &leaf_expect, &node), 0);
	assert_int_equal(node->nritems, 4);
	assert_memory_equal(sendcp_node_item(node, 1, &size), "ref", 3);
	assert_int_equal(size, 3);
	assert_int_equal(sendcp_node_find(node, &key), 2);
	key.offset = 1;
	assert_int_equal(sendcp_node_find(node, &key), 3);
	key.objectid = 1000;
	assert_int_equal(sendcp_node_find(node, &key), 4);
	key.objectid = 1;
	assert_int_equal(sendcp_node_find(node, &key), 0);
	sendcp_node_put(fixture->volume, node);
	assert_int_equal(sendcp_node_get(fixture->volume, &inner_expect, &node), 0);
	assert_int_equal(sendcp_node_child_bytenr(node, 1), LEAF + 8192);
	assert_int_equal(sendcp_node_child_generation(node, 1), 6);
	sendcp_node_put(fixture->volume, node);
}

/* Bytes written into a good block (which is then sealed), and the reason that must be given. */
static const struct fault {
	bool inner;
	u32 offset;
	u32 size;
	u64 value;
	enum sendcp_reason reason;
} faults[] = {
#define HEADER(field) offsetof(struct sendcp_disk_header, field)
#define ITEM(n, field) (101 + (n) * 25 + offsetof(struct sendcp_disk_item, field))
#define POINTER(n, field) (101 + (n) * 33 + offsetof(struct sendcp_disk_pointer, field))
	{ false, HEADER(fsid), 1, 0, SENDCP_ERR_NODE_FSID },
	{ false, HEADER(bytenr), 8, LEAF + 4096, SENDCP_ERR_NODE_BYTENR },
	{ false, HEADER(generation), 8, 4, SENDCP_ERR_NODE_GENERATION },
	{ false, HEADER(generation), 8, 6, SENDCP_ERR_NODE_GENERATION },
	{ false, HEADER(level), 1, 8, SENDCP_ERR_NODE_LEVEL },
	{ false, HEADER(level), 1, 255, SENDCP_ERR_NODE_LEVEL },
	{ false, HEADER(nritems), 4, 0, SENDCP_ERR_NODE_ITEMS },
	{ false, HEADER(nritems), 4, 5, SENDCP_ERR_NODE_ITEMS },
	{ false, HEADER(nritems), 4, 160, SENDCP_ERR_NODE_ITEMS },
	{ false, HEADER(nritems), 4, 0xffffffff, SENDCP_ERR_NODE_ITEMS },
	{ false, ITEM(0, size), 4, 4, SENDCP_ERR_NODE_ITEMS },
	{ false, ITEM(0, offset), 4, 4000, SENDCP_ERR_NODE_ITEMS },
	{ false, ITEM(1, size), 4, 0xffffffff, SENDCP_ERR_NODE_ITEMS },
	{ false, ITEM(1, offset), 4, 0xfffffffe, SENDCP_ERR_NODE_ITEMS },
	{ false, ITEM(2, offset), 4, 3986, SENDCP_ERR_NODE_ITEMS },
	{ false, ITEM(3, offset), 4, 0, SENDCP_ERR_NODE_ITEMS },
	{ false, ITEM(1, key.objectid), 8, 255, SENDCP_ERR_NODE_ITEMS },
	{ false, ITEM(1, key.type), 1, 0, SENDCP_ERR_NODE_ITEMS },
	{ false, ITEM(2, key.objectid), 8, 258, SENDCP_ERR_NODE_ITEMS },
	{ false, ITEM(0, key.objectid), 8, 255, SENDCP_ERR_NODE_FIRST_KEY },
	{ true, HEADER(nritems), 4, 0, SENDCP_ERR_NODE_ITEMS },
	{ true, HEADER(nritems), 4, 4, SENDCP_ERR_NODE_ITEMS },
	{ true, HEADER(nritems), 4, 122, SENDCP_ERR_NODE_ITEMS },
	{ true, HEADER(nritems), 4, 0x80000000, SENDCP_ERR_NODE_ITEMS },
	{ true, POINTER(1, bytenr), 8, LEAF + 1, SENDCP_ERR_NODE_ITEMS },
	{ true, POINTER(2, generation), 8, 0, SENDCP_ERR_NODE_ITEMS },
	{ true, POINTER(2, key.offset), 8, 0, SENDCP_ERR_NODE_ITEMS },
	{ true, POINTER(0, key.offset), 8, 1, SENDCP_ERR_NODE_FIRST_KEY },
	{ true, HEADER(level), 1, 2, SENDCP_ERR_NODE_LEVEL },
#undef HEADER
#undef ITEM
#undef POINTER
};

static void check_fault(struct fixture *fixture, size_t i)
{
	const struct fault *fault = &faults[i];
	u64 bytenr = fault->inner ? INNER : LEAF;
	struct sendcp_node_expect expect = fault->inner ? inner_expect : leaf_expect;
	struct sendcp_key first = { 256, 1, 0 };
	u8 *block = fixture->devices[0].bytes + bytenr;

	expect.first_key = &first;
	write_leaf(fixture);
	write_inner(fixture);
	memcpy(block + fault->offset, &fault->value, fault->size);
	tiny_seal(block, TINY_NODESIZE);
	if (get(fixture, &expect) != -EUCLEAN || fixture->volume->error.reason != fault->reason)
		fail_msg("fault %zu: %s", i, sendcp_reason_text(fixture->volume->error.reason));
	assert_int_equal(fixture->volume->error.bytenr, bytenr);
}

static void each_check_fails_in_its_turn(void **state)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(faults); i++)
		check_fault(*state, i);
}

static void every_bit_counts(void **state)
{
	struct fixture *fixture = *state;
	u32 i;

	for (i = 0; i < TINY_NODESIZE; i++) {
		/* The unused rest of the checksum field means nothing. */
		if (i >= 4 && i < 32)
			continue;
		fixture->devices[0].bytes[LEAF + i] ^= 1u << i % 8;
		assert_int_equal(get(fixture, &leaf_expect), -EUCLEAN);
		assert_int_equal(fixture->volume->error.reason, SENDCP_ERR_NODE_CSUM);
		fixture->devices[0].bytes[LEAF + i] ^= 1u << i % 8;
	}
	assert_int_equal(get(fixture, &leaf_expect), 0);
}

/* A verified block that is asked for in another role is checked for that role from the cache. */
static void roles_are_checked_in_the_cache(void **state)
{
	struct fixture *fixture = *state;
	struct sendcp_node_expect expect = leaf_expect;
	struct sendcp_key first = { 256, 1, 1 };

	assert_int_equal(get(fixture, &expect), 0);
	expect.level = 1;
	assert_int_equal(get(fixture, &expect), -EUCLEAN);
	assert_int_equal(fixture->volume->error.reason, SENDCP_ERR_NODE_LEVEL);
	expect.level = -1;
	expect.first_key = &first;
	assert_int_equal(get(fixture, &expect), -EUCLEAN);
	assert_int_equal(fixture->volume->error.reason, SENDCP_ERR_NODE_FIRST_KEY);
	/* Another generation is another block, which is not there. */
	expect = leaf_expect;
	expect.generation = 4;
	assert_int_equal(get(fixture, &expect), -EUCLEAN);
	assert_int_equal(fixture->volume->error.reason, SENDCP_ERR_NODE_GENERATION);
	expect.generation = 0;
	assert_int_equal(get(fixture, &expect), 0);
}

static void only_roots_may_be_empty(void **state)
{
	struct fixture *fixture = *state;
	struct sendcp_node_expect expect = { .bytenr = TINY_ROOT_ROOT, .level = 0 };

	assert_int_equal(get(fixture, &expect), -EUCLEAN);
	expect.is_root = true;
	assert_int_equal(get(fixture, &expect), 0);
}

static void impossible_addresses(void **state)
{
	struct fixture *fixture = *state;
	struct sendcp_node_expect expect = { .bytenr = LEAF + 512, .level = -1 };

	assert_int_equal(get(fixture, &expect), -EUCLEAN);
	assert_int_equal(fixture->volume->error.reason, SENDCP_ERR_NODE_BYTENR);
	expect.bytenr = 0;
	assert_int_equal(get(fixture, &expect), -EUCLEAN);
	assert_int_equal(fixture->volume->error.reason, SENDCP_ERR_CHUNK_UNMAPPED);
	expect.bytenr = ~4095ULL;
	assert_int_equal(get(fixture, &expect), -EUCLEAN);
}

static void write_numbered(struct fixture *fixture, u32 number)
{
	struct tiny_item item = { { number, 1, 0 }, "x", 1 };

	tiny_leaf(fixture, TINY_FREE + number * TINY_NODESIZE, 3, &item, 1);
}

static struct sendcp_node_expect numbered(u32 number)
{
	return (struct sendcp_node_expect) {
		.bytenr = TINY_FREE + number * TINY_NODESIZE, .generation = 3, .level = 0,
	};
}

/* cache_size 1 means the least there is: 32 blocks. */
static void cache_keeps_its_bound(void **state)
{
	struct fixture *fixture = *state;
	struct sendcp_node *held[40];
	struct sendcp_node_expect expect;
	u64 reads;
	u32 i;

	for (i = 0; i < 100; i++) {
		write_numbered(fixture, i);
		expect = numbered(i);
		assert_int_equal(get(fixture, &expect), 0);
	}
	/* The last 32 are there and nothing else is. */
	reads = fixture->volume->stats.node_reads;
	for (i = 68; i < 100; i++) {
		expect = numbered(i);
		assert_int_equal(get(fixture, &expect), 0);
	}
	assert_int_equal(fixture->volume->stats.node_reads, reads);
	for (i = 0; i < 68; i++)
		assert_false(sendcp_cache_has(fixture->volume, numbered(i).bytenr, 3));
	/* Held ones stay although they are too many, others do not. */
	for (i = 0; i < 40; i++) {
		expect = numbered(i);
		assert_int_equal(sendcp_node_get(fixture->volume, &expect, &held[i]), 0);
	}
	for (i = 50; i < 100; i++) {
		expect = numbered(i);
		assert_int_equal(get(fixture, &expect), 0);
		assert_false(sendcp_cache_has(fixture->volume, expect.bytenr, 3));
	}
	for (i = 0; i < 40; i++) {
		struct sendcp_key key = sendcp_node_key(held[i], 0);

		assert_int_equal(key.objectid, i);
		sendcp_node_put(fixture->volume, held[i]);
	}
	for (i = 0; i < 40; i++)
		assert_int_equal(sendcp_cache_has(fixture->volume, numbered(i).bytenr, 3), i >= 8);
}

static void least_recently_used_goes(void **state)
{
	struct fixture *fixture = *state;
	struct sendcp_node_expect expect, first = numbered(0);
	u32 i;

	for (i = 0; i < 100; i++) {
		write_numbered(fixture, i);
		expect = numbered(i);
		assert_int_equal(get(fixture, &expect), 0);
		/* Used again and again, so it stays. */
		assert_int_equal(get(fixture, &first), 0);
		assert_true(sendcp_cache_has(fixture->volume, first.bytenr, 3));
	}
	assert_false(sendcp_cache_has(fixture->volume, numbered(50).bytenr, 3));
}

static void references_are_counted(void **state)
{
	struct fixture *fixture = *state;
	struct sendcp_node *first, *second;

	assert_int_equal(sendcp_node_get(fixture->volume, &leaf_expect, &first), 0);
	assert_int_equal(sendcp_node_get(fixture->volume, &leaf_expect, &second), 0);
	assert_ptr_equal(first, second);
	sendcp_node_hold(first);
	assert_int_equal(first->users, 3);
	sendcp_node_put(fixture->volume, first);
	sendcp_node_put(fixture->volume, first);
	sendcp_node_put(fixture->volume, first);
	sendcp_node_put(fixture->volume, NULL);
}

static void interruption_is_passed_on(void **state)
{
	struct fixture *fixture = *state;

	fixture->interrupt = true;
	assert_int_equal(get(fixture, &leaf_expect), -EINTR);
	assert_int_equal(fixture->volume->error.reason, SENDCP_ERR_INTERRUPTED);
	fixture->interrupt = false;
	assert_int_equal(get(fixture, &leaf_expect), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(good_blocks_pass),
		TEST(each_check_fails_in_its_turn),
		TEST(every_bit_counts),
		TEST(roles_are_checked_in_the_cache),
		TEST(only_roots_may_be_empty),
		TEST(impossible_addresses),
		TEST(cache_keeps_its_bound),
		TEST(least_recently_used_goes),
		TEST(references_are_counted),
		TEST(interruption_is_passed_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
