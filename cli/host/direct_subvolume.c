// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Finding subvolumes of a mounted filesystem.
 *
 * A subvolume is held open as long as it is used: that keeps its tree on the disk even if somebody
 * deletes it meanwhile.
 */
#include <btrfsutil.h>
#include <fcntl.h>
#include <linux/btrfs.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "host/source.h"
#include "items/items.h"
#include "util/message.h"

_Static_assert(BTRFS_UUID_SIZE == SCP_UUID_SIZE, "uuids have one size");

static int get_info(struct subvolume *subvolume)
{
	struct btrfs_ioctl_get_subvol_info_args info;
	int ret;

	memset(&info, 0, sizeof(info));
	/* Kernels return 1 here for any subvolume but the top-level one; that is no error. */
	ret = ioctl(subvolume->fd, BTRFS_IOC_GET_SUBVOL_INFO, &info);
	if (ret < 0 && errno == ENOENT)
		return error_line("%s was deleted a moment ago", subvolume->spec);
	if (ret < 0)
		return error_line("%s: cannot ask for the subvolume's properties: %s",
				  subvolume->spec, strerror(errno));
	subvolume->id = info.treeid;
	subvolume->ctransid = info.ctransid;
	subvolume->readonly = info.flags & SCP_ROOT_READONLY;
	memcpy(subvolume->uuid, info.uuid, SCP_UUID_SIZE);
	memcpy(subvolume->parent_uuid, info.parent_uuid, SCP_UUID_SIZE);
	memcpy(subvolume->received_uuid, info.received_uuid, SCP_UUID_SIZE);
	return 0;
}

/* A received UUID can be set without a new transaction id, and is in the stream. */
int subvolume_unchanged(const struct subvolume *subvolume)
{
	struct subvolume now = { .fd = subvolume->fd, .spec = subvolume->spec };

	if (get_info(&now))
		return -1;
	if (now.ctransid == subvolume->ctransid && now.readonly == subvolume->readonly &&
	    !memcmp(now.received_uuid, subvolume->received_uuid, SCP_UUID_SIZE))
		return 0;
	return error_line("%s was changed a moment ago: run the same command again",
			  subvolume->spec);
}

/* The directory must be a subvolume's root, and of this very filesystem. */
static int check_place(const struct source *source, const struct subvolume *subvolume)
{
	struct btrfs_ioctl_fs_info_args info = { 0 };
	struct statfs fs;
	struct stat st;

	if (fstatfs(subvolume->fd, &fs) || fstat(subvolume->fd, &st))
		return error_line("cannot stat %s: %s", subvolume->spec, strerror(errno));
	if (fs.f_type != BTRFS_SUPER_MAGIC)
		return error_line("%s: not on a btrfs filesystem", subvolume->spec);
	if (st.st_ino != SCP_ROOT_DIR_ID)
		return error_line("%s: not a subvolume", subvolume->spec);
	if (ioctl(subvolume->fd, BTRFS_IOC_FS_INFO, &info))
		return error_line("%s: cannot ask for the filesystem's id: %s", subvolume->spec,
				  strerror(errno));
	if (memcmp(info.fsid, source_fsid(source), sizeof(info.fsid)))
		return error_line("%s: on another filesystem than the other subvolumes",
				  subvolume->spec);
	return 0;
}

/* Is what the kernel says of the subvolume what the disks said when the volume was read? */
static int is_on_disk(struct source *source, const struct subvolume *subvolume)
{
	struct scp_root_info info;
	int ret;

	ret = scp_root_info_get(source->volume, subvolume->id, &info);
	if (ret)
		return ret == -ENOENT ? 0 : ret;
	return info.ctransid == subvolume->ctransid &&
	       !(info.flags & SCP_ROOT_READONLY) == !subvolume->readonly &&
	       !memcmp(info.uuid, subvolume->uuid, SCP_UUID_SIZE);
}

/* Commits if need be, so that a snapshot made a moment ago is found on the disks. */
static int bring_to_disk(struct source *source, const struct subvolume *subvolume)
{
	int ret = is_on_disk(source, subvolume);

	if (!ret) {
		if (ioctl(subvolume->fd, BTRFS_IOC_SYNC) && errno != EROFS)
			return error_line("%s: cannot commit the filesystem: %s",
					  subvolume->spec, strerror(errno));
		ret = scp_volume_refresh(source->volume);
	}
	return ret < 0 ? subvolume_error(source, subvolume->spec) : 0;
}

/*
 * For an item without UUIDs, as kernels before 3.6 wrote it, the kernel makes one up, another one
 * whenever it reads the item. The item on the disk is the same every time.
 */
static int take_uuids(struct source *source, struct subvolume *subvolume)
{
	static const u8 none[SCP_UUID_SIZE];
	struct scp_root_info info;

	if (scp_root_info_get(source->volume, subvolume->id, &info))
		return subvolume_error(source, subvolume->spec);
	if (memcmp(info.uuid, none, sizeof(none)))
		return 0;
	memcpy(subvolume->uuid, info.uuid, SCP_UUID_SIZE);
	memcpy(subvolume->parent_uuid, info.parent_uuid, SCP_UUID_SIZE);
	memcpy(subvolume->received_uuid, info.received_uuid, SCP_UUID_SIZE);
	return 0;
}

/* Everything about the subvolume that subvolume->fd is. */
static int take_open(struct source *source, struct subvolume *subvolume)
{
	if (check_place(source, subvolume) || get_info(subvolume))
		return -1;
	return bring_to_disk(source, subvolume) ? -1 : take_uuids(source, subvolume);
}

int direct_find_subvolume(struct source *source, const char *spec, struct subvolume *out)
{
	if (subvolume_set_spec(out, spec))
		return -1;
	out->fd = open(spec, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (out->fd < 0 && errno == ENOTDIR)
		return error_line("%s: not a subvolume (not a directory)", spec);
	if (out->fd < 0)
		return error_line("cannot open %s: %s", spec, strerror(errno));
	return take_open(source, out);
}

/* A path from the top-level subvolume if it can be had, else "id:N": only for people to read. */
static int name_by_id(const struct source *source, u64 id, struct subvolume *out)
{
	char *path = NULL;
	char text[32];
	int ret;

	snprintf(text, sizeof(text), "id:%llu", id);
	if (btrfs_util_subvolume_path_fd(source->mount_fd, id, &path))
		path = NULL;
	ret = subvolume_set_spec(out, path && *path ? path : text);
	free(path);
	return ret;
}

/* By handle, since the subvolume may be where no mount point reaches. */
int direct_open_id(struct source *source, u64 id, struct subvolume *out)
{
	struct scp_inode directory;
	struct scp_tree tree;
	int ret;

	if (name_by_id(source, id, out))
		return -1;
	if (scp_tree_open(source->volume, id, false, &tree))
		return subvolume_error(source, out->spec);
	ret = scp_inode_get(&tree, SCP_ROOT_DIR_ID, &directory);
	if (ret == -ENOENT)
		return error_line("%s: the subvolume has no root directory", out->spec);
	if (ret)
		return subvolume_error(source, out->spec);
	out->fd = open_inode(source->mount_fd, id, SCP_ROOT_DIR_ID, directory.generation,
			     O_RDONLY | O_DIRECTORY);
	if (out->fd < 0) {
		ret = out->fd;
		out->fd = -1;
		return error_line("%s: cannot open the subvolume: %s", out->spec, strerror(-ret));
	}
	return take_open(source, out);
}
