/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whole reads and writes of regular files, and paths that survive a change of directory.
 */
#ifndef CLI_UTIL_FILEIO_H
#define CLI_UTIL_FILEIO_H

#include <stddef.h>
#include <sys/types.h>
#include <sendcp/platform.h>

/* All @size bytes at @offset: 0, or -1 with errno. An end of file in between is EIO. */
int write_at(int fd, const void *data, size_t size, u64 offset);
int read_at(int fd, void *data, size_t size, u64 offset);

/* Fewer than @size only at the end of the file: the number, or -1 with errno. */
ssize_t read_up_to(int fd, void *data, size_t size, u64 offset);

/* Copies @size bytes from one file's place to another's: 0, or -1 with errno. */
int copy_range(int from, u64 from_offset, int to, u64 to_offset, u64 size);

/* Makes @path's name durable: 0, or -1 with errno. */
int sync_directory_of(const char *path);

/* malloc'ed; the file itself need not exist, its directory must. NULL with errno. */
char *absolute_path(const char *path);
/* @path, or the nearest directory above it that is there. malloc'ed, exits without memory. */
char *nearest_existing(const char *path);

#endif
