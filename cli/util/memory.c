// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * How much memory this process may still take.
 *
 * A resource limit makes malloc() fail; a cgroup's, and the machine's, kill. What cannot be read
 * limits nothing: the values are for choosing sizes, and every allocation is checked all the same.
 */
#include <limits.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "util/memory.h"
#include "util/message.h"

/* A test has files of its own. */
#ifndef CGROUP_ROOT
#define CGROUP_ROOT "/sys/fs/cgroup"
#define PROC "/proc"
#endif

/* The number in the file @name of @dir. False: there is none, as in "max". */
static bool read_number(const char *dir, const char *name, u64 *value)
{
	char path[PATH_MAX + 64];
	FILE *file;
	bool ok;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	file = fopen(path, "re");
	if (!file)
		return false;
	ok = fscanf(file, "%llu", value) == 1;
	fclose(file);
	return ok;
}

/* At most as many lines are added up. */
#define SUMMED 3

static bool is_among(const char *word, const char *const names[SUMMED])
{
	for (unsigned int i = 0; i < SUMMED && names[i]; i++)
		if (!strcmp(word, names[i]))
			return true;
	return false;
}

/* The sum of the lines of a file that begin with one of @names and a number. */
static u64 read_sum(const char *dir, const char *name, const char *const names[SUMMED])
{
	char path[PATH_MAX + 64], word[64];
	u64 value, sum = 0;
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	file = fopen(path, "re");
	while (file && fscanf(file, "%63s %llu%*[^\n]", word, &value) >= 1) {
		if (is_among(word, names))
			sum += value;
		value = 0;
	}
	if (file)
		fclose(file);
	return sum;
}

static u64 difference(u64 limit, u64 used)
{
	return limit > used ? limit - used : 0;
}

struct cgroup_names {
	/* Below CGROUP_ROOT. */
	const char *hierarchy;
	const char *limit;
	const char *usage;
	/* In memory.stat: what the kernel takes back; version 1 does not say it of inodes. */
	const char *cache[SUMMED];
};

static const struct cgroup_names version_1 = {
	"/memory", "memory.limit_in_bytes", "memory.usage_in_bytes",
	{ "total_inactive_file", "total_active_file" },
};

static const struct cgroup_names version_2 = {
	"", "memory.max", "memory.current",
	{ "inactive_file", "active_file", "slab_reclaimable" },
};

static u64 left_in_group(const struct cgroup_names *names, const char *dir)
{
	u64 limit, usage, cache;

	if (!read_number(dir, names->limit, &limit) || !read_number(dir, names->usage, &usage))
		return MEMORY_UNLIMITED;
	cache = read_sum(dir, "memory.stat", names->cache);
	return difference(limit, difference(usage, cache));
}

/* Each group above it limits it, too. */
static u64 left_in_groups(const struct cgroup_names *names, const char *group)
{
	char dir[PATH_MAX];
	size_t root = (size_t)snprintf(dir, sizeof(dir), CGROUP_ROOT "%s", names->hierarchy);
	u64 left;

	snprintf(dir + root, sizeof(dir) - root, "%s", group);
	left = left_in_group(names, dir);
	while (strlen(dir) > root) {
		*strrchr(dir, '/') = '\0';
		left = sendcp_min(left, left_in_group(names, dir));
	}
	return left;
}

/* "memory" alone, or between commas. */
static bool has_memory(const char *controllers)
{
	const char *at = strstr(controllers, "memory");

	return at && (at == controllers || at[-1] == ',') && strchr(",", at[strlen("memory")]);
}

static u64 left_in_cgroups(void)
{
	FILE *file = fopen(PROC "/self/cgroup", "re");
	u64 left = MEMORY_UNLIMITED;
	char line[PATH_MAX];

	/* "4:memory:/group", "0::/group" */
	while (file && fgets(line, sizeof(line), file)) {
		char *controllers = strchr(line, ':');
		char *group = controllers ? strchr(controllers + 1, ':') : NULL;

		if (!group || group[1] != '/')
			continue;
		*group++ = '\0';
		group[strcspn(group, "\n")] = '\0';
		if (has_memory(controllers + 1))
			left = sendcp_min(left, left_in_groups(&version_1, group));
		else if (!controllers[1])
			left = sendcp_min(left, left_in_groups(&version_2, group));
	}
	if (file)
		fclose(file);
	return left;
}

static u64 left_of_limit(int resource, u64 used)
{
	struct rlimit limit;

	if (getrlimit(resource, &limit) || limit.rlim_cur == RLIM_INFINITY)
		return MEMORY_UNLIMITED;
	return difference(limit.rlim_cur, used);
}

static u64 left_of_limits(void)
{
	FILE *file = fopen(PROC "/self/statm", "re");
	u64 page = (u64)sysconf(_SC_PAGESIZE), size = 0, data = 0;

	if (!file)
		return MEMORY_UNLIMITED;
	if (fscanf(file, "%llu %*u %*u %*u %*u %llu", &size, &data) != 2)
		size = data = 0;
	fclose(file);
	return sendcp_min(left_of_limit(RLIMIT_AS, size * page),
			  left_of_limit(RLIMIT_DATA, data * page));
}

static u64 left_of_machine(void)
{
	static const char *const names[SUMMED] = { "MemAvailable:", "SwapFree:" };
	static const char *const known[SUMMED] = { "MemAvailable:", "MemAvailable:" };
	u64 kib = read_sum(PROC, "meminfo", names);

	/* Swap alone is not what there is. */
	return kib && read_sum(PROC, "meminfo", known) ? kib << 10 : MEMORY_UNLIMITED;
}

u64 memory_left(void)
{
	return sendcp_min(sendcp_min(left_of_limits(), left_in_cgroups()), left_of_machine());
}

u64 memory_mib(u64 bytes)
{
	return (bytes >> 20) + !!(bytes & ((1u << 20) - 1));
}

void *memory_take(u64 size, const char *what)
{
	u64 left = memory_left();
	void *taken = size <= left ? malloc(size ? size : 1) : NULL;

	if (!taken)
		error_line("out of memory for %s: %llu MiB are needed, %llu MiB are available",
			   what, memory_mib(size), memory_mib(left));
	return taken;
}

void memory_begin(void)
{
	if (left_of_limit(RLIMIT_AS, 0) != MEMORY_UNLIMITED)
		mallopt(M_ARENA_MAX, 1);
}
