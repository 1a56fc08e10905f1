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
#include <sendcp/ondisk.h>
#include <sendcp/subvolume.h>

#include "backend/internal.h"

_Static_assert(BTRFS_UUID_SIZE == SENDCP_UUID_SIZE, "uuids have one size");

static int get_info(struct sendcp_subvolume *subvolume, struct sendcp_source_error *error)
{
	struct btrfs_ioctl_get_subvol_info_args info;
	int ret;

	memset(&info, 0, sizeof(info));
	/* Kernels return 1 here for any subvolume but the top-level one; that is no error. */
	ret = ioctl(subvolume->fd, BTRFS_IOC_GET_SUBVOL_INFO, &info);
	if (ret < 0 && errno == ENOENT)
		return sendcp_source_error_set(error, -ENOENT, "%s was deleted a moment ago",
					       subvolume->spec);
	if (ret < 0)
		return sendcp_source_error_set(error, -errno, "%s: cannot ask for the subvolume's "
					       "properties: %s", subvolume->spec, strerror(errno));
	subvolume->id = info.treeid;
	subvolume->ctransid = info.ctransid;
	subvolume->readonly = info.flags & SENDCP_ROOT_READONLY;
	memcpy(subvolume->uuid, info.uuid, SENDCP_UUID_SIZE);
	memcpy(subvolume->parent_uuid, info.parent_uuid, SENDCP_UUID_SIZE);
	memcpy(subvolume->received_uuid, info.received_uuid, SENDCP_UUID_SIZE);
	return 0;
}

/* A received UUID can be set without a new transaction id, and is part of the stream. */
int sendcp_subvolume_unchanged(const struct sendcp_subvolume *subvolume,
			       struct sendcp_source_error *error)
{
	struct sendcp_subvolume now = { .fd = subvolume->fd, .spec = subvolume->spec };
	int ret = get_info(&now, error);

	if (ret)
		return ret;
	if (now.ctransid == subvolume->ctransid && now.readonly == subvolume->readonly &&
	    !memcmp(now.received_uuid, subvolume->received_uuid, SENDCP_UUID_SIZE))
		return 0;
	return sendcp_source_error_set(error, -ESTALE,
				       "%s was changed a moment ago: run the same command " "again",
				       subvolume->spec);
}

/* The directory must be a subvolume's root, and of this very filesystem. */
static int check_place(struct sendcp_source *source, const struct sendcp_subvolume *subvolume)
{
	struct btrfs_ioctl_fs_info_args info = { 0 };
	struct statfs fs;
	struct stat st;

	if (fstatfs(subvolume->fd, &fs) || fstat(subvolume->fd, &st))
		return sendcp_source_fail_errno(source, "cannot stat %s", subvolume->spec);
	if (fs.f_type != BTRFS_SUPER_MAGIC)
		return sendcp_source_fail(source, -EMEDIUMTYPE, "%s: not on a btrfs filesystem",
					  subvolume->spec);
	if (st.st_ino != SENDCP_ROOT_DIR_ID)
		return sendcp_source_fail(source, -EINVAL, "%s: not a subvolume", subvolume->spec);
	if (ioctl(subvolume->fd, BTRFS_IOC_FS_INFO, &info))
		return sendcp_source_fail_errno(source, "%s: cannot ask for the filesystem's id",
						subvolume->spec);
	if (memcmp(info.fsid, sendcp_source_fsid(source), sizeof(info.fsid)))
		return sendcp_source_fail(source, -EXDEV,
					  "%s: on another filesystem than the other " "subvolumes",
					  subvolume->spec);
	return 0;
}

/* 1: the kernel says the same of the subvolume as the disks did when the volume was read. */
static int is_on_disk(struct sendcp_source *source, const struct sendcp_subvolume *subvolume)
{
	struct sendcp_subvolume_info info;
	int ret;

	ret = sendcp_subvolume_info(source->volume, subvolume->id, &info);
	if (ret)
		return ret == -ENOENT ? 0 : ret;
	return info.ctransid == subvolume->ctransid && info.readonly == subvolume->readonly &&
	       !memcmp(info.uuid, subvolume->uuid, SENDCP_UUID_SIZE);
}

/* Commits if need be, so that a snapshot made a moment ago is found on the disks. */
static int bring_to_disk(struct sendcp_source *source, const struct sendcp_subvolume *subvolume)
{
	int ret = is_on_disk(source, subvolume);

	if (!ret) {
		if (ioctl(subvolume->fd, BTRFS_IOC_SYNC) && errno != EROFS)
			return sendcp_source_fail_errno(source, "%s: cannot commit the filesystem",
							subvolume->spec);
		ret = sendcp_volume_refresh(source->volume);
	}
	return ret < 0 ? sendcp_source_fail_volume(source, subvolume->spec) : 0;
}

/*
 * For an item without UUIDs, as kernels before 3.6 wrote it, the kernel makes one up, another one
 * whenever it reads the item. The item on the disk is the same every time.
 */
static int adopt_uuids(struct sendcp_source *source, struct sendcp_subvolume *subvolume)
{
	static const u8 none[SENDCP_UUID_SIZE];
	struct sendcp_subvolume_info info;
	int ret = sendcp_subvolume_info(source->volume, subvolume->id, &info);

	if (ret == -ENOENT)
		return sendcp_source_fail(source, ret, "%s was deleted a moment ago",
					  subvolume->spec);
	if (ret)
		return sendcp_source_fail_volume(source, subvolume->spec);
	if (memcmp(info.uuid, none, sizeof(none)))
		return 0;
	memcpy(subvolume->uuid, info.uuid, SENDCP_UUID_SIZE);
	memcpy(subvolume->parent_uuid, info.parent_uuid, SENDCP_UUID_SIZE);
	memcpy(subvolume->received_uuid, info.received_uuid, SENDCP_UUID_SIZE);
	return 0;
}

/* Everything about the subvolume that subvolume->fd is. */
static int describe(struct sendcp_source *source, struct sendcp_subvolume *subvolume)
{
	int ret = check_place(source, subvolume);

	if (!ret)
		ret = get_info(subvolume, &source->error);
	if (!ret)
		ret = bring_to_disk(source, subvolume);
	return ret ? ret : adopt_uuids(source, subvolume);
}

int sendcp_direct_find_subvolume(struct sendcp_source *source, const char *spec,
				 struct sendcp_subvolume *out)
{
	int ret = sendcp_subvolume_set_spec(source, out, spec);

	if (ret)
		return ret;
	out->fd = open(spec, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (out->fd < 0 && errno == ENOTDIR)
		return sendcp_source_fail(source, -ENOTDIR, "%s: not a subvolume (not a directory)",
					  spec);
	if (out->fd < 0)
		return sendcp_source_fail_errno(source, "cannot open %s", spec);
	return describe(source, out);
}

/* A path from the top-level subvolume if it can be had, else "id:N": only for people to read. */
static int name_by_id(struct sendcp_source *source, u64 id, struct sendcp_subvolume *out)
{
	char *path = NULL;
	char text[32];
	int ret;

	snprintf(text, sizeof(text), "id:%llu", id);
	if (btrfs_util_subvolume_path_fd(source->mount_fd, id, &path))
		path = NULL;
	ret = sendcp_subvolume_set_spec(source, out, path && *path ? path : text);
	free(path);
	return ret;
}

/* By handle, since no mount point may reach the subvolume. */
int sendcp_direct_open_id(struct sendcp_source *source, u64 id, struct sendcp_subvolume *out)
{
	u64 generation;
	int ret = name_by_id(source, id, out);

	if (ret)
		return ret;
	ret = sendcp_subvolume_root_generation(source->volume, id, &generation);
	if (ret == -ENOENT)
		return sendcp_source_fail(source, ret, "%s was deleted a moment ago", out->spec);
	if (ret)
		return sendcp_source_fail_volume(source, out->spec);
	out->fd = sendcp_open_by_handle(source->mount_fd, id, SENDCP_ROOT_DIR_ID, generation,
					O_RDONLY | O_DIRECTORY);
	if (out->fd < 0) {
		ret = out->fd;
		out->fd = -1;
		return sendcp_source_fail(source, ret, "%s: cannot open the subvolume: %s",
					  out->spec, strerror(-ret));
	}
	return describe(source, out);
}
