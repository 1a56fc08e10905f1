/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Shared by the direct and the image backend: a source, its devices, and the two kinds of it.
 */
#ifndef USER_BACKEND_INTERNAL_H
#define USER_BACKEND_INTERNAL_H

#include <sendcp/cancel.h>
#include <sendcp/file.h>
#include <sendcp/host.h>
#include <sendcp/source.h>

struct device {
	char *path;
	int fd;
};

/* devices.c */
struct device_list {
	struct device *devices;
	u32 count;
};

/* Takes @fd over in every case; @path is copied. 0 or -ENOMEM. */
int sendcp_device_list_add(struct device_list *list, const char *path, int fd);
/*
 * Does @err, of opening a device, say that it is not there, or broken? Any other failure is one of
 * this process, and the filesystem would be read degraded for no reason.
 */
bool sendcp_device_is_missing(int err);
void sendcp_device_list_release(struct device_list *list);
/*
 * All of @length bytes at @offset: 0 or negative errno; -ERANGE after the end, which unlike -EIO no
 * other try mends; -EINTR only when interrupted and @interrupt (may be NULL) is set.
 */
int sendcp_read_fully(int fd, void *buffer, size_t length, u64 offset,
		      const struct sendcp_cancel *interrupt);

struct source_kind {
	const char *name;
	struct sendcp_host_ops host;
	int (*reopen)(const struct sendcp_source *source, struct sendcp_source **out,
		      struct sendcp_source_error *error);
	/* As sendcp_source_unchanged(); NULL: it may change. */
	int (*unchanged)(struct sendcp_source *source, struct sendcp_error *error);
	int (*find_subvolume)(struct sendcp_source *source, const char *spec,
			      struct sendcp_subvolume *out);
	/* Opens a subvolume known by its id. */
	int (*open_id)(struct sendcp_source *source, u64 id, struct sendcp_subvolume *out);
	void (*release)(struct sendcp_source *source);
};

struct decompressor;
struct direct_reader;

struct sendcp_source {
	const struct source_kind *kind;
	struct sendcp_source_hooks hooks;
	struct sendcp_source_error error;
	struct sendcp_host host;
	struct sendcp_volume *volume;
	unsigned char fsid[16];
	struct device_list devices;
	const struct sendcp_cancel *interrupt;
	/* How many bad mirrors have been warned of. */
	unsigned int warnings;
	/* Opened by sendcp_source_reopen(): all warnings about the devices were printed before. */
	bool again;
	/* Any directory or file of the mounted filesystem, -1 in an image. */
	int mount_fd;
	/* Of an image: a block device of it may be written to by others. */
	bool shared;
	/* Of an image: the address of its log tree when it was opened. */
	u64 log_root;
	/* Of an image: it was written to since. The volume is of the later state then. */
	bool changed;
	/* Of an image: how its files are read; NULL otherwise. */
	struct sendcp_file_reader *files;
	/* Made when something compressed is read; NULL before. */
	struct decompressor *decompressor;
	/* The way to the kernel module if that makes the streams; NULL otherwise. */
	const struct module_access *module;
	/* Of a mounted filesystem; NULL otherwise. */
	struct direct_reader *direct;
};

/* source.c */
struct sendcp_source *sendcp_source_new(const struct source_kind *kind,
					const struct sendcp_source_hooks *hooks);
/*
 * How an opening ends: with @source in *@out, or closed and @error (may be NULL) filled from it.
 * @source NULL: out of memory. Returns @ret.
 */
int sendcp_source_opened(struct sendcp_source *source, int ret, struct sendcp_source **out,
			 struct sendcp_source_error *error);
bool sendcp_source_interrupted(const struct sendcp_source *source);
int sendcp_source_host_interrupted(void *host);
void sendcp_source_host_warn(void *host, const struct sendcp_error *what);
int sendcp_source_host_decompress(void *host, u8 compression, u32 sectorsize, const void *in,
				  u32 in_size, void *out, u32 out_size);
/*
 * Opens the volume on the devices collected. On failure the error is about @what or the device at
 * fault, and ends in @hint (may be "").
 */
int sendcp_source_start(struct sendcp_source *source, const char *what, const char *hint);

/* Fills @error, which may be NULL, without a cause of the engine's. Returns @err. */
int sendcp_source_error_set(struct sendcp_source_error *error, int err, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* The same for source->error. */
int sendcp_source_fail(struct sendcp_source *source, int err, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* Returns -errno; the text ends in what errno means. */
int sendcp_source_fail_errno(struct sendcp_source *source, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
int sendcp_source_no_memory(struct sendcp_source *source);
/* The volume's last error, about @what. Returns its errno. */
int sendcp_source_fail_volume(struct sendcp_source *source, const char *what);
void sendcp_source_warn(struct sendcp_source *source, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* subvolume.c */
void sendcp_subvolume_clear(struct sendcp_subvolume *subvolume);
/* Sets what the user named. 0 or -ENOMEM. */
int sendcp_subvolume_set_spec(struct sendcp_source *source, struct sendcp_subvolume *subvolume,
			      const char *spec);
/* The id of the subvolume with that uuid: 0, 1 if there is none, or a negative errno. */
int sendcp_find_id_by_uuid(struct sendcp_source *source, const u8 *uuid, u64 *id);

/* direct_subvolume.c, image_subvolume.c */
int sendcp_direct_find_subvolume(struct sendcp_source *source, const char *spec,
				 struct sendcp_subvolume *out);
int sendcp_direct_open_id(struct sendcp_source *source, u64 id, struct sendcp_subvolume *out);
int sendcp_image_find_subvolume(struct sendcp_source *source, const char *spec,
				struct sendcp_subvolume *out);
int sendcp_image_open_id(struct sendcp_source *source, u64 id, struct sendcp_subvolume *out);

/* file_handle.c */
/* Opens an inode of the filesystem @mount_fd is on; a new fd or negative errno. */
int sendcp_open_by_handle(int mount_fd, u64 root, u64 inode, u64 generation, int flags);

/* members.c */
/*
 * Adds the other devices of the filesystem on block device @path that this machine has and that are
 * not listed yet. Finding none is no failure. 0 or a negative errno.
 */
int sendcp_add_other_members(struct sendcp_source *source, const char *path);

/* mounted.c */
/*
 * First line of the file @name in @dir, without its newline: 1; 0: there is none; negative errno:
 * it could not be looked for, for want of descriptors or memory.
 */
int sendcp_read_sysfs_line(const char *dir, const char *name, char *line, size_t size);
enum mounted_state {
	/* A negative errno: that cannot be found out. */
	NOT_MOUNTED = 0,
	MOUNTED_READ_ONLY,
	MOUNTED_WRITABLE,
};

/*
 * Has btrfs the file or block device @fd mounted now? Also by another name: as another loop device
 * on the same file, or as a part of another device.
 */
int sendcp_mounted_state(int fd);
/*
 * After a call that failed: -errno if it was for want of descriptors or memory, which says nothing
 * of what was asked for; else 0.
 */
int sendcp_shortage(void);

#endif
