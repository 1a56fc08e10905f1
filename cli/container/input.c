// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The lowest layer: bytes of a file or pipe.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "container/internal.h"
#include "util/activity.h"
#include "util/signals.h"

int input_open(struct input *input, const char *path)
{
	input->fd = STDIN_FILENO;
	input->stops = true;
	if (!strcmp(path, "-"))
		return 0;
	input->owned = true;
	input->fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (input->fd < 0)
		return -1;
	/* Only advice. */
	posix_fadvise(input->fd, 0, 0, POSIX_FADV_SEQUENTIAL);
	return 0;
}

void input_close(struct input *input)
{
	if (input->owned && input->fd >= 0)
		close(input->fd);
	input->fd = -1;
}

/* Someone may have left stdin non-blocking; then reading waits here. */
static void wait_readable(const struct input *input)
{
	struct pollfd poll_fd = { .fd = input->fd, .events = POLLIN };

	poll(&poll_fd, 1, -1);
}

size_t input_read(struct input *input, void *buffer, size_t size)
{
	ssize_t got;

	if (input->ending->how != UNWRAP_CONTINUES)
		return 0;
	if (input->stops && signals_stopped()) {
		unwrap_end(input->ending, UNWRAP_FAILED, "reading was stopped");
		return 0;
	}
	while ((got = read(input->fd, buffer, size)) < 0) {
		if (errno == EAGAIN)
			wait_readable(input);
		else if (errno != EINTR || signals_stopped())
			break;
	}
	if (got > 0) {
		input->offset += (u64)got;
		activity_read(input->offset);
		return (size_t)got;
	}
	if (got < 0)
		unwrap_end(input->ending, UNWRAP_FAILED, "it cannot be read at byte %llu: %s",
			   input->offset, strerror(errno));
	else
		unwrap_end(input->ending, UNWRAP_COMPLETE, "%s", "");
	return 0;
}
