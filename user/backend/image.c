// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The image host: unmounted devices or files that hold them, read as an ordinary user.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>
#include <sendcp/ondisk.h>

#include "backend/internal.h"
#include "backend/storage.h"

/* Whether a device that fails is still there, it has to be asked: not the cache (superblocks). */
static void forget_cached(int fd)
{
	static const off_t copies[] = {
		SENDCP_SUPER_OFFSET_0, SENDCP_SUPER_OFFSET_1, SENDCP_SUPER_OFFSET_2,
	};

	for (size_t i = 0; i < ARRAY_SIZE(copies); i++)
		posix_fadvise(fd, copies[i], SENDCP_SUPER_SIZE, POSIX_FADV_DONTNEED);
}

static int image_read(void *host, struct sendcp_io *ios, unsigned int count)
{
	struct sendcp_source *source = host;
	unsigned int i;

	/* The kernel starts all the reads at once; ours then find the bytes there. */
	for (i = 0; count > 1 && i < count; i++)
		posix_fadvise(source->devices.devices[ios[i].device].fd, (off_t)ios[i].offset,
			      ios[i].length, POSIX_FADV_WILLNEED);
	for (i = 0; i < count; i++) {
		int fd = source->devices.devices[ios[i].device].fd;

		ios[i].result = sendcp_read_fully(fd, ios[i].buffer, ios[i].length, ios[i].offset,
						  source->interrupt);
		if (ios[i].result)
			forget_cached(fd);
	}
	return 0;
}

static int image_read_file(void *host, const struct sendcp_file_range *range, void *buffer,
			   struct sendcp_error *error)
{
	struct sendcp_source *source = host;

	return sendcp_file_read(source->files, range, buffer, error);
}

static int image_reopen(const struct sendcp_source *source, struct sendcp_source **out,
			struct sendcp_source_error *error);
static int image_unchanged(struct sendcp_source *source, struct sendcp_error *error);

static const struct source_kind image_kind = {
	.name = "image",
	.host = {
		.read = image_read,
		.read_file = image_read_file,
		.decompress = sendcp_source_host_decompress,
		.interrupted = sendcp_source_host_interrupted,
		.warn = sendcp_source_host_warn,
	},
	.reopen = image_reopen,
	.unchanged = image_unchanged,
	.find_subvolume = sendcp_image_find_subvolume,
	.open_id = sendcp_image_open_id,
};

/*
 * The cached blocks of a mounted device may be older than the blocks its filesystem wrote, so such
 * a device is not read; the file of a mounted loop device has no such cache, but changes.
 */
static int check_mounted(struct sendcp_source *source, int fd, const char *path, bool is_block,
			 bool busy)
{
	int state = source->again ? NOT_MOUNTED : sendcp_mounted_state(fd);

	if (state < 0)
		return sendcp_source_fail(source, state, "cannot find out whether %s is mounted: "
					  "%s", path, strerror(-state));
	if (state == NOT_MOUNTED && busy)
		sendcp_source_warn(source, "%s is in use and may change while it is read", path);
	if (state != MOUNTED_WRITABLE)
		return 0;
	if (is_block)
		return sendcp_source_fail(source, -EBUSY,
					  "%s is mounted: name the subvolume's path in "
					  "the mounted filesystem instead", path);
	sendcp_source_warn(source,
			   "%s is mounted through a loop device and may change while it is read",
			   path);
	return 0;
}

static int check_kind(struct sendcp_source *source, int fd, const char *path, bool busy)
{
	struct stat st;

	if (fstat(fd, &st))
		return sendcp_source_fail_errno(source, "cannot stat %s", path);
	if (!S_ISBLK(st.st_mode) && !S_ISREG(st.st_mode))
		return sendcp_source_fail(source, -EINVAL,
					  "%s is neither a block device nor a regular " "file",
					  path);
	if (S_ISREG(st.st_mode) && (u64)st.st_size < SENDCP_SUPER_OFFSET_0 + SENDCP_SUPER_SIZE)
		return sendcp_source_fail(source, -EINVAL,
					  "%s: too small to hold a btrfs filesystem", path);
	return check_mounted(source, fd, path, S_ISBLK(st.st_mode), busy);
}

static bool is_block_device(int fd)
{
	struct stat st;

	return !fstat(fd, &st) && S_ISBLK(st.st_mode);
}

/*
 * A block device is held alone where that is possible: nobody mounts it while it is read. *@busy:
 * somebody has it. Nonblocking, so that opening a pipe by mistake does not wait for its other end.
 */
static int open_path(const struct sendcp_source *source, const char *path, bool *busy)
{
	const int flags = O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
	int fd = open(path, source->again ? flags : flags | O_EXCL);

	*busy = fd < 0 && errno == EBUSY;
	/* cppcheck-suppress resourceLeak ; busy: it is not open */
	return *busy ? open(path, flags) : fd;
}

/*
 * May a block device be written to while it is open here? The kernel lets nobody mount, or make a
 * part of something else, what is held alone; but a loop device is not the only way to its file.
 */
static bool is_shared(int fd, bool busy)
{
	struct storage storage;

	return is_block_device(fd) &&
	       (busy || sendcp_storage_of_fd(fd, &storage) || !storage.ids[0].block);
}

static int add_image(struct sendcp_source *source, const char *path)
{
	bool busy;
	int fd = open_path(source, path, &busy);
	int ret;

	if (fd < 0)
		return sendcp_source_fail_errno(source, "cannot open %s", path);
	ret = check_kind(source, fd, path, busy);
	if (ret) {
		close(fd);
		return ret;
	}
	source->shared |= is_shared(fd, busy);
	/* Blocks cached while a device was mounted may be old. */
	if (is_block_device(fd))
		posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
	return sendcp_device_list_add(&source->devices, path, fd) ?
		sendcp_source_no_memory(source) : 0;
}

/*
 * Superblocks are read from the device again: a filesystem mounted from it under another name was
 * not written through the cache of this one. Disks that nobody else can write to are spared the
 * seeks.
 */
static void forget_supers(const struct sendcp_source *source)
{
	static const off_t offsets[] = {
		SENDCP_SUPER_OFFSET_0, SENDCP_SUPER_OFFSET_1, SENDCP_SUPER_OFFSET_2,
	};
	u32 i;

	for (i = 0; source->shared && i < source->devices.count; i++)
		for (size_t k = 0; k < ARRAY_SIZE(offsets); k++)
			posix_fadvise(source->devices.devices[i].fd, offsets[k], SENDCP_SUPER_SIZE,
				      POSIX_FADV_DONTNEED);
}

/*
 * The log tree that the newest first superblock names: files were synced, and contents without
 * checksums may have been overwritten, though no transaction was committed. 0: there is none.
 */
static u64 log_root(const struct sendcp_source *source)
{
	struct sendcp_disk_super super;
	u64 generation = 0, found = 0;
	u32 i;

	for (i = 0; i < source->devices.count; i++) {
		if (sendcp_read_fully(source->devices.devices[i].fd, &super, sizeof(super),
				      SENDCP_SUPER_OFFSET_0, NULL) ||
		    le64_to_cpu(super.magic) != SENDCP_SUPER_MAGIC ||
		    le64_to_cpu(super.generation) < generation)
			continue;
		generation = le64_to_cpu(super.generation);
		found = le64_to_cpu(super.log_root);
	}
	return found;
}

/* 1: it was written to since it was opened; 0: not; negative errno: that is not known. */
static int look_for_change(struct sendcp_source *source)
{
	int ret;

	forget_supers(source);
	/* For this look it is one: superblocks may be read while they are written. */
	source->host.mounted = true;
	ret = sendcp_volume_refresh(source->volume);
	source->host.mounted = false;
	return ret ? ret : log_root(source) != source->log_root;
}

/*
 * Blocks that were in use at one commit are used again only when the superblock of the next one is
 * on the disk. So all that was read before the superblock was found unchanged is of one state of
 * the filesystem, mounted or not.
 */
static int image_unchanged(struct sendcp_source *source, struct sendcp_error *error)
{
	int ret = source->changed ? 1 : look_for_change(source);

	if (!ret)
		return 0;
	if (ret < 0) {
		*error = *sendcp_volume_error(source->volume);
		return ret;
	}
	source->changed = true;
	sendcp_error_clear(error);
	error->reason = SENDCP_ERR_FILESYSTEM_CHANGED;
	error->err = -ESTALE;
	return -ESTALE;
}

/*
 * The number of devices in the superblock; 0 if that cannot be read. Only for advice: the volume
 * checks everything itself.
 */
static u64 devices_named(const struct sendcp_source *source)
{
	struct sendcp_disk_super super;
	u64 most = 0;
	u32 i;

	for (i = 0; i < source->devices.count; i++) {
		if (sendcp_read_fully(source->devices.devices[i].fd, &super, sizeof(super),
				      SENDCP_SUPER_OFFSET_0, NULL) ||
		    le64_to_cpu(super.magic) != SENDCP_SUPER_MAGIC)
			continue;
		most = sendcp_max(most, le64_to_cpu(super.num_devices));
	}
	return most;
}

/* Completes the list from the machine's block devices, if the user named one of those. */
static int complete_devices(struct sendcp_source *source)
{
	u32 given = source->devices.count;
	u32 i;

	for (i = 0; i < given; i++) {
		if (!is_block_device(source->devices.devices[i].fd))
			continue;
		return sendcp_add_other_members(source, source->devices.devices[i].path);
	}
	return 0;
}

/*
 * Redundant profiles can be read without some devices, so too few are not an error by themselves;
 * but if opening fails, they are the likely cause.
 */
static int start_image(struct sendcp_source *source)
{
	char hint[120] = "";
	u64 named;
	int ret;

	named = devices_named(source);
	if (named > source->devices.count) {
		/* Those are not held alone. */
		source->shared = true;
		ret = complete_devices(source);
		if (ret)
			return ret;
	}
	if (named > source->devices.count)
		snprintf(hint, sizeof(hint), " (the filesystem has %llu devices, %u given: name "
			 "the others too)", named, source->devices.count);
	source->log_root = log_root(source);
	ret = sendcp_source_start(source, source->devices.devices[0].path, hint);
	if (ret)
		return ret;
	if (*hint && !source->again)
		sendcp_source_warn(source, "%s: reading without all devices%s",
				   source->devices.devices[0].path, hint);
	source->files = sendcp_file_reader_open(source->volume);
	return source->files ? 0 : sendcp_source_no_memory(source);
}

static int add_images(struct sendcp_source *source, const char *const *paths, size_t count)
{
	size_t i;
	int ret = 0;

	if (!count)
		return sendcp_source_fail(source, -EINVAL, "no device given");
	/* Before any of them is opened. */
	if (count > SENDCP_IMAGE_DEVICES_MAX)
		return sendcp_source_fail(source, -E2BIG, "%zu devices are named, and no "
					  "filesystem of more than %u can be read", count,
					  SENDCP_IMAGE_DEVICES_MAX);
	for (i = 0; i < count && !ret; i++)
		ret = add_image(source, paths[i]);
	return ret;
}

static int open_image(const char *const *devices, size_t count, bool again,
		      const struct sendcp_source_hooks *hooks, struct sendcp_source **out,
		      struct sendcp_source_error *error)
{
	struct sendcp_source *source = sendcp_source_new(&image_kind, hooks);
	int ret;

	if (!source)
		return sendcp_source_opened(source, -ENOMEM, out, error);
	source->again = again;
	ret = add_images(source, devices, count);
	if (!ret)
		ret = start_image(source);
	return sendcp_source_opened(source, ret, out, error);
}

int sendcp_source_open_image(const char *const *devices, size_t count,
			     const struct sendcp_source_hooks *hooks, struct sendcp_source **out,
			     struct sendcp_source_error *error)
{
	return open_image(devices, count, false, hooks, out, error);
}

static int image_reopen(const struct sendcp_source *source, struct sendcp_source **out,
			struct sendcp_source_error *error)
{
	const char **paths = calloc(source->devices.count, sizeof(*paths));
	int ret;
	u32 i;

	if (!paths)
		return sendcp_source_opened(NULL, -ENOMEM, out, error);
	for (i = 0; i < source->devices.count; i++)
		paths[i] = source->devices.devices[i].path;
	ret = open_image(paths, source->devices.count, true, &source->hooks, out, error);
	free(paths);
	return ret;
}
