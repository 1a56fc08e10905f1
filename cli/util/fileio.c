// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Whole reads and writes of regular files, and paths that survive a change of directory.
 */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#include "util/alloc.h"
#include "util/fileio.h"

#define COPY_SIZE (1u << 16)

int write_at(int fd, const void *data, size_t size, u64 offset)
{
	const char *from = data;

	while (size) {
		ssize_t done = pwrite(fd, from, size, (off_t)offset);

		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0) {
			errno = done ? errno : EIO;
			return -1;
		}
		from += done;
		size -= (size_t)done;
		offset += (u64)done;
	}
	return 0;
}

ssize_t read_up_to(int fd, void *data, size_t size, u64 offset)
{
	size_t done = 0;

	while (done < size) {
		ssize_t got = pread(fd, (char *)data + done, size - done, (off_t)(offset + done));

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -1;
		if (!got)
			break;
		done += (size_t)got;
	}
	return (ssize_t)done;
}

int read_at(int fd, void *data, size_t size, u64 offset)
{
	ssize_t got = read_up_to(fd, data, size, offset);

	if (got >= 0 && (size_t)got < size)
		errno = EIO;
	return got >= 0 && (size_t)got == size ? 0 : -1;
}

int copy_range(int from, u64 from_offset, int to, u64 to_offset, u64 size)
{
	char *buffer = malloc(COPY_SIZE);
	int ret = buffer ? 0 : -1;

	while (!ret && size) {
		size_t part = size < COPY_SIZE ? (size_t)size : COPY_SIZE;

		if (read_at(from, buffer, part, from_offset) ||
		    write_at(to, buffer, part, to_offset))
			ret = -1;
		from_offset += part;
		to_offset += part;
		size -= part;
	}
	free(buffer);
	return ret;
}

int sync_directory_of(const char *path)
{
	char *copy = xstrdup(path);
	int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int ret = fd < 0 ? -1 : fsync(fd);

	/*
	 * Some filesystems cannot sync a directory, and one that may be written to need not be
	 * readable; there is nothing more to be done then.
	 */
	if (ret && (fd < 0 ? errno == EACCES : errno == EINVAL || errno == EROFS))
		ret = 0;
	if (fd >= 0)
		close(fd);
	free(copy);
	return ret;
}

char *absolute_path(const char *path)
{
	char *whole = realpath(path, NULL);
	char *copy, *directory;

	if (whole || errno != ENOENT)
		return whole;
	copy = xstrdup(path);
	directory = realpath(dirname(copy), NULL);
	free(copy);
	if (!directory)
		return NULL;
	copy = xstrdup(path);
	whole = xasprintf("%s/%s", directory, basename(copy));
	free(copy);
	free(directory);
	return whole;
}

char *nearest_existing(const char *path)
{
	char *copy = xstrdup(path);
	struct stat st;

	while (stat(copy, &st) && strcmp(copy, "/") && strcmp(copy, ".")) {
		char *parent = xstrdup(dirname(copy));

		free(copy);
		copy = parent;
	}
	return copy;
}
