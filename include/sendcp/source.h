/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Userspace: filesystems to send from, either mounted ("direct") or as unmounted devices and image
 * files ("image"), and the subvolumes in them.
 *
 * A source is a host of the engine: give sendcp_source_volume() to sendcp_engine_open(). Nothing
 * here prints, exits or handles signals. Functions return 0 or a negative errno;
 * sendcp_source_error() then has a line for people. One caller at a time for a source; different
 * sources are independent.
 */
#ifndef SENDCP_SOURCE_H
#define SENDCP_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <sendcp/cancel.h>
#include <sendcp/engine.h>

struct sendcp_source;

#define SENDCP_SOURCE_TEXT_SIZE 8192

/* Why a call failed. */
struct sendcp_source_error {
	/* Negative errno. */
	int err;
	/* The engine's record of it; reason SENDCP_ERR_NONE: the failure was not the engine's. */
	struct sendcp_error cause;
	/*
	 * One line without newline that names the thing and, where that helps, what to do. Names in
	 * it are as the user or the disk gave them, so it may hold control characters.
	 */
	char text[SENDCP_SOURCE_TEXT_SIZE];
};

struct sendcp_source_hooks {
	/*
	 * Something is wrong and was survived; @text is as in struct sendcp_source_error. May be
	 * NULL.
	 */
	void (*warn)(void *context, const char *text);
	/* First argument of every function here. */
	void *context;
};

/*
 * Opens the mounted btrfs that @path is on: commits it (so that all written before is on the disk),
 * finds its devices, opens its volume. Needs root. @hooks, which may be NULL, is copied. On failure
 * *@out is NULL and @error, if not NULL, is filled. -EMEDIUMTYPE: not on a btrfs.
 */
int sendcp_source_open_mounted(const char *path, const struct sendcp_source_hooks *hooks,
			       struct sendcp_source **out, struct sendcp_source_error *error);
/* The most devices of one filesystem: the kernel module takes as many. */
#define SENDCP_IMAGE_DEVICES_MAX 1024u
/*
 * Opens unmounted devices or image files, all of one filesystem; order does not matter. The other
 * devices of a block device's filesystem are found. The rest as above.
 */
int sendcp_source_open_image(const char *const *devices, size_t count,
			     const struct sendcp_source_hooks *hooks, struct sendcp_source **out,
			     struct sendcp_source_error *error);
/*
 * A second, independent source of the same filesystem, for another thread. It has the same hooks,
 * which are then called from both threads.
 */
int sendcp_source_reopen(const struct sendcp_source *source, struct sendcp_source **out,
			 struct sendcp_source_error *error);
/* NULL is allowed. */
void sendcp_source_close(struct sendcp_source *source);
/* Of the calls without an @error of their own: why the last one failed. Owned by the source. */
const struct sendcp_source_error *sendcp_source_error(const struct sendcp_source *source);

/* The id of the btrfs that @path is on: 0 or negative errno, -EMEDIUMTYPE: not on a btrfs. */
int sendcp_mounted_fsid(const char *path, unsigned char fsid[16]);
/* A mount point of the btrfs @fsid, malloc'ed; NULL: none that this process sees. */
char *sendcp_mounted_point(const unsigned char fsid[16]);

/*
 * Is all that was read up to now of one state of the filesystem, the one that it had when @source
 * was opened? Of a mounted filesystem always (the engine looks after that). Of an image: -ESTALE
 * with reason FILESYSTEM_CHANGED if it was written to, or another negative errno if that cannot be
 * found out; then @error says why.
 */
int sendcp_source_unchanged(struct sendcp_source *source, struct sendcp_error *error);

/*
 * The filesystem was not unmounted: the log holds data that programs synced since the last commit,
 * which mounting would have put into the writable subvolumes. Of a mounted filesystem never.
 */
bool sendcp_source_has_log(const struct sendcp_source *source);
/* "direct" or "image"; "module" only in the command line, which lets the kernel make streams. */
const char *sendcp_source_kind(const struct sendcp_source *source);
struct sendcp_volume *sendcp_source_volume(struct sendcp_source *source);
const unsigned char *sendcp_source_fsid(const struct sendcp_source *source);

/* The devices that were found, each open for reading. */
unsigned int sendcp_source_device_count(const struct sendcp_source *source);
int sendcp_source_device_fd(const struct sendcp_source *source, unsigned int index);
const char *sendcp_source_device_path(const struct sendcp_source *source, unsigned int index);

/*
 * Makes the host's interrupted() say -EINTR once @interrupt is set, which the engine asks before
 * each read and each command. A read that has begun is waited for, unless a signal ends it. NULL:
 * never. It must outlive the source, or be replaced.
 */
void sendcp_source_set_interrupt(struct sendcp_source *source,
				 const struct sendcp_cancel *interrupt);

struct sendcp_subvolume {
	unsigned long long id;
	unsigned char uuid[16];
	unsigned char parent_uuid[16];
	unsigned char received_uuid[16];
	unsigned long long ctransid;
	bool readonly;
	/* Held open as long as the subvolume is used, so that its tree stays; -1 in an image. */
	int fd;
	/* As the user named it. */
	char *spec;
};

/*
 * Finds what @spec names. Mounted: a path, which must be a subvolume's root on this filesystem.
 * Image: a path from the top-level subvolume, "id:N" or "uuid:U". The error says what is wrong: not
 * there, not a subvolume, on another filesystem. Free @out with sendcp_subvolume_release(); after a
 * failure there is nothing to free.
 */
int sendcp_source_find_subvolume(struct sendcp_source *source, const char *spec,
				 struct sendcp_subvolume *out);
/* Finds a subvolume by its uuid, wherever it is now: 0, 1 if there is none, or negative errno. */
int sendcp_source_find_uuid(struct sendcp_source *source, const unsigned char uuid[16],
			    struct sendcp_subvolume *out);
/* The same by its root id. */
int sendcp_source_find_id(struct sendcp_source *source, unsigned long long id,
			  struct sendcp_subvolume *out);
/*
 * Of a mounted filesystem: is it still what it was when it was found? 0, -ESTALE, or another
 * negative errno: it is not known. @error may be NULL.
 */
int sendcp_subvolume_unchanged(const struct sendcp_subvolume *subvolume,
			       struct sendcp_source_error *error);
void sendcp_subvolume_release(struct sendcp_subvolume *subvolume);

#endif
