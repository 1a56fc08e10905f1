// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The image host: unmounted devices or files that hold them, read as an ordinary user.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "format/ondisk.h"
#include "host/source.h"
#include "host/storage.h"
#include "fs/fs.h"
#include "util/message.h"

static int image_read(void *host, struct scp_io *ios, unsigned int count)
{
	struct source *source = host;
	unsigned int i;

	/* The kernel starts all the reads at once; ours then find the bytes there. */
	for (i = 0; count > 1 && i < count; i++)
		posix_fadvise(source->devices.devices[ios[i].device].fd, (off_t)ios[i].offset,
			      ios[i].length, POSIX_FADV_WILLNEED);
	for (i = 0; i < count; i++)
		ios[i].result = read_fully(source->devices.devices[ios[i].device].fd,
					   ios[i].buffer, ios[i].length, ios[i].offset,
					   source->interrupt);
	return 0;
}

static int image_read_file(void *host, const struct scp_file_range *range, void *buffer,
			   struct scp_error *error)
{
	struct source *source = host;

	return extent_reader_read(source->extents, range, buffer, error);
}

static void image_release(struct source *source)
{
	extent_reader_free(source->extents);
}

static int image_reopen(const struct source *source, struct source **out);
static int image_unchanged(struct source *source, struct scp_error *error);

static const struct source_kind image_kind = {
	.name = "image",
	.host = {
		.read = image_read,
		.read_file = image_read_file,
		.interrupted = source_host_interrupted,
		.warn = source_host_warn,
	},
	.reopen = image_reopen,
	.unchanged = image_unchanged,
	.find_subvolume = image_find_subvolume,
	.open_id = image_open_id,
	.release = image_release,
};

/*
 * The cached blocks of a mounted device may be older than the blocks its filesystem wrote, so such
 * a device is not read; the file of a mounted loop device has no such cache, but changes.
 */
static int check_mounted(const struct source *source, int fd, const char *path, bool is_block,
			 bool busy)
{
	enum mounted_state state = source->again ? NOT_MOUNTED : mounted_state(fd);

	if (state == NOT_MOUNTED && busy)
		warn_line("%s is in use and may change while it is read", path);
	if (state != MOUNTED_WRITABLE)
		return 0;
	if (is_block)
		return error_line("%s is mounted: name the subvolume's path in the mounted "
				  "filesystem instead", path);
	warn_line("%s is mounted through a loop device and may change while it is read", path);
	return 0;
}

static int check_kind(const struct source *source, int fd, const char *path, bool busy)
{
	struct stat st;

	if (fstat(fd, &st))
		return error_line("cannot stat %s: %s", path, strerror(errno));
	if (!S_ISBLK(st.st_mode) && !S_ISREG(st.st_mode))
		return error_line("%s is neither a block device nor a regular file", path);
	if (S_ISREG(st.st_mode) && (u64)st.st_size < SCP_SUPER_OFFSET_0 + SCP_SUPER_SIZE)
		return error_line("%s: too small to hold a btrfs filesystem", path);
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
static int open_path(const struct source *source, const char *path, bool *busy)
{
	const int flags = O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
	int fd = open(path, source->again ? flags : flags | O_EXCL);

	*busy = fd < 0 && errno == EBUSY;
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
	       (busy || storage_of_fd(fd, &storage) || !storage.ids[0].block);
}

static int add_image(struct source *source, const char *path)
{
	bool busy;
	int fd = open_path(source, path, &busy);

	if (fd < 0)
		return error_line("cannot open %s: %s", path, strerror(errno));
	if (check_kind(source, fd, path, busy)) {
		close(fd);
		return -1;
	}
	source->shared |= is_shared(fd, busy);
	/* Blocks cached while a device was mounted may be old. */
	if (is_block_device(fd))
		posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
	return device_list_add(&source->devices, path, fd) ? source_out_of_memory() : 0;
}

/*
 * Superblocks are read from the device again: a filesystem mounted from it under another name was
 * not written through the cache of this one. Disks that nobody else can write to are spared the
 * seeks.
 */
static void forget_supers(const struct source *source)
{
	static const off_t offsets[] = {
		SCP_SUPER_OFFSET_0, SCP_SUPER_OFFSET_1, SCP_SUPER_OFFSET_2,
	};
	u32 i;

	for (i = 0; source->shared && i < source->devices.count; i++)
		for (size_t k = 0; k < ARRAY_SIZE(offsets); k++)
			posix_fadvise(source->devices.devices[i].fd, offsets[k], SCP_SUPER_SIZE,
				      POSIX_FADV_DONTNEED);
}

/*
 * The log tree that the newest first superblock names: files were synced, and contents without
 * checksums may have been overwritten, though no transaction was committed. 0: there is none.
 */
static u64 log_root(const struct source *source)
{
	struct scp_disk_super super;
	u64 generation = 0, found = 0;
	u32 i;

	for (i = 0; i < source->devices.count; i++) {
		if (read_fully(source->devices.devices[i].fd, &super, sizeof(super),
			       SCP_SUPER_OFFSET_0, NULL) ||
		    le64_to_cpu(super.magic) != SCP_SUPER_MAGIC ||
		    le64_to_cpu(super.generation) < generation)
			continue;
		generation = le64_to_cpu(super.generation);
		found = le64_to_cpu(super.log_root);
	}
	return found;
}

/*
 * Blocks that were in use at one commit are used again only when the superblock of the next one is
 * on the disk. So all that was read before the superblock was found unchanged is of one state of
 * the filesystem, mounted or not.
 */
static int image_unchanged(struct source *source, struct scp_error *error)
{
	int ret;

	forget_supers(source);
	/* For this look it is one: superblocks may be read while they are written. */
	source->host.live = true;
	ret = scp_volume_refresh(source->volume);
	source->host.live = false;
	if (ret < 0) {
		*error = source->volume->error;
		return ret;
	}
	if (!ret && log_root(source) == source->log_root)
		return 0;
	scp_error_clear(error);
	error->reason = SCP_FILESYSTEM_CHANGED;
	error->err = -ESTALE;
	return -ESTALE;
}

/*
 * The number of devices in the superblock; 0 if that cannot be read. Only for advice: the volume
 * checks everything itself.
 */
static u64 devices_named(const struct source *source)
{
	struct scp_disk_super super;
	u64 most = 0;
	u32 i;

	for (i = 0; i < source->devices.count; i++) {
		if (read_fully(source->devices.devices[i].fd, &super, sizeof(super),
			       SCP_SUPER_OFFSET_0, NULL) ||
		    le64_to_cpu(super.magic) != SCP_SUPER_MAGIC)
			continue;
		most = scp_max(most, le64_to_cpu(super.num_devices));
	}
	return most;
}

/* Completes the list from the machine's block devices, if the user named one of those. */
static int complete_devices(struct source *source)
{
	u32 given = source->devices.count;
	u32 i;

	for (i = 0; i < given; i++) {
		if (!is_block_device(source->devices.devices[i].fd))
			continue;
		return add_other_members(&source->devices, source->devices.devices[i].path);
	}
	return 0;
}

/*
 * Redundant profiles can be read without some devices, so too few are not an error by themselves;
 * but if opening fails, they are the likely cause.
 */
static int start_image(struct source *source)
{
	const char *first = source->devices.devices[0].path;
	char hint[120] = "";
	u64 named;

	named = devices_named(source);
	if (named > source->devices.count) {
		/* Those are not held alone. */
		source->shared = true;
		if (complete_devices(source))
			return -1;
	}
	if (named > source->devices.count)
		snprintf(hint, sizeof(hint), " (the filesystem has %llu devices, %u given: name "
			 "the others too)", named, source->devices.count);
	source->log_root = log_root(source);
	if (source_start(source, first, hint))
		return -1;
	if (*hint && !source->again)
		warn_line("%s: reading without all devices%s", first, hint);
	return 0;
}

static int add_images(struct source *source, const char *const *paths, size_t count)
{
	size_t i;

	if (!count)
		return error_line("no device given");
	for (i = 0; i < count; i++) {
		if (add_image(source, paths[i]))
			return -1;
	}
	return 0;
}

static int open_image(const char *const *devices, size_t count, bool again, struct source **out)
{
	struct source *source = source_new(&image_kind);

	if (!source)
		return source_out_of_memory();
	source->again = again;
	source->extents = extent_reader_new();
	if (!source->extents) {
		source_out_of_memory();
		goto fail;
	}
	if (add_images(source, devices, count) || start_image(source))
		goto fail;
	*out = source;
	return 0;

fail:
	source_close(source);
	return -1;
}

int source_open_image(const char *const *devices, size_t count, struct source **out)
{
	return open_image(devices, count, false, out);
}

static int image_reopen(const struct source *source, struct source **out)
{
	const char **paths = calloc(source->devices.count, sizeof(*paths));
	int ret;
	u32 i;

	if (!paths)
		return source_out_of_memory();
	for (i = 0; i < source->devices.count; i++)
		paths[i] = source->devices.devices[i].path;
	ret = open_image(paths, source->devices.count, true, out);
	free(paths);
	return ret;
}
