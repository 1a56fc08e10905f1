// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The memory that is left, from trees like those of cgroups and /proc.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <unistd.h>

/* The file itself is tried, with other places for the trees: the working directory. */
#define CGROUP_ROOT "cgroup"
#define PROC "proc"
#include "util/memory.c"

#define MIB (1ULL << 20)

static char directory[] = "/tmp/sendcp-unit.XXXXXX";

__attribute__((format(printf, 1, 2)))
static void run(const char *fmt, ...)
{
	char command[1000];
	va_list args;

	va_start(args, fmt);
	vsnprintf(command, sizeof(command), fmt, args);
	va_end(args);
	assert_int_equal(system(command), 0);
}

/* The files @limit and @usage of the group @group. */
static void set(const char *group, const char *limit, u64 limited, const char *usage, u64 used)
{
	run("echo %llu >cgroup/%s/%s; echo %llu >cgroup/%s/%s", limited, group, limit, used, group,
	    usage);
}

static int set_up(void **state)
{
	strcpy(strrchr(directory, '.') + 1, "XXXXXX");
	if (!mkdtemp(directory) || chdir(directory))
		return -1;
	run("mkdir -p proc/self cgroup/memory/a/b cgroup/x/y");
	return 0;
}

static int tear_down(void **state)
{
	char command[100];

	snprintf(command, sizeof(command), "rm -r %s", directory);
	return chdir("/") || system(command);
}

static void without_limits_nothing_is_known(void **state)
{
	assert_int_equal(memory_left(), MEMORY_UNLIMITED);
	run("echo '0::/x/y' >proc/self/cgroup; echo max >cgroup/x/y/memory.max");
	run("echo 1 >cgroup/x/y/memory.current");
	assert_int_equal(memory_left(), MEMORY_UNLIMITED);
	run("printf '0::\\nrubbish\\n:::\\n5:memory:relative\\n' >proc/self/cgroup");
	assert_int_equal(memory_left(), MEMORY_UNLIMITED);
}

static void each_group_above_limits(void **state)
{
	run("echo '0::/x/y' >proc/self/cgroup");
	set("x", "memory.max", 100 * MIB, "memory.current", 40 * MIB);
	assert_int_equal(memory_left(), 60 * MIB);
	set("x/y", "memory.max", 30 * MIB, "memory.current", 5 * MIB);
	assert_int_equal(memory_left(), 25 * MIB);
	/* A group whose directory cannot be seen is limited by those above it all the same. */
	run("echo '0::/x/y/z' >proc/self/cgroup");
	assert_int_equal(memory_left(), 25 * MIB);
	run("echo %llu >cgroup/x/memory.current", 101 * MIB);
	assert_int_equal(memory_left(), 0);
}

static void the_page_cache_counts_as_free(void **state)
{
	run("printf '7:memory,x:/a/b\\n3:memoryx:/a\\n' >proc/self/cgroup");
	run("echo %llu >cgroup/memory/a/b/memory.limit_in_bytes", 64 * MIB);
	run("echo %llu >cgroup/memory/a/b/memory.usage_in_bytes", 60 * MIB);
	assert_int_equal(memory_left(), 4 * MIB);
	run("printf 'cache 1\\ntotal_active_file %llu\\ntotal_inactive_file %llu\\n' "
	    ">cgroup/memory/a/b/memory.stat", 10 * MIB, 20 * MIB);
	assert_int_equal(memory_left(), 34 * MIB);
}

/* A walk through very many files fills a group with their inodes, which make room. */
static void inodes_that_are_kept_count_as_free(void **state)
{
	run("echo '0::/x' >proc/self/cgroup");
	set("x", "memory.max", 64 * MIB, "memory.current", 64 * MIB);
	assert_int_equal(memory_left(), 0);
	run("printf 'active_file %llu\\nslab_reclaimable %llu\\nslab_unreclaimable %llu\\n' "
	    ">cgroup/x/memory.stat", 10 * MIB, 30 * MIB, 5 * MIB);
	assert_int_equal(memory_left(), 40 * MIB);
}

static void the_machine_limits_with_its_swap(void **state)
{
	run("printf 'MemTotal: 9 kB\\nMemAvailable:  2048 kB\\nSwapFree: 1024 kB\\n' "
	    ">proc/meminfo");
	assert_int_equal(memory_left(), 3 * MIB);
}

static void a_limit_on_addresses_counts(void **state)
{
	const u64 page = (u64)sysconf(_SC_PAGESIZE);
	struct rlimit before, limit;

	getrlimit(RLIMIT_AS, &before);
	limit = before;
	limit.rlim_cur = 4096 * MIB;
	run("echo %llu 0 0 0 0 0 0 >proc/self/statm", 96 * MIB / page);
	assert_int_equal(setrlimit(RLIMIT_AS, &limit), 0);
	assert_int_equal(memory_left(), 4000 * MIB);
	assert_int_equal(setrlimit(RLIMIT_AS, &before), 0);
}

static void sizes_are_rounded_up(void **state)
{
	assert_int_equal(memory_mib(0), 0);
	assert_int_equal(memory_mib(1), 1);
	assert_int_equal(memory_mib(MIB), 1);
	assert_int_equal(memory_mib(MIB + 1), 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(without_limits_nothing_is_known),
		TEST(each_group_above_limits),
		TEST(the_page_cache_counts_as_free),
		TEST(inodes_that_are_kept_count_as_free),
		TEST(the_machine_limits_with_its_swap),
		TEST(a_limit_on_addresses_counts),
		cmocka_unit_test(sizes_are_rounded_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
