// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Lines of JSON that are made up: what they become in memory has a bound.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "util/json_line.h"

/* {"a":[ELEMENT,ELEMENT,...]}: is it parsed? */
static bool parsed(const char *element, size_t count)
{
	size_t size = strlen(element), length = 0;
	char *text = malloc(count * (size + 1) + 16);
	struct json_object *object;

	length += (size_t)sprintf(text, "{\"a\":[");
	for (size_t i = 0; i < count; i++) {
		if (i)
			text[length++] = ',';
		memcpy(text + length, element, size);
		length += size;
	}
	length += (size_t)sprintf(text + length, "]}");
	object = json_text_parse(text, length);
	json_object_put(object);
	free(text);
	return object;
}

static void as_many_values_as_a_header_has(void **state)
{
	assert_true(parsed("1", JSON_VALUES_MAX));
	assert_false(parsed("1", JSON_VALUES_MAX + 2));
}

static void objects_and_arrays_are_counted_too(void **state)
{
	assert_true(parsed("{}", JSON_LISTS_MAX - 2));
	assert_false(parsed("{}", JSON_LISTS_MAX - 1));
	assert_false(parsed("[]", JSON_LISTS_MAX - 1));
}

/* The path of a file may have any character. */
static void what_is_in_strings_is_not_counted(void **state)
{
	char *commas = malloc(2 * JSON_VALUES_MAX + 3);

	memset(commas, ',', 2 * JSON_VALUES_MAX + 2);
	commas[0] = '"';
	memcpy(commas + 1, "\\\\\\\"{[/'", 8);
	commas[2 * JSON_VALUES_MAX + 1] = '"';
	commas[2 * JSON_VALUES_MAX + 2] = '\0';
	assert_true(parsed(commas, 1));
	free(commas);
}

/* json-c would take them, and a quote within them would hide what follows. */
static void other_quotes_and_comments_are_not_taken(void **state)
{
	assert_false(parsed("'a'", 1));
	assert_false(parsed("'\"',1,'\"'", 1));
	assert_false(parsed("/*\"*/1/*\"*/", 1));
	assert_false(parsed("1//\"\n", 1));
	assert_true(parsed("\"a'/*\"", 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(as_many_values_as_a_header_has),
		cmocka_unit_test(objects_and_arrays_are_counted_too),
		cmocka_unit_test(what_is_in_strings_is_not_counted),
		cmocka_unit_test(other_quotes_and_comments_are_not_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
