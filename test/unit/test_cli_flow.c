/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Streams into a command: the rate, how long to try, what a receiver's answer is. The clock is the
 * test's.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "resume/patience.h"
#include "resume/position_command.h"
#include "util/pause.h"
#include "util/rate.h"

/* Where a clock may begin. */
#define BEGIN (12345 * NANOSECONDS + 678)
#define TENTH (NANOSECONDS / 10)

static u64 random_next(u64 *state)
{
	*state = *state * 6364136223846793005ULL + 1442695040888963407ULL;
	return *state >> 33;
}

/* What may go at most in so much time since the first byte. */
static u64 allowed(const struct rate *rate, u64 time)
{
	return (u64)((unsigned __int128)rate->per_second * time / NANOSECONDS);
}

/* Writes @total bytes; each wait is too long by up to @late. Returns when the last one went. */
static u64 write_all(struct rate *rate, u64 total, u64 late, u64 *state)
{
	u64 now = BEGIN, when, written = 0;

	while (written < total) {
		size_t part = rate_next(rate, total - written, now, &when);

		assert_in_range(part, 1, total - written);
		assert_in_range(part, 1, sendcp_max(rate->per_second / 10, 1));
		if (when > now)
			now = when + random_next(state) % (late + 1);
		/* A pipe may take less. */
		part -= random_next(state) % part;
		rate->granted -= part;
		written += part;
		assert_true(written <= allowed(rate, now - BEGIN));
	}
	return now;
}

static void never_faster_and_no_drift(void **state)
{
	static const u64 rates[] = { 1, 7, 999, 65536, 1000003, 1 << 20, 3ULL << 30 };
	u64 seed = 1;

	for (size_t i = 0; i < ARRAY_SIZE(rates); i++) {
		struct rate rate = { .per_second = rates[i] };
		u64 total = sendcp_min(rates[i] * 100, 64ULL << 20);
		u64 least = (u64)((unsigned __int128)total * NANOSECONDS / rates[i]);
		u64 took = write_all(&rate, total, 0, &seed) - BEGIN;

		assert_in_range(took, least, least + 1);
		/* Waits that are a little too long are made up for. */
		rate = (struct rate){ .per_second = rates[i] };
		took = write_all(&rate, total, TENTH / 2, &seed) - BEGIN;
		assert_in_range(took, least, least + TENTH);
	}
}

static void idle_time_gives_a_tenth_of_a_second(void **state)
{
	struct rate rate = { .per_second = 100000 };
	u64 now = BEGIN, when, at_once = 0;

	rate.granted -= rate_next(&rate, 10, now, &when);
	now += 1000 * NANOSECONDS;
	for (;;) {
		size_t part = rate_next(&rate, 1 << 20, now, &when);

		if (when > now)
			break;
		rate.granted -= part;
		at_once += part;
	}
	assert_int_equal(at_once, 10000);
}

static void without_a_limit(void **state)
{
	struct rate rate = { 0 };
	u64 when;

	assert_int_equal(rate_next(&rate, 1 << 30, BEGIN, &when), 1 << 30);
	assert_int_equal(when, BEGIN);
}

static void delays_double_up_to_a_minute(void **state)
{
	static const u64 delays[] = { 1, 2, 4, 8, 16, 32, 60, 60 };
	struct patience patience;
	u64 now = BEGIN;

	patience_begin(&patience, 3600 * NANOSECONDS, now);
	for (size_t i = 0; i < ARRAY_SIZE(delays); i++) {
		assert_int_equal(patience_next(&patience, now), now + delays[i] * NANOSECONDS);
		assert_true(patience_asked(&patience, 0, now));
	}
	/* Progress: from one second again. */
	patience_tried(&patience, now);
	assert_true(patience_asked(&patience, 1, now));
	assert_int_equal(patience_next(&patience, now), now + NANOSECONDS);
}

/* A receiver that takes something and keeps nothing of it. */
static void written_bytes_alone_are_no_progress(void **state)
{
	struct patience patience;
	u64 now = BEGIN;
	int tries = 0;

	patience_begin(&patience, 100 * NANOSECONDS, now);
	do {
		now += 7 * NANOSECONDS;
		patience_tried(&patience, now);
		assert_false(patience_over(&patience, now));
		now = patience_next(&patience, now);
		tries++;
	} while (patience_asked(&patience, 0, now));
	assert_in_range(now - BEGIN, 100 * NANOSECONDS, 170 * NANOSECONDS);
	assert_in_range(tries, 4, 8);
}

/* Of a long try nobody knows yet whether it was progress, so time begins when it ends. */
static void a_long_try_is_hope(void **state)
{
	struct patience patience;
	u64 now = BEGIN, ended;

	patience_begin(&patience, 10 * NANOSECONDS, now);
	now += 3600 * NANOSECONDS;
	ended = now;
	patience_tried(&patience, now);
	assert_false(patience_over(&patience, now));
	now += 9 * NANOSECONDS;
	assert_false(patience_over(&patience, now));
	assert_true(patience_asked(&patience, 5, now));
	assert_false(patience_over(&patience, now));
	/* The receiver cannot be asked: the last try comes when time is up, and none after it. */
	now = ended + 9 * NANOSECONDS;
	patience_next(&patience, now);
	assert_int_equal(patience_next(&patience, now), ended + 10 * NANOSECONDS);
	assert_true(patience_over(&patience, ended + 10 * NANOSECONDS));
}

static bool parses(const char *text, struct receiver *receiver)
{
	return position_answer_parse(text, strlen(text), receiver);
}

static void answers(void **state)
{
	static const char *const wrong[] = {
		"", "\n", " 5", "5 ", "-5", "+5", "5\r\n", "5\n\n", "5\n6\n", "0x5", "5K", "1e3",
		"18446744073709551616", "5:", "5:0123", ":", "stat: cannot statx 'f'",
		"5:0123456789abcdef0123456789abcdeg", "1:2:3:0123456789abcdef0123456789abcdef",
		"5:0123456789abcdef0123456789abcdef\n5",
	};
	struct receiver receiver;

	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		assert_false(parses(wrong[i], &receiver));
	assert_false(position_answer_parse("5\0006", 3, &receiver));
	assert_true(parses("0", &receiver) && !receiver.proven && !receiver.position.file);
	assert_true(parses("123456789012\n", &receiver) && !receiver.proven);
	assert_int_equal(receiver.position.file, 123456789012);
	assert_true(parses("5:0123456789abcdef0123456789abcdef\n", &receiver) && receiver.proven);
	assert_int_equal(receiver.position.file, 5);
	assert_true(parses("5:77:0123456789abcdef0123456789abcdef", &receiver) && receiver.proven);
	assert_int_equal(receiver.position.plain, 77);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(never_faster_and_no_drift),
		cmocka_unit_test(idle_time_gives_a_tenth_of_a_second),
		cmocka_unit_test(without_a_limit),
		cmocka_unit_test(delays_double_up_to_a_minute),
		cmocka_unit_test(written_bytes_alone_are_no_progress),
		cmocka_unit_test(a_long_try_is_hope),
		cmocka_unit_test(answers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
