// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Rules that commands obey: each is broken once, and each possible command obeys them all.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

#include "handmade.h"
#include "parse/check.h"

#define UUID "0123456789abcdef"
#define N(number) ((u64)(number))

/* The subvolume is there already when @blob gets the commands that matter. */
static struct blob begun(u32 protocol)
{
	struct blob blob = { .size = 0 };

	make_header(&blob, protocol);
	make_subvol(&blob, "s");
	return blob;
}

/* Checks all of @blob. "" or what is wrong; fills in @check. */
static const char *check_blob(const struct blob *blob, struct stream_check *check)
{
	static char what[512];
	int fd = blob_file(blob, blob->size);
	struct unwrap *unwrap = unwrap_open_fd(fd);
	struct stream_reader *reader = stream_reader_new(unwrap);
	const struct stream_command *command;

	memset(check, 0, sizeof(*check));
	while ((command = stream_next(reader)))
		if (!stream_check(check, reader, command))
			assert_null(stream_next(reader));
	snprintf(what, sizeof(what), "%s", stream_what(reader));
	stream_reader_free(reader);
	unwrap_close(unwrap);
	close(fd);
	return what;
}

/* Frees @blob. */
static void wrong(struct blob *blob, const char *what)
{
	struct stream_check check;
	const char *found;

	make_end(blob);
	found = check_blob(blob, &check);
	if (!*found || !strstr(found, what))
		fail_msg("wanted: %s\nfound: %s", what, found);
	blob_free(blob);
}

#define WRONG(protocol, what, ...) do {			\
	struct blob wrong_blob = begun(protocol);	\
							\
	make(&wrong_blob, __VA_ARGS__, 0);		\
	wrong(&wrong_blob, what);			\
} while (0)

static void make_symlink(struct blob *blob, const char *target, u16 length)
{
	make_command(blob, 8);
	make_text(blob, 15, "l");
	make_attribute(blob, 3, "\1\0\0\0\0\0\0", 8);
	make_attribute(blob, 17, target, length);
	close_command(blob);
}

static void make_every_command(struct blob *blob)
{
	make(blob, 2, 15, "b", 1, UUID, 2, N(8), 20, UUID, 21, N(7), 0);
	make(blob, 3, 15, "f", 3, N(257), 0);
	make(blob, 4, 15, "d", 3, N(258), 0);
	make(blob, 5, 15, "n", 3, N(259), 8, N(0x103), 5, N(0020644), 0);
	make(blob, 6, 15, "p", 3, N(260), 8, N(0), 5, N(0010644), 0);
	make(blob, 7, 15, "k", 3, N(261), 8, N(0), 5, N(0140644), 0);
	make(blob, 8, 15, "l", 3, N(262), 17, "/../etc", 0);
	make(blob, 9, 15, "f", 16, "d/f", 0);
	make(blob, 10, 15, "g", 17, "d/f", 0);
	make(blob, 11, 15, "g", 0);
	make(blob, 12, 15, "d/e", 0);
	make(blob, 13, 15, "", 13, "user.x", 14, "", 0);
	make(blob, 14, 15, "f", 13, "user.x", 0);
	make(blob, 15, 15, "f", 18, N(4096), 19, "data", 0);
	make(blob, 16, 18, N(0), 24, N(4096), 15, "f", 20, UUID, 21, N(7), 22, "g", 23, N(0), 0);
	make(blob, 17, 15, "f", 4, N(5), 0);
	make(blob, 18, 15, "", 5, N(07777), 0);
	make(blob, 19, 15, "", 6, N(1), 7, N(2), 0);
	make(blob, 20, 15, "", 11, N(1), 10, N(2), 9, N(3), 0);
	make(blob, 20, 15, "", 11, N(1), 10, N(2), 9, N(3), 12, N(4), 0);
	make(blob, 22, 15, "f", 18, N(0), 4, N(9), 0);
	make(blob, 22, 15, "f", 18, N(0), 4, N(9), 13, "sendcp.data_error", 14, "zero", 0);
	make(blob, 22, 15, "f", 18, N(0), 4, N(9), 13, "sendcp.data_error", 14, "skip", 0);
	make(blob, 23, 15, "f", 25, N(3), 18, N(0), 4, N(9), 0);
	make(blob, 24, 15, "", 26, N(16), 0);
	make(blob, 25, 15, "f", 18, N(0), 27, N(3), 28, N(10), 29, N(7), 30, N(2), 31, N(0),
	     19, "zz", 0);
	make(blob, 25, 15, "f", 18, N(0), 27, N(3), 28, N(10), 29, N(7), 30, N(7), 19, "zz", 0);
	make(blob, 26, 15, "f", 32, N(1), 33, N(4096), 34, "salt", 35, "", 0);
}

static void every_command_can_be_right(void **state)
{
	struct blob blob = begun(3);
	struct stream_check check;

	make_every_command(&blob);
	make_end(&blob);
	make_header(&blob, 1);
	make_subvol(&blob, "c");
	make_end(&blob);
	assert_string_equal(check_blob(&blob, &check), "");
	assert_int_equal(check.streams, 2);
	assert_int_equal(check.subvolumes, 3);
	assert_int_equal(check.commands, 1 + 26 + 2 + 1 + 2);
	blob_free(&blob);
}

static void order(void **state)
{
	struct blob blob = { .size = 0 };

	make_header(&blob, 1);
	make_mkfile(&blob, "f");
	wrong(&blob, "mkfile at byte 17 is where subvol or snapshot should be");
	make_header(&blob, 1);
	wrong(&blob, "end at byte 17 is where subvol");
	make_stream(&blob, 1, 0, 0);
	make_header(&blob, 1);
	make_mkfile(&blob, "f");
	wrong(&blob, "is where subvol or snapshot should be");
}

static void attributes(void **state)
{
	WRONG(1, "rename at byte 64 lacks the attribute path_to", 9, 15, "f");
	WRONG(1, "lacks the attribute path", 9, 16, "f");
	WRONG(1, "lacks the attribute inode", 3, 15, "f");
	WRONG(1, "lacks the attribute data", 15, 15, "f", 18, N(0));
	WRONG(1, "has the attribute path twice", 11, 15, "f", 15, "f");
	WRONG(1, "has the attribute size, which it cannot have", 11, 15, "f", 4, N(0));
	WRONG(1, "has the unknown attribute 36", 11, 15, "f", 36, N(0));
	WRONG(1, "has the unknown attribute 30", 11, 15, "f", 30, N(0));
	WRONG(2, "has the unknown attribute 33", 11, 15, "f", 33, N(0));
	WRONG(1, "has the attribute inode, which it cannot have", 21, 3, N(0));
	WRONG(1, "has 3 bytes of uuid, not 16", 1, 15, "f", 1, "abc", 2, N(0));
}

static void sizes_of_values(void **state)
{
	struct blob blob = begun(1);

	make_command(&blob, 17);
	make_text(&blob, 15, "f");
	make_u32(&blob, 4, 1);
	close_command(&blob);
	wrong(&blob, "truncate at byte 64 has 4 bytes of size, not 8");
	blob = begun(1);
	make_command(&blob, 20);
	make_text(&blob, 15, "f");
	make_time(&blob, 11, 0, 0);
	make_time(&blob, 10, 0, 0);
	make_u64(&blob, 9, 0);
	close_command(&blob);
	wrong(&blob, "has 8 bytes of ctime, not 12");
}

static void paths(void **state)
{
	static const char *const bad[] = { "", "/f", "..", "../f", "a/../f", "a/..", ".", "a/./b",
					   "a//b", "a/", "/" };
	static const char *const good[] = { "...", "..a", "a..", ".a/.b", "a/b/c" };
	struct stream_check check;
	struct blob blob;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		WRONG(1, "has a path with", 11, 15, bad[i]);
		WRONG(1, "has a path_to with", 9, 15, "f", 16, bad[i]);
		WRONG(1, "has a path_link with", 10, 15, "f", 17, bad[i]);
	}
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		blob = begun(1);
		make(&blob, 11, 15, good[i], 0);
		make_end(&blob);
		assert_string_equal(check_blob(&blob, &check), "");
		blob_free(&blob);
	}
	WRONG(1, "has a clone_path with", 16, 18, N(0), 24, N(1), 15, "f", 20, UUID, 21, N(0),
	      22, "../x", 23, N(0));
	WRONG(1, "has a path with a /", 1, 15, "a/b", 1, UUID, 2, N(0));
	WRONG(1, "has a path with an empty component", 2, 15, "", 1, UUID, 2, N(0), 20, UUID,
	      21, N(0));
	WRONG(1, "has a path_link with an impossible length", 8, 15, "l", 3, N(1), 17, "");
}

static void lengths_and_zero_bytes(void **state)
{
	static char text[5000];
	struct stream_check check;
	struct blob blob;

	memset(text, 'a', 256);
	WRONG(1, "more than 255 bytes", 11, 15, text);
	WRONG(1, "xattr_name with an impossible length", 14, 15, "f", 13, text);
	WRONG(1, "xattr_name with an impossible length", 14, 15, "f", 13, "");
	for (size_t i = 0; i < 4096; i++)
		text[i] = i % 2 ? '/' : 'a';
	text[4095] = 'a';
	WRONG(1, "more than 4095 bytes", 11, 15, text);
	WRONG(1, "path_link with an impossible length", 8, 15, "l", 3, N(1), 17, text);
	blob = begun(1);
	make_command(&blob, 11);
	make_attribute(&blob, 15, "a\0b", 3);
	close_command(&blob);
	wrong(&blob, "a zero byte");
	blob = begun(1);
	make_symlink(&blob, "\0\0", 2);
	wrong(&blob, "path_link with an impossible length");
	blob = begun(1);
	make_symlink(&blob, "d/f\0", 4);
	make_symlink(&blob, "d/f\0\0\0\0", 7);
	make_end(&blob);
	assert_string_equal(check_blob(&blob, &check), "");
	blob = begun(1);
	make_command(&blob, 14);
	make_text(&blob, 15, "f");
	make_attribute(&blob, 13, "a\0b", 3);
	close_command(&blob);
	wrong(&blob, "a zero byte");
}

static void numbers(void **state)
{
	const u64 end = INT64_MAX;

	WRONG(1, "write at byte 64 has no data", 15, 15, "f", 18, N(0), 19, "");
	WRONG(1, "impossible range", 15, 15, "f", 18, end - 3, 19, "data");
	WRONG(1, "impossible range", 15, 15, "f", 18, ~0ULL, 19, "data");
	WRONG(1, "impossible size", 17, 15, "f", 4, end + 1);
	WRONG(1, "impossible mode", 18, 15, "f", 5, N(010000));
	WRONG(1, "not a device's", 5, 15, "f", 3, N(1), 8, N(1), 5, N(0100644));
	WRONG(1, "impossible range", 16, 18, end, 24, N(1), 15, "f", 20, UUID, 21, N(0), 22, "x",
	      23, N(0));
	WRONG(1, "impossible range", 16, 18, N(0), 24, N(1), 15, "f", 20, UUID, 21, N(0), 22, "x",
	      23, end);
	WRONG(1, "impossible range", 22, 15, "f", 18, end, 4, N(1));
	WRONG(1, "impossible range", 22, 15, "f", 18, end, 4, N(1), 13, "sendcp.data_error",
	      14, "zero");
	WRONG(1, "a mark that sendcp does not know", 22, 15, "f", 18, N(0), 4, N(1), 13,
	      "sendcp.data_error", 14, "other");
	WRONG(1, "a mark that sendcp does not know", 22, 15, "f", 18, N(0), 4, N(1), 13, "user.x",
	      14, "zero");
	WRONG(2, "a mark that sendcp does not know", 22, 15, "f", 18, N(0), 4, N(1), 14, "zero");
	WRONG(2, "a mark that sendcp does not know", 22, 15, "f", 18, N(0), 4, N(1),
	      13, "sendcp.data_error");
	WRONG(2, "impossible range", 23, 15, "f", 25, N(3), 18, N(1), 4, end);
}

static void encoded_writes(void **state)
{
	WRONG(2, "impossible range", 25, 15, "f", 18, N(0), 27, N(4), 28, N(10), 29, N(7),
	      30, N(2), 19, "zz");
	WRONG(2, "impossible range", 25, 15, "f", 18, N(0), 27, N(0), 28, N(10), 29, N(11),
	      30, N(2), 19, "zz");
	WRONG(2, "impossible range", 25, 15, "f", 18, N(0), 27, N(0), 28, N(131073), 29, N(0),
	      30, N(2), 19, "zz");
	WRONG(2, "unknown compression", 25, 15, "f", 18, N(0), 27, N(1), 28, N(1), 29, N(0),
	      30, N(0), 19, "zz");
	WRONG(2, "unknown compression", 25, 15, "f", 18, N(0), 27, N(1), 28, N(1), 29, N(0),
	      30, N(8), 19, "zz");
	WRONG(2, "unknown encryption", 25, 15, "f", 18, N(0), 27, N(1), 28, N(1), 29, N(0),
	      30, N(1), 31, N(1), 19, "zz");
	WRONG(2, "has no data", 25, 15, "f", 18, N(0), 27, N(1), 28, N(1), 29, N(0),
	      30, N(1), 19, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_command_can_be_right),
		cmocka_unit_test(order),
		cmocka_unit_test(attributes),
		cmocka_unit_test(sizes_of_values),
		cmocka_unit_test(paths),
		cmocka_unit_test(lengths_and_zero_bytes),
		cmocka_unit_test(numbers),
		cmocka_unit_test(encoded_writes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
