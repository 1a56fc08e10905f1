/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The sources that subvolumes are read from: a mounted filesystem (direct) or devices and image
 * files.
 *
 * Functions print their own error line (message.h) and return -1, or 0.
 */
#ifndef CLI_HOST_HOST_H
#define CLI_HOST_HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <sendcp/engine.h>

struct source;
struct module_access;

/*
 * Opens the mounted btrfs that @path is on: commits it (so that all written before is on the disk),
 * finds its devices, opens its volume. Needs root.
 */
int source_open_mounted(const char *path, struct source **out);
/* The id of the btrfs that @path is on: 0 or negative errno, -EMEDIUMTYPE: not on a btrfs. */
int mounted_fsid(const char *path, unsigned char fsid[16]);
/* A mount point of the btrfs @fsid, malloc'ed; NULL: none that this process sees. */
char *mounted_point(const unsigned char fsid[16]);
/* Opens unmounted devices or image files, all of one filesystem; order does not matter. */
int source_open_image(const char *const *devices, size_t count, struct source **out);
/* A second, independent source of the same filesystem, for another thread. */
int source_reopen(const struct source *source, struct source **out);
void source_close(struct source *source);
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
 * Streams of a mounted filesystem are to be made by the kernel module, reached through @module; all
 * other reads stay direct. source_reopen() gives a source without it.
 */
void source_use_module(struct source *source, const struct module_access *module);
/* NULL: not by the module. */
const struct module_access *source_module(const struct source *source);
/* The devices that were found, each open for reading. */
unsigned int source_device_count(const struct source *source);
int source_device_fd(const struct source *source, unsigned int index);
const char *source_device_path(const struct source *source, unsigned int index);

/*
 * Makes the host's interrupted() say -EINTR once *@flag is not 0, and ends waits early. NULL:
 * never. @flag may be set by a signal handler and must outlive the source.
 */
void source_set_interrupt(struct source *source, const volatile int *flag);

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
 * Image: a path from the top-level subvolume, "id:N" or "uuid:U". Says clearly what is wrong: not
 * there, not a subvolume, on another filesystem.
 */
int source_find_subvolume(struct source *source, const char *spec, struct subvolume *out);
/* Finds a subvolume by its uuid, wherever it is now: 0, 1 if there is none, -1 on failure. */
int source_find_uuid(struct source *source, const unsigned char uuid[16], struct subvolume *out);
/* The same by its root id. */
int source_find_id(struct source *source, unsigned long long id, struct subvolume *out);
/*
 * Of a mounted filesystem: is it still what it was when it was found? Both -1 and "no" are
 * failures.
 */
int subvolume_unchanged(const struct subvolume *subvolume);
void subvolume_release(struct subvolume *subvolume);

#endif
