/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Values as text: written values are read back, and nothing else is taken.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "util/json_line.h"
#include "util/text.h"

static void base64_of_rfc_4648(void **state)
{
	static const char *const vectors[][2] = {
		{ "", "" }, { "f", "Zg==" }, { "fo", "Zm8=" }, { "foo", "Zm9v" },
		{ "foob", "Zm9vYg==" }, { "fooba", "Zm9vYmE=" }, { "foobar", "Zm9vYmFy" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(vectors); i++) {
		char *text = base64_encode(vectors[i][0], strlen(vectors[i][0]));
		size_t size;
		void *back = base64_decode(vectors[i][1], &size);

		assert_string_equal(text, vectors[i][1]);
		assert_non_null(back);
		assert_int_equal(size, strlen(vectors[i][0]));
		assert_memory_equal(back, vectors[i][0], size);
		free(text);
		free(back);
	}
}

static void base64_takes_nothing_else(void **state)
{
	static const char *const bad[] = {
		"=", "==",
		"Z", "Zg", "Zg=", "Z===", "====", "Zg==Zg==",
		"Zm9v\n", "Zm 9v", "Zh==", "Zm9=", "Zm9-",
	};
	size_t size;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_null(base64_decode(bad[i], &size));
}

static void base64_of_all_bytes(void **state)
{
	u8 bytes[256];
	char *text;
	void *back;
	size_t size;

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (u8)i;
	text = base64_encode(bytes, sizeof(bytes));
	back = base64_decode(text, &size);
	assert_int_equal(size, sizeof(bytes));
	assert_memory_equal(back, bytes, size);
	free(text);
	free(back);
}

static void sizes(void **state)
{
	static const struct {
		const char *text;
		u64 value;
	} good[] = {
		{ "0", 0 }, { "1", 1 }, { "64M", 64ULL << 20 }, { "3k", 3072 },
		{ "2G", 2ULL << 30 },
		{ "16777215T", 16777215ULL << 40 }, { "18446744073709551615", ~0ULL },
	};
	static const char *const bad[] = {
		"", "K", "-1", "+1", " 1", "1 ", "1X", "1KB", "0x10", "16777216T",
		"18446744073709551616", "99999999999999999999999",
	};
	u64 value;

	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		assert_true(parse_size(good[i].text, &value));
		assert_true(value == good[i].value);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_false(parse_size(bad[i], &value));
	assert_false(sendcp_parse_u64("1K", &value));
}

static void durations(void **state)
{
	static const struct { const char *text; u64 seconds; } good[] = {
		{ "0", 0 }, { "30", 30 }, { "30s", 30 }, { "10m", 600 }, { "2h", 7200 },
		{ "1d", 86400 }, { "18446744073709551615", ~0ULL },
	};
	static const char *const bad[] = {
		"", "s", "-1", "+1", " 1", "1 ", "1.5h", "1h30m", "1w", "1M", "1ss",
		"18446744073709551615m", "18446744073709551616",
	};
	u64 seconds;

	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		assert_true(parse_duration(good[i].text, &seconds));
		assert_int_equal(seconds, good[i].seconds);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_false(parse_duration(bad[i], &seconds));
}

static void uuids(void **state)
{
	static const char text[] = "00010203-0405-0607-0809-0a0b0c0d0eff";
	char back[UUID_TEXT_SIZE];
	u8 uuid[16];

	assert_true(sendcp_uuid_from_text(text, uuid));
	assert_int_equal(uuid[15], 0xff);
	sendcp_uuid_text(uuid, back);
	assert_string_equal(back, text);
	assert_false(sendcp_uuid_from_text("00010203-0405-0607-0809-0a0b0c0d0ef", uuid));
	assert_false(sendcp_uuid_from_text("000102030-405-0607-0809-0a0b0c0d0eff", uuid));
	assert_false(sendcp_uuid_from_text("0001020g-0405-0607-0809-0a0b0c0d0eff", uuid));
}

static void quoted(const char *word, const char *expected)
{
	char *text = shell_quote(word);

	assert_string_equal(text, expected);
	free(text);
}

static void shell_words(void **state)
{
	quoted("/mnt/a.cp", "/mnt/a.cp");
	quoted("", "''");
	quoted("a b", "'a b'");
	quoted("it's", "'it'\\''s'");
	quoted("$x;", "'$x;'");
	/* Lines for people show no control characters. */
	quoted("a\nb'%\\", "\"$(printf 'a\\012b\\047%%\\134')\"");
	quoted("-\xff" "a", "\"$(printf '\\055\\377a')\"");
	quoted("\xc2\x9b", "\"$(printf '\\302\\233')\"");
	quoted("\xed\xa0\x80", "\"$(printf '\\355\\240\\200')\"");
	quoted("\xc3\xa9", "'\xc3\xa9'");
	/* $(...) loses newlines at the end. */
	quoted("\x1b[m%'\n", "$'\\033[m%\\047\\012'");
}

static struct json_object *sample(void)
{
	struct json_object *object = json_object_new_object();

	json_put_string(object, "type", "x\"\n\x81/");
	json_put_u64(object, "number", ~0ULL);
	json_put_bool(object, "flag", true);
	return object;
}

static void lines_come_back(void **state)
{
	struct json_object *object = sample();
	size_t length;
	char *line = json_line_format(object, &length);
	struct json_object *back;
	u64 number;
	u32 narrow;

	assert_int_equal(line[length - 1], '\n');
	assert_int_equal(length, strlen(line));
	back = json_line_parse(line, length - 1);
	assert_non_null(back);
	assert_string_equal(json_get_text(back, "type"), "x\"\n\x81/");
	assert_true(json_get_u64(back, "number", &number) && number == ~0ULL);
	assert_false(json_get_u32(back, "number", &narrow));
	assert_true(json_get_flag(back, "flag"));
	assert_false(json_get_flag(back, "other"));
	assert_null(json_get_text(back, "number"));
	assert_false(json_get_u64(back, "type", &number));
	json_object_put(back);
	json_object_put(object);
	free(line);
}

/* An object that begins with @start and has @count times @unit in a list. */
static char *long_list(const char *start, const char *unit, size_t count)
{
	char *text = malloc(strlen(start) + count * (strlen(unit) + 1) + 3), *to;

	assert_non_null(text);
	to = stpcpy(text, start);
	for (size_t i = 0; i < count; i++)
		to = stpcpy(stpcpy(to, i ? "," : ""), unit);
	strcpy(to, "]}");
	return text;
}

static void assert_parsed(const char *start, const char *unit, size_t count, bool expected)
{
	char *text = long_list(start, unit, count);
	struct json_object *object = json_text_parse(text, strlen(text));

	assert_int_equal(object != NULL, expected);
	json_object_put(object);
	free(text);
}

/* Parsed, each two bytes take hundreds: a compressed archive of 700 bytes took gigabytes. */
static void a_line_has_no_more_values_than_ours(void **state)
{
	assert_parsed("{\"a\":[", "{}", 2 * 65536, true);
	assert_parsed("{\"a\":[", "{}", 200000, false);
	assert_parsed("{\"a\":[", "0", 1000000, true);
	assert_parsed("{\"a\":[", "0", 3000000, false);
	assert_parsed("{\"a\":[", "[]", 1500000, false);
	/* In texts it is not counted; what only json-c takes for a text does not hide it. */
	assert_parsed("{\"a\":[", "\"{{{{,,,,\\\"\"", 100000, true);
	assert_parsed("{'\"':0,\"a\":[", "{}", 200000, false);
	assert_parsed("{'\"':0,\"a\":[", "{}", 2, false);
	assert_parsed("{/* \" */\"a\":[", "{}", 2, false);
}

static void any_changed_byte_is_seen(void **state)
{
	struct json_object *object = sample();
	size_t length;
	char *line = json_line_format(object, &length);

	for (size_t i = 0; i + 1 < length; i++) {
		line[i] ^= 1;
		assert_null(json_line_parse(line, length - 1));
		line[i] ^= 1;
		assert_null(json_line_parse(line, i));
	}
	json_object_put(object);
	free(line);
}

static void numbers_are_no_signs(void **state)
{
	struct json_object *object = json_text_parse("{\"a\":-1,\"b\":1.5,\"c\":\"1\"}", 24);
	u64 number;

	assert_non_null(object);
	assert_false(json_get_u64(object, "a", &number));
	assert_false(json_get_u64(object, "b", &number));
	assert_false(json_get_u64(object, "c", &number));
	json_object_put(object);
	assert_null(json_text_parse("[1]", 3));
	assert_null(json_text_parse("{} {}", 5));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(base64_of_rfc_4648),
		cmocka_unit_test(base64_takes_nothing_else),
		cmocka_unit_test(base64_of_all_bytes),
		cmocka_unit_test(sizes),
		cmocka_unit_test(durations),
		cmocka_unit_test(uuids),
		cmocka_unit_test(shell_words),
		cmocka_unit_test(lines_come_back),
		cmocka_unit_test(a_line_has_no_more_values_than_ours),
		cmocka_unit_test(any_changed_byte_is_seen),
		cmocka_unit_test(numbers_are_no_signs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
