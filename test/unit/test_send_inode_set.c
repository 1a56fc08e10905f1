// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Ordered sets of inodes against a plain list, a copy of which is returned to.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "fixture.h"
#include "send/inode_set.h"

#define ROUNDS 20000
#define NUMBERS 300

struct model {
	struct sendcp_inode_id ids[NUMBERS * 2];
	u32 count;
};

static u32 model_find(const struct model *model, const struct sendcp_inode_id *id)
{
	u32 i;

	for (i = 0; i < model->count; i++)
		if (model->ids[i].ino == id->ino && model->ids[i].generation == id->generation)
			break;
	return i;
}

static void model_add(struct model *model, const struct sendcp_inode_id *id)
{
	if (model_find(model, id) == model->count)
		model->ids[model->count++] = *id;
}

static void model_remove(struct model *model, const struct sendcp_inode_id *id)
{
	u32 i = model_find(model, id);

	if (i == model->count)
		return;
	model->count--;
	memmove(&model->ids[i], &model->ids[i + 1],
		(model->count - i) * sizeof(model->ids[0]));
}

static void check_same(const struct sendcp_inode_set *set, const struct model *model)
{
	struct sendcp_inode_id id;
	u32 at = 0;
	u32 i;

	assert_int_equal(set->count, model->count);
	for (i = 0; i < model->count; i++) {
		assert_true(sendcp_inode_set_next(set, &at, &id));
		assert_int_equal(id.ino, model->ids[i].ino);
		assert_int_equal(id.generation, model->ids[i].generation);
	}
	assert_false(sendcp_inode_set_next(set, &at, &id));
	if (!model->count)
		return;
	id = sendcp_inode_set_last(set);
	assert_int_equal(id.ino, model->ids[model->count - 1].ino);
}

static struct sendcp_inode_id random_id(u64 *seed)
{
	u64 number = fixture_random(seed);
	struct sendcp_inode_id id = {
		.ino = 256 + number % NUMBERS,
		.generation = 7 + (number >> 32) % 2,
	};

	return id;
}

/* One random thing is done to both. */
static void do_something(struct sendcp_inode_set *set, struct model *now, struct model *kept,
			 u64 *seed)
{
	struct sendcp_inode_id id = random_id(seed);
	u32 what = fixture_random(seed) % 100;

	if (what < 45) {
		assert_int_equal(sendcp_inode_set_add(set, id.ino, id.generation), 0);
		model_add(now, &id);
	} else if (what < 88) {
		if (now->count && what % 2)
			id = now->ids[0];
		sendcp_inode_set_remove(set, id.ino, id.generation);
		model_remove(now, &id);
	} else if (what < 94) {
		sendcp_inode_set_keep(set);
		*kept = *now;
	} else if (what < 99) {
		sendcp_inode_set_undo(set);
		*now = *kept;
	} else {
		sendcp_inode_set_clear(set);
		now->count = 0;
		*kept = *now;
	}
	assert_int_equal(sendcp_inode_set_has(set, id.ino, id.generation),
			 model_find(now, &id) < now->count);
}

static void same_as_a_list(void **state)
{
	static struct model now;
	static struct model kept;
	u64 seed;
	u32 i;

	for (seed = 1; seed <= 5; seed++) {
		struct sendcp_inode_set set = { 0 };
		u64 random = seed;

		print_message("seed %llu\n", seed);
		now.count = 0;
		kept.count = 0;
		for (i = 0; i < ROUNDS; i++) {
			do_something(&set, &now, &kept, &random);
			if (i % 16 == 0)
				check_same(&set, &now);
		}
		sendcp_inode_set_undo(&set);
		check_same(&set, &kept);
		sendcp_inode_set_release(&set);
	}
}

/* As the deferred times of a directory are: memory must not grow with what was done. */
static void moving_to_the_end_needs_no_room(void **state)
{
	struct sendcp_inode_set set = { 0 };
	u32 i;

	for (i = 0; i < 50; i++)
		assert_int_equal(sendcp_inode_set_add(&set, 256 + i, 7), 0);
	for (i = 0; i < 100000; i++) {
		sendcp_inode_set_keep(&set);
		sendcp_inode_set_remove(&set, 256 + i % 50, 7);
		assert_int_equal(sendcp_inode_set_add(&set, 256 + i % 50, 7), 0);
	}
	assert_int_equal(set.count, 50);
	assert_in_range(set.capacity, 50, 512);
	sendcp_inode_set_release(&set);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(same_as_a_list),
		cmocka_unit_test(moving_to_the_end_needs_no_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
