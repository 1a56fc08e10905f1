// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Files to be sent, with contents that do not compress; the same ones in every run.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BLOCK (1u << 20)
#define FILES_PER_DIRECTORY 200u
/* Small files are of any size below this: some inline, most of a few sectors. */
#define SMALL_MAX (12u << 10)

static uint64_t state = 88172645463325252ULL;
static uint64_t block[BLOCK / sizeof(uint64_t)];

static uint64_t next_random(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

static void fail(const char *path)
{
	fprintf(stderr, "populate: %s: %s\n", path, strerror(errno));
	exit(1);
}

static void write_file(const char *path, uint64_t size)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
	size_t run, i;

	if (fd < 0)
		fail(path);
	for (; size; size -= run) {
		run = size < BLOCK ? size : BLOCK;
		for (i = 0; i < (run + 7) / 8; i++)
			block[i] = next_random();
		if (write(fd, block, run) != (ssize_t)run)
			fail(path);
	}
	if (close(fd))
		fail(path);
}

static void make_large(uint64_t mib, unsigned int files)
{
	char path[64];
	unsigned int i;

	for (i = 0; i < files; i++) {
		snprintf(path, sizeof(path), "large%u", i);
		write_file(path, (mib << 20) / files);
	}
}

static void make_small(unsigned int files)
{
	char path[64];
	unsigned int i;

	for (i = 0; i < files; i++) {
		snprintf(path, sizeof(path), "d%u", i / FILES_PER_DIRECTORY);
		if (i % FILES_PER_DIRECTORY == 0 && mkdir(path, 0755))
			fail(path);
		snprintf(path, sizeof(path), "d%u/file%u", i / FILES_PER_DIRECTORY, i);
		write_file(path, next_random() % SMALL_MAX);
	}
}

int main(int argc, char **argv)
{
	if (argc == 5 && !strcmp(argv[1], "large") && !chdir(argv[2]) && atoi(argv[4]) > 0) {
		make_large(strtoull(argv[3], NULL, 10), (unsigned int)atoi(argv[4]));
	} else if (argc == 4 && !strcmp(argv[1], "small") && !chdir(argv[2])) {
		make_small((unsigned int)atoi(argv[3]));
	} else {
		fputs("usage: populate large DIRECTORY MIB FILES\n"
		      "       populate small DIRECTORY FILES\n", stderr);
		return 2;
	}
	return 0;
}
