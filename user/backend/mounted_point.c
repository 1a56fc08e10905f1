// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Finding a mount point of a btrfs by its id.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/btrfs.h>
#include <linux/magic.h>
#include <mntent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/vfs.h>
#include <unistd.h>
#include <sendcp/source.h>

int sendcp_mounted_fsid(const char *path, unsigned char fsid[16])
{
	struct btrfs_ioctl_fs_info_args info = { 0 };
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct statfs fs;
	int ret = 0;

	if (fd < 0)
		return -errno;
	if (fstatfs(fd, &fs) || (fs.f_type == BTRFS_SUPER_MAGIC &&
				 ioctl(fd, BTRFS_IOC_FS_INFO, &info)))
		ret = -errno;
	else if (fs.f_type != BTRFS_SUPER_MAGIC)
		ret = -EMEDIUMTYPE;
	close(fd);
	memcpy(fsid, info.fsid, sizeof(info.fsid));
	return ret;
}

/* Another mount may cover it, so the filesystem found there is checked. */
char *sendcp_mounted_point(const unsigned char fsid[16])
{
	FILE *mounts = setmntent("/proc/self/mounts", "re");
	/* Paths have up to four characters for a byte there, and a line has two. */
	char line[8 * PATH_MAX];
	struct mntent entry;
	char *found = NULL;

	/* The form without _r has one entry for all threads. */
	while (mounts && !found && getmntent_r(mounts, &entry, line, sizeof(line))) {
		unsigned char here[16];

		if (!strcmp(entry.mnt_type, "btrfs") && !sendcp_mounted_fsid(entry.mnt_dir, here) &&
		    !memcmp(here, fsid, sizeof(here)))
			found = strdup(entry.mnt_dir);
	}
	if (mounts)
		endmntent(mounts);
	return found;
}
