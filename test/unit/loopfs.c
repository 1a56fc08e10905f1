// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * btrfs filesystems on loop devices.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "loopfs.h"

#define SCRIPT_SIZE 16384
#define LOOPFS_MAX 8

/* Runs a script; its exit status. */
static int shell(const char *dir, const char *script)
{
	char *command;
	int ret;

	assert_true(asprintf(&command, "cd '%s' && set -e && { %s\n}", dir, script) > 0);
	ret = system(command);
	free(command);
	return ret;
}

static const char *find_missing(void)
{
	if (geteuid())
		return "root";
	if (access("/dev/loop-control", F_OK))
		return "loop devices (/dev/loop-control)";
	if (system("command -v mkfs.btrfs losetup >/dev/null"))
		return "mkfs.btrfs and losetup";
	if (system("grep -qw btrfs /proc/filesystems || modprobe btrfs 2>/dev/null"))
		return "a kernel with btrfs";
	return NULL;
}

const char *loopfs_missing(void)
{
	static const char *missing;
	static bool known;

	if (!known)
		missing = find_missing();
	known = true;
	return missing;
}

bool loopfs_skip(void)
{
	if (!loopfs_missing())
		return false;
	printf("skipped: needs %s\n", loopfs_missing());
	return true;
}

void loopfs_run(struct loopfs *fs, const char *fmt, ...)
{
	char script[SCRIPT_SIZE];
	va_list args;
	int size;

	va_start(args, fmt);
	size = vsnprintf(script, sizeof(script), fmt, args);
	va_end(args);
	assert_in_range(size, 0, sizeof(script) - 1);
	if (shell(fs->mounted ? fs->mount : fs->dir, script))
		fail_msg("script failed: %s", script);
}

/* Attaches image @index to a loop device. */
static void attach(struct loopfs *fs, unsigned int index)
{
	char command[256];
	FILE *pipe;

	snprintf(command, sizeof(command), "losetup -f --show '%s'", fs->images[index]);
	pipe = popen(command, "r");
	assert_non_null(pipe);
	assert_non_null(fgets(fs->loops[index], sizeof(fs->loops[index]), pipe));
	assert_int_equal(pclose(pipe), 0);
	fs->loops[index][strcspn(fs->loops[index], "\n")] = '\0';
}

/* Filesystems that a failed test left are destroyed at the latest when the program ends. */
static struct loopfs *alive[LOOPFS_MAX];

static void destroy_all(void)
{
	size_t i;

	for (i = 0; i < LOOPFS_MAX; i++) {
		if (alive[i])
			loopfs_destroy(alive[i]);
	}
}

static void remember(struct loopfs *fs)
{
	static bool registered;
	size_t i;

	if (!registered)
		atexit(destroy_all);
	registered = true;
	for (i = 0; i < LOOPFS_MAX && alive[i]; i++)
		assert_ptr_not_equal(alive[i], fs);
	assert_true(i < LOOPFS_MAX);
	/* cppcheck-suppress arrayIndexOutOfBounds ; asserted above */
	alive[i] = fs;
}

static void forget(const struct loopfs *fs)
{
	size_t i;

	for (i = 0; i < LOOPFS_MAX; i++) {
		if (alive[i] == fs)
			alive[i] = NULL;
	}
}

void loopfs_make(struct loopfs *fs, unsigned int count, unsigned int megabytes,
		 const char *options)
{
	const char *tmp = getenv("TMPDIR");
	char devices[512] = "";
	unsigned int i;

	loopfs_destroy(fs);
	memset(fs, 0, sizeof(*fs));
	remember(fs);
	snprintf(fs->dir, sizeof(fs->dir), "%s/sendcp-test-XXXXXX", tmp ? tmp : "/tmp");
	assert_non_null(mkdtemp(fs->dir));
	snprintf(fs->mount, sizeof(fs->mount), "%s/mnt", fs->dir);
	assert_int_equal(mkdir(fs->mount, 0700), 0);
	fs->count = count;
	for (i = 0; i < count; i++) {
		snprintf(fs->images[i], sizeof(fs->images[i]), "%s/%u.img", fs->dir, i);
		loopfs_run(fs, "truncate -s %uM '%s'", megabytes, fs->images[i]);
		attach(fs, i);
		strcat(devices, fs->loops[i]);
		strcat(devices, " ");
	}
	loopfs_run(fs, "mkfs.btrfs -q -f %s %s > mkfs.log 2>&1 || { cat mkfs.log >&2; false; }",
		   options, devices);
	loopfs_run(fs, "btrfs device scan %s >/dev/null 2>&1 || true", devices);
}

void loopfs_mount(struct loopfs *fs, const char *options)
{
	unsigned int i;

	for (i = 0; i < fs->count; i++) {
		if (!fs->loops[i][0])
			continue;
		loopfs_run(fs, "mount -t btrfs -o '%s' %s '%s'", *options ? options : "defaults",
			   fs->loops[i], fs->mount);
		break;
	}
	fs->mounted = true;
}

void loopfs_unmount(struct loopfs *fs)
{
	fs->mounted = false;
	loopfs_run(fs, "umount '%s'", fs->mount);
}

void loopfs_detach(struct loopfs *fs, unsigned int index)
{
	if (!fs->loops[index][0])
		return;
	loopfs_run(fs, "btrfs device scan -u %s >/dev/null 2>&1 || true", fs->loops[index]);
	loopfs_run(fs, "losetup -d %s", fs->loops[index]);
	fs->loops[index][0] = '\0';
}

void loopfs_destroy(struct loopfs *fs)
{
	char command[256];
	unsigned int i;

	if (!fs->dir[0])
		return;
	forget(fs);
	/* No assertions: this also runs after a test has failed half-way. */
	snprintf(command, sizeof(command), "umount '%s' 2>/dev/null", fs->mount);
	if (fs->mounted && system(command))
		fprintf(stderr, "cannot unmount %s\n", fs->mount);
	for (i = 0; i < fs->count; i++) {
		snprintf(command, sizeof(command),
			 "btrfs device scan -u %s >/dev/null 2>&1; losetup -d %s", fs->loops[i],
			 fs->loops[i]);
		if (fs->loops[i][0] && system(command))
			fprintf(stderr, "cannot detach %s\n", fs->loops[i]);
	}
	snprintf(command, sizeof(command), "rm -rf --one-file-system '%s'", fs->dir);
	if (system(command))
		fprintf(stderr, "cannot remove %s\n", fs->dir);
	memset(fs, 0, sizeof(*fs));
}

unsigned int loopfs_corrupt(struct loopfs *fs, unsigned int index, const void *pattern, size_t size,
			    size_t distance)
{
	int fd = open(fs->images[index], O_RDWR | O_CLOEXEC);
	unsigned int places = 0;
	unsigned char *map;
	unsigned char *at;
	struct stat st;

	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &st), 0);
	map = mmap(NULL, (size_t)st.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	assert_ptr_not_equal(map, MAP_FAILED);
	for (at = map; (at = memmem(at, (size_t)(map + st.st_size - at), pattern, size)); at++) {
		at[distance] ^= 0xff;
		places++;
	}
	munmap(map, (size_t)st.st_size);
	fsync(fd);
	close(fd);
	return places;
}
