// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Is a device in use by a mounted btrfs?
 *
 * /proc/self/mountinfo names one device of a filesystem only, so sysfs says which devices
 * belong to which mounted filesystem, and mountinfo only whether that filesystem may write.
 */
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "backend/internal.h"
#include "backend/storage.h"

#define SYSFS_BTRFS "/sys/fs/btrfs"
#define MOUNTINFO "/proc/self/mountinfo"
#define LINE_SIZE 8192u

int sendcp_shortage(void)
{
	return errno == EMFILE || errno == ENFILE || errno == ENOMEM ? -errno : 0;
}

int sendcp_read_sysfs_line(const char *dir, const char *name, char *line, size_t size)
{
	char path[PATH_MAX];
	FILE *file;
	bool ok;

	if (snprintf(path, sizeof(path), "%s/%s", dir, name) >= (int)sizeof(path))
		return 0;
	file = fopen(path, "re");
	if (!file)
		return sendcp_shortage();
	ok = fgets(line, (int)size, file);
	fclose(file);
	if (ok)
		line[strcspn(line, "\n")] = '\0';
	return ok;
}

/* 1: *@number is that of the block device that sysfs directory @dir describes. Else as above. */
static int device_number(const char *dir, dev_t *number)
{
	unsigned int major;
	unsigned int minor;
	char line[64];
	int ret = sendcp_read_sysfs_line(dir, "dev", line, sizeof(line));

	if (ret <= 0 || sscanf(line, "%u:%u", &major, &minor) != 2)
		return ret < 0 ? ret : 0;
	*number = makedev(major, minor);
	return 1;
}

/* Do the device that sysfs directory @dir describes and @wanted change each other? */
static int is_device(const char *dir, const struct storage *wanted)
{
	struct stat device = { .st_mode = S_IFBLK };
	struct storage storage;
	int ret = device_number(dir, &device.st_rdev);

	if (ret <= 0)
		return ret;
	ret = sendcp_storage_of_stat(&device, &storage);
	if (ret)
		return ret == -E2BIG ? 0 : ret;
	return sendcp_storage_relate(&storage, wanted) != STORAGE_APART;
}

/* Calls @match for each device directory of the mounted filesystem @fsid until it is not 0. */
static int any_device(const char *fsid, int (*match)(const char *dir, const void *argument),
		      const void *argument)
{
	char path[PATH_MAX];
	struct dirent *entry;
	int found = 0;
	DIR *dir;

	snprintf(path, sizeof(path), SYSFS_BTRFS "/%s/devices", fsid);
	dir = opendir(path);
	if (!dir)
		return sendcp_shortage();
	while (!found && (entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		if (snprintf(path, sizeof(path), SYSFS_BTRFS "/%s/devices/%s", fsid,
			     entry->d_name) < (int)sizeof(path))
			found = match(path, argument);
	}
	closedir(dir);
	return found;
}

static int match_storage(const char *dir, const void *argument)
{
	return is_device(dir, argument);
}

static int match_number(const char *dir, const void *argument)
{
	dev_t number = 0;
	int ret = device_number(dir, &number);

	return ret > 0 ? number == *(const dev_t *)argument : ret;
}

/*
 * Splits a mountinfo line of a btrfs: @source is its device's path, @options the superblock's.
 * False if it is of another type of filesystem. The line is cut to pieces.
 */
static bool parse_mount(char *line, char **source, char **options)
{
	char *at = strstr(line, " - btrfs ");
	char *space;

	if (!at)
		return false;
	at += strlen(" - btrfs ");
	space = strchr(at, ' ');
	if (!space)
		return false;
	*space = '\0';
	*source = at;
	*options = space + 1;
	return true;
}

static bool says_read_only(const char *options)
{
	return !strncmp(options, "ro", 2) && strchr(",\n", options[2]);
}

/*
 * Does mountinfo say that filesystem @fsid cannot write? A filesystem that sysfs shows but no line
 * here is mounted where we cannot see it, so it counts as writable.
 */
static bool is_read_only(const char *fsid)
{
	char line[LINE_SIZE];
	bool read_only = false;
	struct stat device;
	char *options;
	char *source;
	FILE *file = fopen(MOUNTINFO, "re");

	if (!file)
		return false;
	while (!read_only && fgets(line, sizeof(line), file)) {
		if (parse_mount(line, &source, &options) && !stat(source, &device) &&
		    S_ISBLK(device.st_mode) &&
		    any_device(fsid, match_number, &device.st_rdev) > 0)
			read_only = says_read_only(options);
	}
	fclose(file);
	return read_only;
}

int sendcp_mounted_state(int fd)
{
	struct storage wanted;
	struct dirent *entry;
	int state = sendcp_storage_of_fd(fd, &wanted);
	DIR *dir;

	if (state)
		return state == -E2BIG ? NOT_MOUNTED : state;
	dir = opendir(SYSFS_BTRFS);
	if (!dir)
		return sendcp_shortage();
	while (state == NOT_MOUNTED && (entry = readdir(dir))) {
		int found = entry->d_name[0] == '.' ? 0 :
			    any_device(entry->d_name, match_storage, &wanted);

		if (found < 0)
			state = found;
		else if (found)
			state = is_read_only(entry->d_name) ? MOUNTED_READ_ONLY : MOUNTED_WRITABLE;
	}
	closedir(dir);
	return state;
}
