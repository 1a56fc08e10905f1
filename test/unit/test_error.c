/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Error records: every reason has a text and a fitting errno; the line made of them is one line.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <sendcp/error.h>

static void every_reason_is_told(void **state)
{
	int reason;

	for (reason = 0; reason < SENDCP_REASON_COUNT; reason++) {
		const char *text = sendcp_reason_text(reason);

		assert_true(strlen(text) > 5 && !strchr(text, '\n'));
		assert_true(reason == SENDCP_ERR_NONE ? !sendcp_reason_errno(reason) :
						 sendcp_reason_errno(reason) < 0);
	}
}

static void unknown_reasons_are_survived(void **state)
{
	assert_string_equal(sendcp_reason_text(SENDCP_REASON_COUNT), "unknown error");
	assert_int_equal(sendcp_reason_errno(SENDCP_REASON_COUNT), -EINVAL);
	assert_string_equal(sendcp_reason_text((enum sendcp_reason)-1), "unknown error");
}

static struct sendcp_error made(enum sendcp_reason reason)
{
	struct sendcp_error error;

	sendcp_error_clear(&error);
	error.reason = reason;
	error.err = sendcp_reason_errno(reason);
	return error;
}

static void places_come_first(void **state)
{
	struct sendcp_error error = made(SENDCP_ERR_NODE_CSUM);
	char line[200];

	sendcp_error_format(&error, line, sizeof(line));
	assert_string_equal(line, "tree block checksum does not match and no copy is good");
	error.root = 257;
	error.bytenr = 30539776;
	sendcp_error_format(&error, line, sizeof(line));
	assert_string_equal(line, "tree 257 block 30539776: "
			    "tree block checksum does not match and no copy is good");
	error.root = (u64)-9;
	error.inode = 261;
	error.offset = 0;
	error.device = 0;
	sendcp_error_format(&error, line, sizeof(line));
	assert_non_null(strstr(line, "device 0 tree -9 block 30539776 inode 261 offset 0: "));
}

/* Something that was survived is not said to have had no other copy. */
static void warnings_have_texts_of_their_own(void **state)
{
	struct sendcp_error error = made(SENDCP_ERR_DEVICE_READ);
	static const enum sendcp_reason survived[] = {
		SENDCP_ERR_NODE_CSUM, SENDCP_ERR_NODE_FSID, SENDCP_ERR_NODE_BYTENR,
		SENDCP_ERR_NODE_GENERATION, SENDCP_ERR_NODE_LEVEL, SENDCP_ERR_NODE_FIRST_KEY,
		SENDCP_ERR_NODE_ITEMS, SENDCP_ERR_DATA_CSUM, SENDCP_ERR_DATA_READ,
	};
	char line[200];
	int reason;
	size_t i;

	error.bytenr = 4096;
	sendcp_warning_format(&error, line, sizeof(line));
	assert_string_equal(line, "block 4096: read error; another copy is good");
	for (reason = 0; reason < SENDCP_REASON_COUNT; reason++) {
		error = made((enum sendcp_reason)reason);
		sendcp_warning_format(&error, line, sizeof(line));
		assert_null(strstr(line, " no copy"));
		assert_null(strstr(line, " no other copy"));
	}
	/* Of blocks and sectors, the text that a failure would have is not the whole story. */
	for (i = 0; i < ARRAY_SIZE(survived); i++) {
		error = made(survived[i]);
		sendcp_warning_format(&error, line, sizeof(line));
		assert_non_null(strstr(line, "; another copy is good"));
		assert_null(strstr(line, "cannot be read"));
	}
	/* A device that is left out at the beginning: nothing is known of its copies. */
	error = made(SENDCP_ERR_SUPER_CSUM);
	sendcp_warning_format(&error, line, sizeof(line));
	assert_string_equal(line, "superblock checksum does not match");
	/* Cut where it does not fit. */
	error = made(SENDCP_ERR_DEVICE_READ);
	sendcp_warning_format(&error, line, 12);
	assert_string_equal(line, "read error;");
	sendcp_warning_format(&error, line, 1);
	assert_string_equal(line, "");
}

static void details_cannot_break_the_line(void **state)
{
	struct sendcp_error error = made(SENDCP_ERR_FEATURE);
	char line[200];

	snprintf(error.detail, sizeof(error.detail), "a\nb\033[1mc");
	sendcp_error_format(&error, line, sizeof(line));
	assert_string_equal(line, "incompatible feature that sendcp cannot read (a?b?[1mc)");
	/* Not even a detail that nobody terminated. */
	memset(error.detail, 'x', sizeof(error.detail));
	sendcp_error_format(&error, line, sizeof(line));
	assert_int_equal(strlen(line), strlen(sendcp_reason_text(SENDCP_ERR_FEATURE)) + 3 + 120);
}

static void foreign_errnos_are_shown(void **state)
{
	struct sendcp_error error = made(SENDCP_ERR_DEVICE_READ);
	char line[200];

	error.err = -ENXIO;
	sendcp_error_format(&error, line, sizeof(line));
	assert_string_equal(line, "read error and no other copy [errno 6]");
}

static void lines_are_cut_at_every_length(void **state)
{
	struct sendcp_error error = made(SENDCP_ERR_DEVICE_READ);
	char whole[300], cut[302];
	size_t size;

	error.err = -ENXIO;
	error.root = 5;
	error.bytenr = 65536;
	strcpy(error.detail, "detail");
	sendcp_error_format(&error, whole, sizeof(whole));
	for (size = 1; size < sizeof(whole); size++) {
		memset(cut, 'Z', sizeof(cut));
		assert_ptr_equal(sendcp_error_format(&error, cut, size), cut);
		assert_true(strlen(cut) < size && cut[size] == 'Z');
		assert_memory_equal(cut, whole, strlen(cut));
		if (size <= strlen(whole))
			assert_int_equal(strlen(cut), size - 1);
	}
	assert_ptr_equal(sendcp_error_format(&error, cut, 0), cut);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_reason_is_told),
		cmocka_unit_test(unknown_reasons_are_survived),
		cmocka_unit_test(places_come_first),
		cmocka_unit_test(warnings_have_texts_of_their_own),
		cmocka_unit_test(details_cannot_break_the_line),
		cmocka_unit_test(foreign_errnos_are_shown),
		cmocka_unit_test(lines_are_cut_at_every_length),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
