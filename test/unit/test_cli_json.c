// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Building JSON objects, and their text: that of the library, or none at all.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "util/json_line.h"

static struct json_object *every_kind(void)
{
	struct json_object *object = json_new(), *array = json_new_array(), *inner = json_new();

	json_array_add(array, json_object_new_string("a\"b\\c\b\n\r\t\f\x01\x1f/\xc3\xa9"));
	json_array_add(array, json_object_new_int64(-5));
	json_put_u64(inner, "most", UINT64_MAX);
	json_put_u64(inner, "none", 0);
	json_put_bool(inner, "yes", true);
	json_put_text(inner, "text", "");
	json_put_text(inner, "no text", NULL);
	json_put(object, "array", array);
	json_put(object, "empty array", json_new_array());
	json_put(object, "a \"key\"", inner);
	json_put(object, "empty", json_new());
	json_put_null(object, "null");
	return object;
}

static void the_text_is_that_of_the_library(void **state)
{
	struct json_object *object = every_kind();
	size_t length;
	char *text = json_text(object, 0, &length);

	assert_non_null(text);
	assert_int_equal(length, strlen(text));
	assert_string_equal(text, json_object_to_json_string_ext(object,
				JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
	free(text);
	json_object_put(object);
}

/* What json-c returns without memory is NULL. */
static void of_an_object_that_lacks_something_there_is_no_line(void **state)
{
	struct json_object *object = json_new();
	size_t length;
	char *line;

	json_put_u64(object, "number", 1);
	json_put(object, "lost", NULL);
	json_put_u64(object, "next", 2);
	assert_null(json_line_format(object, &length));
	json_object_put(object);
	object = json_new();
	json_array_add(NULL, json_object_new_string("of no array"));
	assert_null(json_line_format(object, &length));
	assert_null(json_line_format(NULL, &length));
	/* The next one is none the worse. */
	json_put_u64(object, "number", 1);
	line = json_line_format(object, &length);
	assert_non_null(line);
	free(line);
	json_object_put(object);
}

static void nothing_is_put_into_no_object(void **state)
{
	size_t length;

	json_put_u64(NULL, "number", 1);
	json_put_null(NULL, "null");
	assert_null(json_line_format(NULL, &length));
	assert_false(json_take_lacking());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_text_is_that_of_the_library),
		cmocka_unit_test(of_an_object_that_lacks_something_there_is_no_line),
		cmocka_unit_test(nothing_is_put_into_no_object),
	};

	return cmocka_run_group_tests_name("cli_json", tests, NULL, NULL);
}
