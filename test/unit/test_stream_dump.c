// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Lines about commands: those that btrfs receive --dump (btrfs-progs 6.2) printed for the same
 * commands, and what JSON makes of them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

#include "handmade.h"
#include "parse/check.h"
#include "parse/dump.h"
#include "util/json_line.h"

#define UUID "0123456789abcdef"
#define UUID_SHOWN "30313233-3435-3637-3839-616263646566"
#define N(number) ((u64)(number))

/* All lines about @blob, which is freed. */
static char *dump(struct blob *blob, bool json)
{
	int fd = blob_file(blob, blob->size);
	struct unwrap *unwrap = unwrap_open_fd(fd);
	struct stream_reader *reader = stream_reader_new(unwrap);
	struct stream_dump lines = { .name_length = 0 };
	const struct stream_command *command;
	char *text;
	size_t size;
	FILE *to = open_memstream(&text, &size);

	while ((command = stream_next(reader))) {
		assert_true(!command->type || stream_check_attributes(reader, command));
		if (json)
			stream_dump_json(command, to);
		else
			stream_dump_text(&lines, command, to);
	}
	fclose(to);
	stream_reader_free(reader);
	unwrap_close(unwrap);
	close(fd);
	blob_free(blob);
	return text;
}

/* Of one command in subvolume s: its line without what comes before. */
#define LINE(wanted, ...) do {				\
	struct blob blob = { .size = 0 };		\
	char *text;					\
							\
	make_header(&blob, 3);				\
	make_subvol(&blob, "s");			\
	make(&blob, __VA_ARGS__, 0);			\
	text = dump(&blob, false);			\
	assert_string_equal(strchr(text, '\n') + 1, wanted "\n"); \
	free(text);					\
} while (0)

static void creating(void **state)
{
	LINE("snapshot        ./b                             uuid=" UUID_SHOWN " transid=8 "
	     "parent_uuid=" UUID_SHOWN " parent_transid=7",
	     2, 15, "b", 1, UUID, 2, N(8), 20, UUID, 21, N(7));
	LINE("subvol          ./b                             uuid=" UUID_SHOWN " transid=8",
	     1, 15, "b", 1, UUID, 2, N(8));
	LINE("mkfile          ./s/o257-7-0", 3, 15, "o257-7-0", 3, N(257));
	LINE("mkdir           ./s/d", 4, 15, "d", 3, N(1));
	LINE("mknod           ./s/n                           mode=20644 dev=0x103",
	     5, 15, "n", 3, N(1), 8, N(0x103), 5, N(020644));
	LINE("mkfifo          ./s/p", 6, 15, "p", 3, N(1), 8, N(0), 5, N(0));
	LINE("mksock          ./s/k", 7, 15, "k", 3, N(1), 8, N(0), 5, N(0));
	LINE("symlink         ./s/l                           dest=../x\\ y",
	     8, 15, "l", 3, N(1), 17, "../x y");
}

static void naming(void **state)
{
	LINE("rename          ./s/f                           dest=./s/d/f", 9, 15, "f", 16, "d/f");
	LINE("link            ./s/g                           dest=d/f", 10, 15, "g", 17, "d/f");
	LINE("unlink          ./s/g", 11, 15, "g");
	LINE("rmdir           ./s/d/e", 12, 15, "d/e");
	LINE("set_xattr       ./s/                            name=user.x data=a b len=3",
	     13, 15, "", 13, "user.x", 14, "a b");
	LINE("remove_xattr    ./s/f                           name=user.x",
	     14, 15, "f", 13, "user.x");
}

static void contents(void **state)
{
	LINE("write           ./s/f                           offset=9223372036854775808 len=4",
	     15, 15, "f", 18, N(1) << 63, 19, "data");
	LINE("clone           ./s/f                           offset=1 len=2 from=./s/g "
	     "clone_offset=3",
	     16, 18, N(1), 24, N(2), 15, "f", 20, UUID, 21, N(7), 22, "g", 23, N(3));
	LINE("truncate        ./s/f                           size=5", 17, 15, "f", 4, N(5));
	LINE("update_extent   ./s/f                           offset=1 len=2",
	     22, 15, "f", 18, N(1), 4, N(2));
	LINE("update_extent   ./s/f                           offset=1 len=2 unreadable: zeros",
	     22, 15, "f", 18, N(1), 4, N(2), 13, "sendcp.data_error", 14, "zero");
	LINE("update_extent   ./s/f                           offset=1 len=2 unreadable: not sent",
	     22, 15, "f", 18, N(1), 4, N(2), 13, "sendcp.data_error", 14, "skip");
	LINE("update_extent   ./s/f                           offset=1 len=2 unknown mark",
	     22, 15, "f", 18, N(1), 4, N(2), 13, "user.\x1b", 14, "zero");
	LINE("fallocate       ./s/f                           mode=3 offset=1 len=2",
	     23, 15, "f", 25, N(3), 18, N(1), 4, N(2));
	LINE("encoded_write   ./s/f                           offset=1 len=2, "
	     "unencoded_file_len=3, "
	     "unencoded_len=4, unencoded_offset=5, compression=2, encryption=0",
	     25, 15, "f", 18, N(1), 27, N(3), 28, N(4), 29, N(5), 30, N(2), 19, "zz");
}

static void attributes(void **state)
{
	LINE("chmod           ./s/                            mode=7755", 18, 15, "", 5, N(07755));
	LINE("chown           ./s/f                           gid=2 uid=1",
	     19, 15, "f", 6, N(1), 7, N(2));
	LINE("utimes          ./s/f                           atime=1970-01-01T00:00:00+0000 "
	     "mtime=2023-11-14T22:13:20+0000 ctime=1969-12-31T23:59:55+0000",
	     20, 15, "f", 11, N(0), 10, N(1700000000), 9, N(-5), 12, N(1));
	LINE("fileattr        ./s/f                           fileattr=0x1b",
	     24, 15, "f", 26, N(27));
	LINE("enable_verity   ./s/f                           algorithm=1 block_size=4096 "
	     "salt_len=2 "
	     "sig_len=3", 26, 15, "f", 32, N(1), 33, N(4096), 34, "sa", 35, "sig");
}

static void escapes(void **state)
{
	LINE("mkfile          ./s/a\\\\b\\n\\t\\r\\a\\b\\f\\v\\e\\001\\377\\303\\244\"q'#\\177",
	     3, 15, "a\\b\n\t\r\a\b\f\v\x1b\x01\xff\xc3\xa4\"q'#\x7f", 3, N(1));
	/* Names in values must not break the line either. */
	LINE("remove_xattr    ./s/f                           name=a b\\nc",
	     14, 15, "f", 13, "a b\nc");
}

/* The text after the path begins in column 49, or one after a longer path. */
static void columns(void **state)
{
	LINE("truncate        ./s/aaaaaaaaaaaaaaaaaaaaaaaaaaa size=5",
	     17, 15, "aaaaaaaaaaaaaaaaaaaaaaaaaaa", 4, N(5));
	LINE("truncate        ./s/aaaaaaaaaaaaaaaaaaaaaaaaaaaa size=5",
	     17, 15, "aaaaaaaaaaaaaaaaaaaaaaaaaaaa", 4, N(5));
	LINE("truncate        ./s/a\\ aaaaaaaaaaaaaaaaaaaaaaaaa size=5",
	     17, 15, "a aaaaaaaaaaaaaaaaaaaaaaaaa", 4, N(5));
}

static struct json_object *one_object(struct blob *blob)
{
	char *text = dump(blob, true);
	char *line = strchr(strchr(text, '\n') + 1, '\n') + 1;
	struct json_object *object = json_text_parse(line, strlen(line) - 1);

	assert_non_null(object);
	free(text);
	return object;
}

static void json_of_names(void **state)
{
	static const struct {
		const char *name, *key, *value;
	} cases[] = {
		{ "plain", "path", "plain" },
		{ "\xc3\xa4 \"\\\n", "path", "\xc3\xa4 \"\\\n" },
		{ "\xf0\x9f\x98\x80", "path", "\xf0\x9f\x98\x80" },
		/* Not UTF-8: a bare byte, cut, overlong, a surrogate, beyond Unicode. */
		{ "\xff", "path_base64", "/w==" },
		{ "a\xc3", "path_base64", "YcM=" },
		{ "\xc0\xaf", "path_base64", "wK8=" },
		{ "\xe0\x80\xaf", "path_base64", "4ICv" },
		{ "\xed\xa0\x80", "path_base64", "7aCA" },
		{ "\xf4\x90\x80\x80", "path_base64", "9JCAgA==" },
		{ "\xc3\xc3", "path_base64", "w8M=" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct blob blob = { .size = 0 };
		struct json_object *object;

		make_header(&blob, 1);
		make_subvol(&blob, "s");
		make(&blob, 11, 15, cases[i].name, 0);
		object = one_object(&blob);
		assert_string_equal(json_get_text(object, "command"), "unlink");
		assert_string_equal(json_get_text(object, cases[i].key), cases[i].value);
		json_object_put(object);
	}
}

static void json_of_values(void **state)
{
	struct blob blob = { .size = 0 };
	struct json_object *object, *time;
	u64 number;

	make_header(&blob, 1);
	make_subvol(&blob, "s");
	make(&blob, 20, 15, "", 11, N(0), 10, N(-1), 9, N(1), 0);
	object = one_object(&blob);
	assert_true(json_get_u64(object, "stream_offset", &number));
	assert_int_equal(number, 64);
	assert_true(json_object_object_get_ex(object, "mtime", &time));
	assert_int_equal(json_object_get_int64(json_object_object_get(time, "seconds")), -1);
	assert_int_equal(json_object_get_int64(json_object_object_get(time, "nanoseconds")), 5);
	json_object_put(object);
	make_header(&blob, 1);
	make_subvol(&blob, "s");
	make(&blob, 17, 15, "f", 4, ~0ULL, 0);
	object = one_object(&blob);
	assert_true(json_get_u64(object, "size", &number));
	assert_true(number == ~0ULL);
	assert_true(json_get_u64(object, "stream_length", &number));
	assert_int_equal(number, 10 + 5 + 12);
	json_object_put(object);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(creating),
		cmocka_unit_test(naming),
		cmocka_unit_test(contents),
		cmocka_unit_test(attributes),
		cmocka_unit_test(escapes),
		cmocka_unit_test(columns),
		cmocka_unit_test(json_of_names),
		cmocka_unit_test(json_of_values),
	};

	setenv("TZ", "UTC", 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
