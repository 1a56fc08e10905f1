// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The direct host: a mounted filesystem. Metadata is read from its devices past their page cache,
 * which knows nothing of what btrfs wrote; file data is read through the filesystem itself.
 */
#include <fcntl.h>
#include <linux/btrfs.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/vfs.h>
#include <unistd.h>
#include <sendcp/ondisk.h>

#include "backend/device_queue.h"
#include "backend/internal.h"

/* Of opening a filesystem whose devices change meanwhile. */
#define OPEN_TRIES 5

struct direct_reader {
	struct device_queue *queue;
	/* The file opened last. */
	int fd;
	u64 root;
	u64 inode;
	u64 generation;
	/* A root directory, and whose; -1: none. */
	int root_fd;
	u64 root_of;
};

static int direct_read(void *host, struct sendcp_io *ios, unsigned int count)
{
	struct sendcp_source *source = host;

	sendcp_device_queue_read(source->direct->queue, &source->devices, ios, count,
				 source->interrupt);
	return 0;
}

/*
 * The kernel has verified the data and tried all copies by the time it says EIO, so the place in
 * the file is all there is to add.
 */
static int file_error(struct sendcp_error *error, const struct sendcp_file_range *range, u64 offset,
		      int err)
{
	sendcp_error_clear(error);
	error->reason = SENDCP_ERR_DATA_READ;
	if (err == -EINTR)
		error->reason = SENDCP_ERR_INTERRUPTED;
	error->err = err;
	error->root = range->root;
	error->inode = range->inode;
	error->offset = offset;
	return err;
}

/*
 * Makes direct->fd the file of @range. One file is kept open: a send reads a file to its end
 * before it comes to the next one.
 */
static int open_file(struct sendcp_source *source, const struct sendcp_file_range *range)
{
	struct direct_reader *direct = source->direct;
	int fd;

	if (direct->fd >= 0 && direct->root == range->root &&
	    direct->inode == range->inode && direct->generation == range->generation)
		return 0;
	if (direct->fd >= 0)
		close(direct->fd);
	direct->fd = -1;
	fd = sendcp_open_by_handle(source->mount_fd, range->root, range->inode, range->generation,
				   O_RDONLY | O_NOATIME | O_NONBLOCK);
	if (fd < 0)
		return fd;
	posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
	direct->fd = fd;
	direct->root = range->root;
	direct->inode = range->inode;
	direct->generation = range->generation;
	return 0;
}

/*
 * Through the page cache, straight to where the stream is being built. The filesystem finds the
 * contents of the snapshot even while balance moves them.
 */
static int direct_read_file(void *host, const struct sendcp_file_range *range, void *buffer,
			    struct sendcp_error *error)
{
	struct sendcp_source *source = host;
	u64 done = 0;
	int ret;

	ret = open_file(source, range);
	if (ret)
		return file_error(error, range, range->offset, ret);
	while (done < range->length) {
		ssize_t got = pread(source->direct->fd, (u8 *)buffer + done, range->length - done,
				    (off_t)(range->offset + done));

		if (got < 0 && errno == EINTR && !sendcp_source_interrupted(source))
			continue;
		/* A read-only snapshot's file that ends early is no longer what its inode says. */
		if (got <= 0)
			return file_error(error, range, range->offset + done,
					  got ? -errno : -EIO);
		done += got;
	}
	return 0;
}

/*
 * An ioctl that ends with EINTR, from a signal that is nobody's wish to stop, is made again: the
 * engine takes it for such a wish.
 */
static int ask(int fd, unsigned long request, void *argument)
{
	int ret;

	do
		ret = ioctl(fd, request, argument);
	while (ret < 0 && errno == EINTR);
	return ret;
}

/* This one also writes dirty pages out first: before that a write leaves no trace in the trees. */
static int direct_commit(void *host)
{
	const struct sendcp_source *source = host;

	return !ask(source->mount_fd, BTRFS_IOC_SYNC, NULL) || errno == EROFS ? 0 : -errno;
}

/* The root directory of the subvolume asked for last is kept open. */
static int open_root(struct sendcp_source *source, u64 root, u64 generation)
{
	struct direct_reader *direct = source->direct;

	if (direct->root_fd >= 0 && direct->root_of == root)
		return 0;
	if (direct->root_fd >= 0)
		close(direct->root_fd);
	direct->root_fd = sendcp_open_by_handle(source->mount_fd, root, SENDCP_ROOT_DIR_ID,
						generation, O_RDONLY | O_DIRECTORY | O_NOATIME);
	direct->root_of = root;
	return direct->root_fd < 0 ? direct->root_fd : 0;
}

/* The ioctl says ENOENT of a subvolume that was deleted and is still open. */
static int direct_look(void *host, u64 root, u64 generation, struct sendcp_mounted_subvolume *now)
{
	struct btrfs_ioctl_get_subvol_info_args info = { 0 };
	struct sendcp_source *source = host;
	int ret;

	ret = open_root(source, root, generation);
	if (ret)
		return ret;
	/* Kernels return 1 here for any subvolume but the top-level one; that is no error. */
	if (ask(source->direct->root_fd, BTRFS_IOC_GET_SUBVOL_INFO, &info) < 0)
		return errno == ENOENT ? -ESTALE : -errno;
	now->flags = info.flags;
	now->ctransid = info.ctransid;
	now->otransid = info.otransid;
	memcpy(now->uuid, info.uuid, sizeof(now->uuid));
	return 0;
}

static void direct_release(struct sendcp_source *source)
{
	if (!source->direct)
		return;
	if (source->direct->fd >= 0)
		close(source->direct->fd);
	if (source->direct->root_fd >= 0)
		close(source->direct->root_fd);
	sendcp_device_queue_free(source->direct->queue);
	free(source->direct);
}

static int direct_reopen(const struct sendcp_source *source, struct sendcp_source **out,
			 struct sendcp_source_error *error);

static const struct source_kind direct_kind = {
	.name = "direct",
	.host = {
		.read = direct_read,
		.read_file = direct_read_file,
		.decompress = sendcp_source_host_decompress,
		.interrupted = sendcp_source_host_interrupted,
		.warn = sendcp_source_host_warn,
		.commit = direct_commit,
		.look = direct_look,
	},
	.reopen = direct_reopen,
	.find_subvolume = sendcp_direct_find_subvolume,
	.open_id = sendcp_direct_open_id,
	.release = direct_release,
};

static int not_privileged(struct sendcp_source *source, int err, const char *what)
{
	return sendcp_source_fail(source, -err, "%s: reading the devices of a mounted filesystem "
				  "needs root (CAP_SYS_ADMIN)", what);
}

/* Opens one of the devices the kernel names; one that is not there is left out. */
static int add_device(struct sendcp_source *source, const char *what, const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECT | O_CLOEXEC);

	if (fd < 0 && (errno == EACCES || errno == EPERM))
		return not_privileged(source, errno, what);
	if (fd < 0 && !sendcp_device_is_missing(errno))
		return sendcp_source_fail_errno(source, "cannot open device %s", path);
	if (fd < 0) {
		sendcp_source_warn(source, "cannot open device %s: %s", path, strerror(errno));
		return 0;
	}
	return sendcp_device_list_add(&source->devices, path, fd) ?
		sendcp_source_no_memory(source) : 0;
}

static int add_all_devices(struct sendcp_source *source, const char *what,
			   const struct btrfs_ioctl_fs_info_args *fs)
{
	struct btrfs_ioctl_dev_info_args *device = calloc(1, sizeof(*device));
	int ret = 0;
	u64 id;

	if (!device)
		return sendcp_source_no_memory(source);
	/* Seeds have the lowest ids, so they are among these; id 0 is a replace in progress. */
	for (id = 1; id <= fs->max_id && !ret; id++) {
		memset(device, 0, sizeof(*device));
		device->devid = id;
		if (ask(source->mount_fd, BTRFS_IOC_DEV_INFO, device)) {
			if (errno != ENODEV)
				ret = sendcp_source_fail_errno(source, "%s: cannot ask the "
							       "filesystem for device %llu", what,
							       id);
			continue;
		}
		device->path[sizeof(device->path) - 1] = '\0';
		if (*device->path)
			ret = add_device(source, what, (char *)device->path);
	}
	free(device);
	return ret;
}

static int find_devices(struct sendcp_source *source, const char *what)
{
	struct btrfs_ioctl_fs_info_args fs = { 0 };
	int ret;

	if (ask(source->mount_fd, BTRFS_IOC_FS_INFO, &fs))
		return sendcp_source_fail_errno(source,
						"%s: cannot ask the filesystem for its devices",
						what);
	ret = add_all_devices(source, what, &fs);
	if (ret || source->devices.count)
		return ret;
	return sendcp_source_fail(source, -ENODEV, "%s: no device of the filesystem is there",
				  what);
}

/* File handles are for the privileged; learning that at the first file would be late. */
static int check_privilege(struct sendcp_source *source, const char *what)
{
	int fd = sendcp_open_by_handle(source->mount_fd, 0, 0, 0, O_RDONLY);

	if (fd >= 0)
		close(fd);
	if (fd == -EPERM)
		/* cppcheck-suppress deallocret ; it is an error number */
		return sendcp_source_fail(source, fd, "%s: reading files by handle needs root "
					  "(CAP_SYS_ADMIN)", what);
	return 0;
}

static int direct_start(struct sendcp_source *source, const char *what)
{
	int ret;

	source->host.mounted = true;
	source->direct = calloc(1, sizeof(*source->direct));
	if (!source->direct)
		return sendcp_source_no_memory(source);
	source->direct->fd = -1;
	source->direct->root_fd = -1;
	source->direct->queue = sendcp_device_queue_new();
	if (!source->direct->queue)
		return sendcp_source_no_memory(source);
	ret = find_devices(source, what);
	if (!ret)
		ret = check_privilege(source, what);
	return ret ? ret : sendcp_source_start(source, what, "");
}

/* Earlier writes must be on the devices before those are read. */
static int commit(struct sendcp_source *source, const char *path)
{
	if (!ask(source->mount_fd, BTRFS_IOC_SYNC, NULL) || errno == EROFS)
		return 0;
	return sendcp_source_fail_errno(source, "%s: cannot commit the filesystem", path);
}

/* Nonblocking, since a pipe or device of that name must not make us wait. */
static int open_btrfs(struct sendcp_source *source, const char *path)
{
	struct statfs fs;

	source->mount_fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (source->mount_fd < 0)
		return sendcp_source_fail_errno(source, "cannot open %s", path);
	if (fstatfs(source->mount_fd, &fs) || fs.f_type != BTRFS_SUPER_MAGIC)
		return sendcp_source_fail(source, -EMEDIUMTYPE, "%s: not on a btrfs filesystem",
					  path);
	return 0;
}

static int open_once(const char *path, const struct sendcp_source_hooks *hooks,
		     struct sendcp_source **out, struct sendcp_source_error *error)
{
	struct sendcp_source *source = sendcp_source_new(&direct_kind, hooks);
	int ret;

	if (!source)
		return sendcp_source_opened(source, -ENOMEM, out, error);
	ret = open_btrfs(source, path);
	if (!ret)
		ret = commit(source, path);
	if (!ret)
		ret = direct_start(source, path);
	return sendcp_source_opened(source, ret, out, error);
}

/* A device that was replaced or removed after the kernel had named it is another filesystem's. */
static bool devices_may_have_changed(const struct sendcp_source_error *error)
{
	enum sendcp_reason reason = error->cause.reason;

	return reason == SENDCP_ERR_DEVICE_MISSING || reason == SENDCP_ERR_DEVICES_CHANGED ||
	       reason == SENDCP_ERR_DEVICE_FOREIGN || reason == SENDCP_ERR_SUPER_NONE ||
	       reason == SENDCP_ERR_NOT_BTRFS;
}

/* The commit of the next try waits until a replacement has ended. */
int sendcp_source_open_mounted(const char *path, const struct sendcp_source_hooks *hooks,
			       struct sendcp_source **out, struct sendcp_source_error *error)
{
	struct sendcp_source_error own;
	struct sendcp_source_error *why = error ? error : &own;
	int ret;

	for (int tries = 0; tries < OPEN_TRIES; tries++) {
		ret = open_once(path, hooks, out, why);
		if (!ret || !devices_may_have_changed(why))
			break;
	}
	return ret;
}

/* Committing again is not needed: the first source's volume is not older than this one. */
static int direct_reopen(const struct sendcp_source *source, struct sendcp_source **out,
			 struct sendcp_source_error *error)
{
	struct sendcp_source *again = sendcp_source_new(&direct_kind, &source->hooks);
	int ret;

	if (!again)
		return sendcp_source_opened(again, -ENOMEM, out, error);
	again->mount_fd = fcntl(source->mount_fd, F_DUPFD_CLOEXEC, 0);
	if (again->mount_fd < 0)
		ret = sendcp_source_fail_errno(again, "cannot duplicate a file descriptor");
	else
		ret = direct_start(again, "the mounted filesystem");
	return sendcp_source_opened(again, ret, out, error);
}
