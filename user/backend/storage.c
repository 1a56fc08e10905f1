// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Finding where the bytes of a file or block device are kept, by any of its names.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/loop.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "backend/internal.h"
#include "backend/storage.h"

/* A test has one of its own: no machine has all kinds of devices. */
#ifndef SYSFS_BLOCK
#define SYSFS_BLOCK "/sys/dev/block"
#endif
/* A loop device in a filesystem on a loop device and so on: the kernel has a limit, too. */
#define DEPTH_MAX 32u

static int add_block(struct storage *storage, dev_t number, unsigned int depth);

static int add_id(struct storage *storage, const struct storage_id *id)
{
	if (storage->count == STORAGE_MAX)
		return -E2BIG;
	storage->ids[storage->count++] = *id;
	return 0;
}

/* NOLINTNEXTLINE(misc-no-recursion): at most DEPTH_MAX deep. */
static int add_stat(struct storage *storage, const struct stat *st, unsigned int depth)
{
	const struct storage_id file = { .device = st->st_dev, .inode = st->st_ino };

	if (S_ISBLK(st->st_mode))
		return add_block(storage, st->st_rdev, depth);
	return S_ISREG(st->st_mode) ? add_id(storage, &file) : 0;
}

/* As sendcp_read_sysfs_line(), of @name in the sysfs directory of block device @number. */
static int read_attribute(dev_t number, const char *name, char *line, size_t size)
{
	char dir[PATH_MAX];

	snprintf(dir, sizeof(dir), SYSFS_BLOCK "/%u:%u", major(number), minor(number));
	return sendcp_read_sysfs_line(dir, name, line, size);
}

/* The number in the attribute @name, "MAJOR:MINOR"; likewise. */
static int read_number(dev_t number, const char *name, dev_t *out)
{
	unsigned int high, low;
	char line[64];
	int ret = read_attribute(number, name, line, sizeof(line));

	if (ret <= 0 || sscanf(line, "%u:%u", &high, &low) != 2)
		return ret < 0 ? ret : 0;
	*out = makedev(high, low);
	return 1;
}

/* Opens the device of that number by the name that the kernel gave it. */
static int open_block(dev_t number)
{
	char link[64], target[1024], path[PATH_MAX];
	const char *name;
	struct stat st;
	ssize_t length;
	int fd;

	snprintf(link, sizeof(link), SYSFS_BLOCK "/%u:%u", major(number), minor(number));
	length = readlink(link, target, sizeof(target) - 1);
	if (length <= 0)
		return -1;
	target[length] = '\0';
	name = strrchr(target, '/');
	snprintf(path, sizeof(path), "/dev/%s", name ? name + 1 : target);
	fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd >= 0 && (fstat(fd, &st) || !S_ISBLK(st.st_mode) || st.st_rdev != number)) {
		close(fd);
		return -1;
	}
	return fd;
}

/*
 * By number and inode: the file may have been renamed or removed, and its name may be another one's
 * by now.
 */
static bool ask_loop(dev_t number, struct stat *backing)
{
	struct loop_info64 info = { 0 };
	int fd = open_block(number);
	bool ok = fd >= 0 && !ioctl(fd, LOOP_GET_STATUS64, &info);

	if (fd >= 0)
		close(fd);
	*backing = (struct stat){
		.st_mode = info.lo_rdevice ? S_IFBLK : S_IFREG,
		.st_rdev = info.lo_rdevice,
		.st_dev = info.lo_device,
		.st_ino = info.lo_inode,
	};
	return ok;
}

/*
 * The file or device that the loop device @number is another name of. sysfs is believed where the
 * device may not be asked.
 */
static int loop_backing(dev_t number, struct stat *backing)
{
	char name[PATH_MAX];
	int ret = read_attribute(number, "loop/backing_file", name, sizeof(name));

	if (ret <= 0 || ask_loop(number, backing))
		return ret;
	return stat(name, backing) ? sendcp_shortage() : 1;
}

/* Adds the devices that device-mapper or md made @number of. */
/* NOLINTNEXTLINE(misc-no-recursion): at most DEPTH_MAX deep. */
static int add_slaves(struct storage *storage, dev_t number, unsigned int depth)
{
	char path[PATH_MAX];
	struct dirent *entry;
	dev_t slave;
	int ret = 0;
	DIR *dir;

	snprintf(path, sizeof(path), SYSFS_BLOCK "/%u:%u/slaves", major(number), minor(number));
	dir = opendir(path);
	if (!dir)
		return sendcp_shortage();
	while (!ret && (entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "slaves/%s/dev", entry->d_name);
		ret = read_number(number, path, &slave);
		if (ret > 0)
			ret = add_block(storage, slave, depth + 1);
	}
	closedir(dir);
	return ret;
}

/* Adds the disk that @number is a partition of, if it is one. */
/* NOLINTNEXTLINE(misc-no-recursion): at most DEPTH_MAX deep. */
static int add_disk(struct storage *storage, dev_t number, unsigned int depth)
{
	char line[32];
	dev_t disk;
	int ret = read_attribute(number, "partition", line, sizeof(line));

	if (ret > 0)
		ret = read_number(number, "../dev", &disk);
	return ret > 0 ? add_block(storage, disk, depth + 1) : ret;
}

/* NOLINTNEXTLINE(misc-no-recursion): at most DEPTH_MAX deep. */
static int add_block(struct storage *storage, dev_t number, unsigned int depth)
{
	const struct storage_id id = { .block = true, .device = number };
	struct stat backing;
	int ret;

	if (depth == DEPTH_MAX)
		return -E2BIG;
	ret = loop_backing(number, &backing);
	if (ret)
		return ret < 0 ? ret : add_stat(storage, &backing, depth + 1);
	ret = add_id(storage, &id);
	if (!ret)
		ret = add_disk(storage, number, depth);
	return ret ? ret : add_slaves(storage, number, depth);
}

int sendcp_storage_of_stat(const struct stat *st, struct storage *out)
{
	out->count = 0;
	return add_stat(out, st, 0);
}

int sendcp_storage_of_fd(int fd, struct storage *out)
{
	struct stat st;

	out->count = 0;
	/* cppcheck-suppress invalidFunctionArg ; -1 is an error that fstat reports */
	return fstat(fd, &st) ? -errno : sendcp_storage_of_stat(&st, out);
}

/* The index of @id in @list; ->count: it is not there. */
static unsigned int find_id(const struct storage *list, const struct storage_id *id)
{
	unsigned int i;

	for (i = 0; i < list->count; i++) {
		const struct storage_id *at = &list->ids[i];

		if (at->block == id->block && at->device == id->device && at->inode == id->inode)
			break;
	}
	return i;
}

/* Two partitions of a disk have that in common, and are apart: one has to be part of the other. */
enum storage_relation sendcp_storage_relate(const struct storage *first,
					    const struct storage *second)
{
	unsigned int at;

	if (!first->count || !second->count)
		return STORAGE_APART;
	at = find_id(second, &first->ids[0]);
	if (at < second->count)
		return at ? STORAGE_HOLDS : STORAGE_SAME;
	return find_id(first, &second->ids[0]) < first->count ? STORAGE_LIES_ON : STORAGE_APART;
}
