// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The list of devices a source reads from, and reading one of them.
 */
#include <stdlib.h>
#include <unistd.h>

#include "backend/internal.h"

/* @fd is closed on failure, so that callers have one way out. */
int sendcp_device_list_add(struct device_list *list, const char *path, int fd)
{
	struct device *grown;
	char *copy = strdup(path);

	grown = realloc(list->devices, (list->count + 1) * sizeof(*grown));
	if (grown)
		list->devices = grown;
	if (!grown || !copy) {
		free(copy);
		close(fd);
		return -ENOMEM;
	}
	grown[list->count].path = copy;
	grown[list->count].fd = fd;
	list->count++;
	return 0;
}

bool sendcp_device_is_missing(int err)
{
	return err == ENOENT || err == ENOTDIR || err == ENXIO || err == ENODEV ||
	       err == ENOMEDIUM || err == EIO;
}

void sendcp_device_list_release(struct device_list *list)
{
	u32 i;

	for (i = 0; i < list->count; i++) {
		close(list->devices[i].fd);
		free(list->devices[i].path);
	}
	free(list->devices);
	list->devices = NULL;
	list->count = 0;
}

int sendcp_read_fully(int fd, void *buffer, size_t length, u64 offset,
		      const struct sendcp_cancel *interrupt)
{
	u8 *at = buffer;

	/* After what an off_t can say there is nothing. */
	if (length > INT64_MAX || offset > (u64)INT64_MAX - length)
		return -ERANGE;
	while (length) {
		ssize_t done = pread(fd, at, length, (off_t)offset);

		if (done < 0 && errno == EINTR) {
			if (sendcp_cancelled(interrupt))
				return -EINTR;
			continue;
		}
		if (done < 0)
			return -errno;
		if (!done)
			return -ERANGE;
		at += done;
		offset += done;
		length -= done;
	}
	return 0;
}
