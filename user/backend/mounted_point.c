// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Finding a mount point of a btrfs by its id.
 */
#include <errno.h>
#include <fcntl.h>
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
	struct mntent *entry;
	char *found = NULL;

	while (mounts && !found && (entry = getmntent(mounts))) {
		unsigned char here[16];

		if (!strcmp(entry->mnt_type, "btrfs") && !sendcp_mounted_fsid(entry->mnt_dir,
									      here) &&
		    !memcmp(here, fsid, sizeof(here)))
			found = strdup(entry->mnt_dir);
	}
	if (mounts)
		endmntent(mounts);
	return found;
}
