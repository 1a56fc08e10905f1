// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Growing arrays, and what becomes of a program without memory.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "util/alloc.h"
#include "util/message.h"

#define MANY 1000u

/* A sanitizer's malloc() gives NULL too. */
const char *__asan_default_options(void);
const char *__tsan_default_options(void);

const char *__asan_default_options(void)
{
	return "allocator_may_return_null=1";
}

const char *__tsan_default_options(void)
{
	return "allocator_may_return_null=1";
}

static void arrays_grow_seldom(void **state)
{
	unsigned int *array = NULL;
	size_t capacity = 0, times = 0;

	for (unsigned int i = 0; i < MANY; i++) {
		size_t before = capacity;

		array = xgrow(array, &capacity, i + 1, sizeof(*array));
		assert_true(capacity > i);
		times += capacity != before;
		array[i] = i;
	}
	for (unsigned int i = 0; i < MANY; i++)
		assert_int_equal(array[i], i);
	assert_true(times < 10);
	/* More than twice as many at once. */
	array = xgrow(array, &capacity, 10 * MANY, sizeof(*array));
	assert_int_equal(capacity, 10 * MANY);
	assert_int_equal(array[MANY - 1], MANY - 1);
	free(array);
}

static void without_memory_an_array_stays(void **state)
{
	size_t capacity = 0;
	char *array = xgrow(NULL, &capacity, 1, 1);
	size_t before = capacity;

	*array = 'a';
	assert_null(grow(array, &capacity, SIZE_MAX / 64, 16));
	assert_int_equal(capacity, before);
	assert_int_equal(*array, 'a');
	free(array);
}

static void allocate_nothing(void)
{
	xobject(NULL);
}

/* As libarchive does. */
static void end_in_library(void)
{
	without_memory_begin();
	exit(1);
}

static void end_on_purpose(void)
{
	without_memory_begin();
	without_memory_end();
	exit(7);
}

/* What @end says, in @said, and the status that it ends with. */
static int end_without_memory(void (*end)(void), char *said, size_t size)
{
	int ends[2], status;
	size_t filled = 0;
	ssize_t got;
	pid_t child;

	assert_int_equal(pipe(ends), 0);
	child = fork();
	assert_true(child >= 0);
	if (!child) {
		dup2(ends[1], STDERR_FILENO);
		end();
		_exit(99);
	}
	close(ends[1]);
	while ((got = read(ends[0], said + filled, size - 1 - filled)) > 0)
		filled += (size_t)got;
	assert_int_equal(got, 0);
	said[filled] = '\0';
	close(ends[0]);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void it_is_said_and_the_status_is_documented(void **state)
{
	char said[100];

	assert_int_equal(end_without_memory(allocate_nothing, said, sizeof(said)), EXIT_FAILED);
	assert_string_equal(said, "sendcp: out of memory\n");
}

static void a_library_that_ends_the_program_is_no_other_end(void **state)
{
	char said[100];

	assert_int_equal(end_without_memory(end_in_library, said, sizeof(said)), EXIT_FAILED);
	assert_string_equal(said, "sendcp: out of memory\n");
	assert_int_equal(end_without_memory(end_on_purpose, said, sizeof(said)), 7);
	assert_string_equal(said, "");
}

static void a_transfer_names_the_command_that_resumes(void **state)
{
	char said[100];

	without_memory_resume(NULL, "COMMAND");
	assert_int_equal(end_without_memory(allocate_nothing, said, sizeof(said)), EXIT_BROKEN_OFF);
	assert_string_equal(said, "sendcp: out of memory\n"
			    "sendcp: interrupted; resume with: COMMAND\n");
	assert_int_equal(end_without_memory(end_in_library, said, sizeof(said)), EXIT_BROKEN_OFF);
	without_memory_resume(NULL, NULL);
}

static void a_temporary_file_is_removed(void **state)
{
	char name[] = "/tmp/sendcp-unit.XXXXXX", said[100];
	int fd = mkstemp(name);

	assert_true(fd >= 0);
	close(fd);
	without_memory_remove(name);
	end_without_memory(allocate_nothing, said, sizeof(said));
	without_memory_remove(NULL);
	assert_int_equal(access(name, F_OK), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(arrays_grow_seldom),
		cmocka_unit_test(without_memory_an_array_stays),
		cmocka_unit_test(it_is_said_and_the_status_is_documented),
		cmocka_unit_test(a_library_that_ends_the_program_is_no_other_end),
		cmocka_unit_test(a_transfer_names_the_command_that_resumes),
		cmocka_unit_test(a_temporary_file_is_removed),
	};

	return cmocka_run_group_tests_name("cli_alloc", tests, NULL, NULL);
}
