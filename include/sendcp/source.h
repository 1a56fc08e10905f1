/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Userspace: filesystems to send from, either mounted ("direct") or as unmounted devices and image
 * files ("image"), and the subvolumes in them.
 *
 * A source is a host of the engine: give source_volume() to scp_engine_open(). Nothing here prints,
 * exits or handles signals. Functions return 0 or a negative errno; source_error() then has a line
 * for people. One caller at a time for a source; different sources are independent.
 */
#ifndef SENDCP_SOURCE_H
#define SENDCP_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <sendcp/cancel.h>
#include <sendcp/engine.h>

struct source;
struct module_access;

#define SOURCE_TEXT_SIZE 4608

/* Why a call failed. */
struct source_error {
	/* Negative errno. */
	int err;
	/* The engine's record of it; reason SCP_NONE: the failure was not the engine's. */
	struct scp_error cause;
	/*
	 * One line without newline that names the thing and, where that helps, what to do. Names in
	 * it are as the user or the disk gave them, so it may hold control characters.
	 */
	char text[SOURCE_TEXT_SIZE];
};

struct source_hooks {
	/* Something is wrong and was survived; @text is as in struct source_error. May be NULL. */
	void (*warn)(void *context, const char *text);
	/* First argument of every function here. */
	void *context;
};

/*
 * Opens the mounted btrfs that @path is on: commits it (so that all written before is on the disk),
 * finds its devices, opens its volume. Needs root. @hooks, which may be NULL, is copied. On failure
 * *@out is NULL and @error, if not NULL, is filled. -EMEDIUMTYPE: not on a btrfs.
 */
int source_open_mounted(const char *path, const struct source_hooks *hooks, struct source **out,
			struct source_error *error);
/*
 * Opens unmounted devices or image files, all of one filesystem; order does not matter. The other
 * devices of a block device's filesystem are found. The rest as above.
 */
int source_open_image(const char *const *devices, size_t count, const struct source_hooks *hooks,
		      struct source **out, struct source_error *error);
/* A second, independent source of the same filesystem, for another thread. */
int source_reopen(const struct source *source, struct source **out, struct source_error *error);
/* NULL is allowed. */
void source_close(struct source *source);
/* Why the last call about @source failed. Owned by the source. */
const struct source_error *source_error(const struct source *source);

/* The id of the btrfs that @path is on: 0 or negative errno, -EMEDIUMTYPE: not on a btrfs. */
int mounted_fsid(const char *path, unsigned char fsid[16]);
/* A mount point of the btrfs @fsid, malloc'ed; NULL: none that this process sees. */
char *mounted_point(const unsigned char fsid[16]);

/*
 * Is all that was read up to now of one state of the filesystem, the one that it had when @source
 * was opened? Of a mounted filesystem always (the engine looks after that). Of an image: -ESTALE
 * with reason FILESYSTEM_CHANGED if it was written to, or another negative errno if that cannot be
 * found out; then @error says why.
 */
int source_unchanged(struct source *source, struct scp_error *error);

/*
 * The filesystem was not unmounted: the log holds data that programs synced since the last commit,
 * which mounting would have put into the writable subvolumes. Of a mounted filesystem never.
 */
bool source_has_log(const struct source *source);
/* "direct", "module" or "image". */
const char *source_kind(const struct source *source);
struct scp_volume *source_volume(struct source *source);
const unsigned char *source_fsid(const struct source *source);

/*
 * Streams of what is mounted are to be made by the kernel module, reached through @module; all else
 * is still read directly. source_reopen() gives a source without it.
 */
void source_use_module(struct source *source, const struct module_access *module);
/* NULL: not by the module. */
const struct module_access *source_module(const struct source *source);
/* The devices that were found, each open for reading. */
unsigned int source_device_count(const struct source *source);
int source_device_fd(const struct source *source, unsigned int index);
const char *source_device_path(const struct source *source, unsigned int index);

/*
 * Makes the host's interrupted() say -EINTR once @interrupt is set, and ends waits early. NULL:
 * never. It must outlive the source, or be replaced.
 */
void source_set_interrupt(struct source *source, const struct cancel *interrupt);

struct subvolume {
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
 * there, not a subvolume, on another filesystem. Free @out with subvolume_release(); after a
 * failure there is nothing to free.
 */
int source_find_subvolume(struct source *source, const char *spec, struct subvolume *out);
/* Finds a subvolume by its uuid, wherever it is now: 0, 1 if there is none, or negative errno. */
int source_find_uuid(struct source *source, const unsigned char uuid[16], struct subvolume *out);
/* The same by its root id. */
int source_find_id(struct source *source, unsigned long long id, struct subvolume *out);
/*
 * Of a mounted filesystem: is it still what it was when it was found? 0, -ESTALE, or another
 * negative errno: it is not known. @error may be NULL.
 */
int subvolume_unchanged(const struct subvolume *subvolume, struct source_error *error);
void subvolume_release(struct subvolume *subvolume);

#endif
