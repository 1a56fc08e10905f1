// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Reading and writing whole files.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "paths.h"

size_t read_path(const char *path, u8 *to, size_t room)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t size = fd < 0 ? -1 : read(fd, to, room);

	if (size < 0 || close(fd))
		abort();
	return (size_t)size;
}

void write_path(const char *path, const void *data, size_t size)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (fd < 0 || write(fd, data, size) != (ssize_t)size || close(fd))
		abort();
}
