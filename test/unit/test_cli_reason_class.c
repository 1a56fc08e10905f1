// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Failures that are worth another try: docs/exit-status.md says of every reason and errno the same
 * as the code, and of no other.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>

#include "reason_class.h"

#define DOCUMENT "docs/exit-status.md"

static char *document(void)
{
	static char text[1 << 16];
	FILE *file = fopen(DOCUMENT, "r");
	size_t size;

	assert_non_null(file);
	size = fread(text, 1, sizeof(text) - 1, file);
	assert_true(size && size < sizeof(text) - 1);
	text[size] = '\0';
	fclose(file);
	return text;
}

static void check_row(const char *name, const char *text, struct reason_class class)
{
	char row[400];

	snprintf(row, sizeof(row), "\n| `%s` | %s | %d | %s |\n", name, text,
		 class.passes ? 75 : 1, sendcp_reason_actor_name(class.actor));
	if (!strstr(document(), row))
		fail_msg("%s has no line %s", DOCUMENT, row + 1);
}

static void every_reason_is_documented(void **state)
{
	for (int i = SENDCP_ERR_NONE + 1; i < SENDCP_REASON_COUNT; i++) {
		enum sendcp_reason reason = (enum sendcp_reason)i;

		check_row(sendcp_reason_name(reason), sendcp_reason_text(reason),
			  sendcp_reason_class(reason));
	}
}

static void every_errno_is_documented(void **state)
{
	int err;

	for (unsigned int i = 0; (err = sendcp_reason_class_errno_at(i)); i++) {
		check_row(strerrorname_np(err), strerror(err), sendcp_reason_class_errno(err));
		assert_true(sendcp_reason_class_errno(-err).passes ==
			    sendcp_reason_class_errno(err).passes);
	}
}

static void nothing_else_is_documented(void **state)
{
	unsigned int rows = 0, known = SENDCP_REASON_COUNT - 1;

	for (const char *at = document(); (at = strstr(at, "\n| `")); at++)
		rows++;
	for (unsigned int i = 0; sendcp_reason_class_errno_at(i); i++)
		known++;
	assert_int_equal(rows, known);
}

static void no_errno_comes_twice(void **state)
{
	for (unsigned int i = 0; sendcp_reason_class_errno_at(i); i++)
		for (unsigned int k = 0; k < i; k++)
			assert_int_not_equal(sendcp_reason_class_errno_at(i),
					     sendcp_reason_class_errno_at(k));
}

static void unknown_ones_do_not_pass(void **state)
{
	assert_false(sendcp_reason_class(SENDCP_REASON_COUNT).passes);
	assert_false(sendcp_reason_class((enum sendcp_reason)-1).passes);
	assert_null(sendcp_reason_name(SENDCP_REASON_COUNT));
	assert_false(sendcp_reason_class_errno(0).passes);
	assert_false(sendcp_reason_class_errno(EBADF).passes);
}

/* A device that does not answer is in another class than damage. */
static void reads_have_an_errno_too(void **state)
{
	struct sendcp_error error;

	sendcp_error_clear(&error);
	error.reason = SENDCP_ERR_DATA_READ;
	error.err = -EIO;
	assert_true(sendcp_reason_class_read(&error).passes);
	error.err = -EUCLEAN;
	assert_false(sendcp_reason_class_read(&error).passes);
	error.reason = SENDCP_ERR_DATA_CSUM;
	error.err = -EIO;
	assert_false(sendcp_reason_class_read(&error).passes);
	error.reason = SENDCP_ERR_MOVED_TOO_OFTEN;
	error.err = -EAGAIN;
	assert_true(sendcp_reason_class_read(&error).passes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_reason_is_documented),
		cmocka_unit_test(every_errno_is_documented),
		cmocka_unit_test(nothing_else_is_documented),
		cmocka_unit_test(no_errno_comes_twice),
		cmocka_unit_test(unknown_ones_do_not_pass),
		cmocka_unit_test(reads_have_an_errno_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
