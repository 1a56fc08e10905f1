// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Delayed moves against two plain lists, those that wait and the line, copies of which are returned
 * to.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "fixture.h"
#include "send/moves.h"

#define ROUNDS 20000
#define DIRS 200
#define BLOCKERS 23

struct model {
	/* In the order they were registered; none of them has a list. */
	struct sendcp_move waiting[DIRS];
	struct sendcp_move line[DIRS];
	u32 waiting_count;
	u32 line_count;
};

static struct sendcp_move *find_in(struct sendcp_move *moves, u32 count, u64 ino)
{
	u32 i;

	for (i = 0; i < count; i++)
		if (moves[i].dir.ino == ino)
			return &moves[i];
	return NULL;
}

static struct sendcp_move *model_find(struct model *model, u64 ino)
{
	struct sendcp_move *move = find_in(model->waiting, model->waiting_count, ino);

	return move ? move : find_in(model->line, model->line_count, ino);
}

static void model_queue(struct model *model, u64 ino)
{
	u32 left = 0;
	u32 i;

	for (i = 0; i < model->waiting_count; i++) {
		if (model->waiting[i].blocked_on == ino)
			model->line[model->line_count++] = model->waiting[i];
		else
			model->waiting[left++] = model->waiting[i];
	}
	model->waiting_count = left;
}

static void model_take(struct model *model)
{
	model->line_count--;
	memmove(&model->line[0], &model->line[1], model->line_count * sizeof(model->line[0]));
}

/* The position of the comparison. */
struct seen {
	const struct sendcp_moves *moves;
	struct sendcp_move expected[DIRS];
	u32 count;
	u32 at;
	u32 touched;
};

/* All that wait for the same inode as @i, if none before it does. */
static void expect_chain(struct seen *seen, const struct model *model, u32 i)
{
	u64 blocker = model->waiting[i].blocked_on;
	u32 j;

	for (j = 0; j < i; j++)
		if (model->waiting[j].blocked_on == blocker)
			return;
	for (j = i; j < model->waiting_count; j++)
		if (model->waiting[j].blocked_on == blocker)
			seen->expected[seen->count++] = model->waiting[j];
}

static void check_move(void *private, const struct sendcp_move *move)
{
	struct seen *seen = private;
	const struct sendcp_move *expected = &seen->expected[seen->at++];

	assert_in_range(seen->at, 1, seen->count);
	assert_int_equal(move->dir.ino, expected->dir.ino);
	assert_int_equal(move->dir.generation, expected->dir.generation);
	assert_int_equal(move->blocked_on, expected->blocked_on);
	assert_int_equal(move->orphanized, expected->orphanized);
	assert_int_equal(move->removes.ino, expected->removes.ino);
	assert_int_equal(move->queued, seen->at > seen->touched);
	assert_int_equal(move->touched.count, 1);
	assert_int_equal(move->touched.ids[0].ino, move->dir.ino + 1);
	assert_ptr_equal(sendcp_moves_find(seen->moves, move->dir.ino), move);
}

static void check_same(const struct sendcp_moves *moves, const struct model *model)
{
	static struct seen seen;
	u32 i;

	seen.moves = moves;
	seen.count = 0;
	seen.at = 0;
	for (i = 0; i < model->waiting_count; i++)
		expect_chain(&seen, model, i);
	seen.touched = seen.count;
	for (i = 0; i < model->line_count; i++)
		seen.expected[seen.count++] = model->line[i];
	assert_int_equal(moves->count, seen.count);
	sendcp_moves_each(moves, check_move, &seen);
	assert_int_equal(seen.at, seen.count);
}

static void add(struct sendcp_moves *moves, struct model *model, u64 ino, u64 blocked_on)
{
	struct sendcp_move move = { .dir = { ino, 7 }, .blocked_on = blocked_on };
	bool there = model_find(model, ino);

	if (!there)
		model->waiting[model->waiting_count++] = move;
	assert_int_equal(sendcp_id_list_add(&move.touched, ino + 1, 8), 0);
	assert_int_equal(sendcp_moves_add(moves, &move), there ? -EEXIST : 0);
	sendcp_id_list_release(&move.touched);
}

static void take(struct sendcp_moves *moves, struct model *model)
{
	const struct sendcp_move *move;

	assert_int_equal(sendcp_moves_take(moves, &move), 0);
	if (!model->line_count) {
		assert_null(move);
		return;
	}
	assert_int_equal(move->dir.ino, model->line[0].dir.ino);
	assert_int_equal(move->touched.ids[0].ino, move->dir.ino + 1);
	model_take(model);
}

static void change(struct sendcp_moves *moves, struct model *model, u64 ino, u64 number)
{
	struct sendcp_inode_id dir = { .ino = number, .generation = 7 };
	struct sendcp_move *expected = model_find(model, ino);
	struct sendcp_move *move = sendcp_moves_find(moves, ino);

	assert_int_equal(!move, !expected);
	if (!move)
		return;
	if (number % 2) {
		assert_int_equal(sendcp_moves_orphanize(moves, move), 0);
		expected->orphanized = true;
	} else {
		assert_int_equal(sendcp_moves_set_removes(moves, move, &dir), 0);
		expected->removes = dir;
	}
}

/* One random thing is done to both. */
static void do_something(struct sendcp_moves *moves, struct model *now, struct model *kept,
			 u64 *seed)
{
	u64 ino = 256 + fixture_random(seed) % DIRS;
	u64 blocker = 1000 + fixture_random(seed) % BLOCKERS;
	u32 what = fixture_random(seed) % 100;

	if (what < 40) {
		add(moves, now, ino, blocker);
	} else if (what < 45) {
		assert_int_equal(sendcp_moves_queue(moves, blocker), 0);
		model_queue(now, blocker);
	} else if (what < 75) {
		take(moves, now);
	} else if (what < 90) {
		change(moves, now, ino, blocker);
	} else if (what < 95) {
		sendcp_moves_keep(moves);
		*kept = *now;
	} else {
		sendcp_moves_undo(moves);
		*now = *kept;
	}
}

static void same_as_lists(void **state)
{
	static struct model now;
	static struct model kept;
	u64 seed;
	u32 i;

	for (seed = 1; seed <= 5; seed++) {
		struct sendcp_moves moves = { 0 };
		u64 random = seed;

		print_message("seed %llu\n", seed);
		memset(&now, 0, sizeof(now));
		memset(&kept, 0, sizeof(kept));
		for (i = 0; i < ROUNDS; i++) {
			do_something(&moves, &now, &kept, &random);
			if (i % 8 == 0)
				check_same(&moves, &now);
		}
		sendcp_moves_undo(&moves);
		check_same(&moves, &kept);
		sendcp_moves_release(&moves);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(same_as_lists),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
