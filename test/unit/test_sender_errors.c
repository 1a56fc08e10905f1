// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The module's report of a failure reads as from any other host; one that is missing has a message
 * too.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "backend/module.h"

static const struct sendcp_failure nowhere = {
	.size = sizeof(struct sendcp_failure),
	.bytenr = ~0ULL, .root = ~0ULL, .inode = ~0ULL, .offset = ~0ULL, .device = ~0ULL,
};

static struct sendcp_failure named(const char *reason, const char *detail)
{
	struct sendcp_failure error = nowhere;

	snprintf(error.reason, sizeof(error.reason), "%s", reason);
	snprintf(error.detail, sizeof(error.detail), "%s", detail);
	return error;
}

static void every_reason_comes_through(void **state)
{
	static const char *const names[] = {
#define NAME(name, err, text) #name,
		SENDCP_REASONS(NAME)
#undef NAME
	};
	struct sendcp_error error;

	for (int i = SENDCP_ERR_NONE + 1; i < SENDCP_REASON_COUNT; i++) {
		struct sendcp_failure from = named(names[i], "detail");
		int err = -sendcp_reason_errno((enum sendcp_reason)i);

		assert_true(strlen(names[i]) < sizeof(from.reason));
		assert_int_equal(sendcp_module_error_take(&from, err, &error), -err);
		assert_int_equal(error.reason, i);
		assert_int_equal(error.err, -err);
		assert_string_equal(error.detail, "detail");
	}
}

static void places_come_through(void **state)
{
	struct sendcp_failure from = named("NODE_CSUM", "");
	struct sendcp_error error, expected;
	char line[200], wanted[200];

	from.root = 257;
	from.bytenr = 30539776;
	from.inode = 5;
	from.offset = 4096;
	from.device = 1;
	sendcp_module_error_take(&from, EUCLEAN, &error);
	sendcp_error_clear(&expected);
	expected.reason = SENDCP_ERR_NODE_CSUM;
	expected.err = -EUCLEAN;
	expected.root = 257;
	expected.bytenr = 30539776;
	expected.inode = 5;
	expected.offset = 4096;
	expected.device = 1;
	assert_string_equal(sendcp_error_format(&error, line, sizeof(line)),
			    sendcp_error_format(&expected, wanted, sizeof(wanted)));
	from = nowhere;
	strcpy(from.reason, "NODE_CSUM");
	sendcp_module_error_take(&from, EUCLEAN, &error);
	assert_string_equal(sendcp_error_format(&error, line, sizeof(line)),
			    sendcp_reason_text(SENDCP_ERR_NODE_CSUM));
}

static void a_read_error_keeps_its_errno(void **state)
{
	struct sendcp_failure from = named("DEVICE_READ", "");
	struct sendcp_error error;

	assert_int_equal(sendcp_module_error_take(&from, ENXIO, &error), -ENXIO);
	assert_int_equal(error.err, -ENXIO);
}

static void unknown_reasons_are_shown_by_name(void **state)
{
	struct sendcp_failure from = named("QUANTUM_FOAM", "bubble 7");
	struct sendcp_error error;
	char line[300];

	from.inode = 300;
	assert_int_equal(sendcp_module_error_take(&from, EUCLEAN, &error), -EUCLEAN);
	sendcp_error_format(&error, line, sizeof(line));
	assert_non_null(strstr(line, "inode 300: the kernel module failed (QUANTUM_FOAM: "
			       "Structure needs cleaning, bubble 7)"));
}

static void texts_without_end_are_survived(void **state)
{
	struct sendcp_failure from = nowhere;
	struct sendcp_error error;
	char line[400];

	memset(from.reason, 'R', sizeof(from.reason));
	memset(from.detail, 'd', sizeof(from.detail));
	sendcp_module_error_take(&from, EIO, &error);
	assert_true(strlen(error.detail) == sizeof(error.detail) - 1);
	sendcp_error_format(&error, line, sizeof(line));
	assert_non_null(strstr(line, "RRRR: "));
	memcpy(from.reason, "DATA_READ", sizeof("DATA_READ"));
	sendcp_module_error_take(&from, EIO, &error);
	assert_int_equal(error.reason, SENDCP_ERR_DATA_READ);
	assert_true(strlen(error.detail) == sizeof(error.detail) - 1);
}

/* A call's own failures have no reason; each has a text, and keeps its errno. */
static void failures_of_the_call_are_told(void **state)
{
	struct sendcp_error error;
	char line[300];

	for (int err = 1; err < 134; err++) {
		assert_int_equal(sendcp_module_error_take(&nowhere, err, &error), -err);
		assert_int_equal(error.err, -err);
		assert_int_not_equal(error.reason, SENDCP_ERR_NONE);
		assert_true(error.reason != SENDCP_ERR_MODULE || strlen(error.detail) > 3);
		assert_int_equal(error.inode, SENDCP_NOWHERE);
	}
	sendcp_module_error_take(&nowhere, ENOMEM, &error);
	assert_string_equal(sendcp_error_format(&error, line, sizeof(line)), "out of memory");
	sendcp_module_error_take(&nowhere, EPERM, &error);
	assert_non_null(strstr(sendcp_error_format(&error, line, sizeof(line)), "needs root"));
	sendcp_module_error_take(&nowhere, ENOSPC, &error);
	assert_non_null(strstr(sendcp_error_format(&error, line, sizeof(line)), "No space left"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_reason_comes_through),
		cmocka_unit_test(places_come_through),
		cmocka_unit_test(a_read_error_keeps_its_errno),
		cmocka_unit_test(unknown_reasons_are_shown_by_name),
		cmocka_unit_test(texts_without_end_are_survived),
		cmocka_unit_test(failures_of_the_call_are_told),
	};

	return cmocka_run_group_tests_name("sender_errors", tests, NULL, NULL);
}
