/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Progress as text and as JSON: it fits, whatever the numbers; the last object comes at any exit.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>
#include <json-c/json.h>

#include "transfer/progress_line.h"
#include "util/json_report.h"
#include "util/message.h"
#include "util/signals.h"
#include "util/summary.h"
#include "util/text.h"

#define WIDTHS 200

static const struct progress_state states[] = {
	{ .activity = { .kind = ACTIVITY_SENDING, .stream = true, .number = 1,
			.bytes = 162842624, .total = 696254464 },
	  .rate = 106850713, .average = 102760448, .elapsed = 2 },
	{ .activity = { .kind = ACTIVITY_SENDING, .stream = true, .number = 1 } },
	{ .activity = { .kind = ACTIVITY_READING, .number = 1, .bytes = 1, .total = 1 } },
	{ .activity = { .kind = ACTIVITY_READING, .number = 1, .bytes = 5000, .total = 100 },
	  .rate = 1e30, .average = 1e300, .elapsed = 1e300 },
	{ .activity = { .kind = ACTIVITY_SENDING, .stream = true, .number = 1,
			.first = ~0ULL - 5, .bytes = ~0ULL - 1, .total = ~0ULL },
	  .rate = 1, .average = 0.001, .elapsed = 1e9 },
	{ .activity = { .kind = ACTIVITY_SENDING, .stream = true, .number = 1,
			.bytes = 1000, .total = ~0ULL },
	  .rate = 1.5, .average = 1.5, .elapsed = -1 },
	{ .activity = { .kind = ACTIVITY_FINISHING, .stream = true, .number = 1,
			.bytes = 1ULL << 50, .total = 1ULL << 50 },
	  .rate = 1, .average = 123456789, .elapsed = 360000, .ended = true },
};

static void any_width_is_kept(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(states); i++)
		for (unsigned int width = 1; width <= WIDTHS; width++) {
			char line[WIDTHS + 1];

			memset(line, '!', sizeof(line));
			progress_line(&states[i], width, line, sizeof(line));
			assert_in_range(strlen(line), 1, width);
			assert_null(strpbrk(line, "\n\r!"));
		}
}

static size_t bar_cells(const char *line)
{
	const char *bar = strchr(line, '[');

	return bar ? strcspn(bar + 1, "]") : 0;
}

static const char *line_of(unsigned int width)
{
	static char line[WIDTHS + 1];

	progress_line(&states[0], width, line, sizeof(line));
	return line;
}

static void the_bar_shrinks_and_goes_first(void **state)
{
	assert_string_equal(line_of(WIDTHS), "155.3 MiB of 664.0 MiB  [#####-------------------]  "
			    " 23%  101.9 MiB/s  avg 98.0 MiB/s  0:00:02  ETA 0:00:04");
	assert_string_equal(line_of(79), "155.3 MiB of 664.0 MiB  [##----------]   23%  "
			    "101.9 MiB/s  0:00:02  ETA 0:00:04");
	assert_string_equal(line_of(60), "155.3 MiB of 664.0 MiB   23%  101.9 MiB/s  ETA 0:00:04");
	assert_string_equal(line_of(50), "155.3 MiB of 664.0 MiB   23%  101.9 MiB/s");
	assert_string_equal(line_of(30), "155.3 MiB of 664.0 MiB   23%");
	assert_string_equal(line_of(25), "155.3 MiB of 664.0 MiB");
	assert_string_equal(line_of(10), "155.3 MiB ");
	for (unsigned int width = 1; width < 200; width++)
		assert_true(bar_cells(line_of(width)) <= 24);
	assert_int_equal(bar_cells(line_of(62)), 4);
	assert_int_equal(bar_cells(line_of(61)), 0);
}

static void words_have_the_numbers(void **state)
{
	struct progress_state one = states[0];
	char words[400];

	strcpy(one.activity.subject, "/snap/home.1");
	progress_words(&one, words, sizeof(words));
	assert_string_equal(words, "sending /snap/home.1: 162842624 of 696254464 bytes (23%), "
			    "101.9 MiB/s, ETA 0:00:04, elapsed 0:00:02");
	one = (struct progress_state){ .elapsed = 3723.9 };
	progress_words(&one, words, sizeof(words));
	assert_string_equal(words, "preparing, elapsed 1:02:03");
	/* However little room there is. */
	for (size_t size = 1; size < 100; size++) {
		one = states[0];
		progress_words(&one, words, size);
		assert_true(strlen(words) < size);
	}
}

static void a_hundred_percent_are_the_end(void **state)
{
	struct progress_state one = { .activity = { .bytes = 999999, .total = 1000000 } };
	char line[100];

	progress_line(&one, 90, line, sizeof(line));
	assert_non_null(strstr(line, " 99%"));
	one.activity.bytes++;
	progress_line(&one, 90, line, sizeof(line));
	assert_non_null(strstr(line, " 100%"));
}

static void durations(void **state)
{
	char text[32];

	assert_string_equal(duration_text(8.44, text, sizeof(text)), "8.4 s");
	assert_string_equal(duration_text(60, text, sizeof(text)), "0:01:00");
	assert_string_equal(duration_text(172800, text, sizeof(text)), "48:00:00");
	assert_string_equal(clock_text(1e300, text, sizeof(text)), "277777:46:40");
}

static struct json_object *reported(const char *value, size_t size)
{
	char line[200];
	struct json_report report;
	size_t length;

	json_report_begin(&report, line, size, "info");
	json_report_string(&report, "text", value);
	json_report_u64(&report, "n", ~0ULL);
	length = json_report_end(&report);
	assert_in_range(length, 1, size);
	assert_int_equal(line[length - 1], '\n');
	line[length - 1] = '\0';
	return json_tokener_parse(line);
}

static const char *text_of(struct json_object *object)
{
	return json_object_get_string(json_object_object_get(object, "text"));
}

static void strings_are_escaped(void **state)
{
	static const char *const same[] = { "", "a\"b\\c/", "\n\t\x01\x1f\x7f",
					    "\u00e9\u20ac\U0001f600" };
	static const char *const wrong[] = { "\xff", "\x80", "\xc0\xaf", "\xe2\x82", "\xed\xa0\x80",
					     "\xf4\x90\x80\x80", "\xf8\x88\x80\x80\x80" };
	struct json_object *object;

	for (size_t i = 0; i < ARRAY_SIZE(same); i++) {
		object = reported(same[i], 200);
		assert_string_equal(text_of(object), same[i]);
		assert_non_null(json_object_object_get(object, "n"));
		json_object_put(object);
	}
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		object = reported(wrong[i], 200);
		assert_memory_equal(text_of(object), "\ufffd", 3);
		json_object_put(object);
	}
	object = reported(NULL, 200);
	assert_true(json_object_object_get_ex(object, "text", NULL));
	assert_null(text_of(object));
	json_object_put(object);
}

/* It stays an object when it does not fit. */
static void what_does_not_fit_is_cut(void **state)
{
	char text[150];

	memset(text, '"', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	for (size_t size = 120; size < 200; size++) {
		struct json_object *object = reported(text, size);

		assert_non_null(object);
		assert_in_range(strlen(text_of(object)), 10, 100);
		json_object_put(object);
	}
}

/* What a child does that ends somewhere. */
static void exits(int status)
{
	message_set_json(true);
	summary_begin();
	summary_resume("sendcp resume 'a\xff'");
	error_line("out of %s", "memory");
	exit(status);
}

static void the_summary_comes_at_any_exit(void **state)
{
	char text[2000] = "";
	int ends[2], status;
	size_t filled = 0;
	ssize_t got;
	pid_t child;

	assert_int_equal(pipe(ends), 0);
	child = fork();
	if (!child) {
		dup2(ends[1], STDERR_FILENO);
		close(ends[0]);
		exits(EXIT_FAILED);
	}
	close(ends[1]);
	while ((got = read(ends[0], text + filled, sizeof(text) - 1 - filled)) > 0)
		filled += (size_t)got;
	close(ends[0]);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(WEXITSTATUS(status), EXIT_FAILED);
	assert_non_null(strstr(text,
			       "{\"message_type\":\"error\",\"text\":\"out of memory\"}\n"
			       "{\"message_type\":\"summary\",\"result\":\"failed\","
			       "\"exit_status\":1,"));
	assert_non_null(strstr(text, "\"output\":null,\"checkpoint\":null,"
			       "\"resume\":\"sendcp resume 'a\\ufffd'\"}\n"));
	assert_int_equal(text[filled - 1], '\n');
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_width_is_kept),
		cmocka_unit_test(the_bar_shrinks_and_goes_first),
		cmocka_unit_test(words_have_the_numbers),
		cmocka_unit_test(a_hundred_percent_are_the_end),
		cmocka_unit_test(durations),
		cmocka_unit_test(strings_are_escaped),
		cmocka_unit_test(what_does_not_fit_is_cut),
		cmocka_unit_test(the_summary_comes_at_any_exit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
