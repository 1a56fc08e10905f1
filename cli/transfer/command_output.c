// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A command of the user's as the output.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "transfer/command_output.h"
#include "util/child.h"
#include "util/message.h"

int command_output_open(struct output *output, const char *command, u64 offset)
{
	char variable[sizeof(COMMAND_OFFSET) + 24];
	int ends[2], ret;

	*output = (struct output){ .fd = -1, .name = "the command", .command = command };
	snprintf(variable, sizeof(variable), COMMAND_OFFSET "=%llu", offset);
	if (pipe2(ends, O_CLOEXEC))
		return error_line("cannot make a pipe: %s", strerror(errno));
	ret = child_start(command, ends[0], -1, variable, &output->pid);
	close(ends[0]);
	output->fd = ends[1];
	output->owned = true;
	return ret ? error_line("cannot start a shell: %s", strerror(-ret)) : 0;
}

/* Another descriptor of the pipe @fd; -1 where /proc is not mounted. */
static int open_end(int fd, int mode)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return open(path, mode | O_NONBLOCK | O_CLOEXEC);
}

/*
 * What is in the pipe when nobody can read it any more was not given to anyone. @kept is an end to
 * read from, by which the pipe has outlived its readers; it is closed.
 */
static void take_back(struct output *output, int kept)
{
	struct pollfd pipe = { .fd = open_end(kept, O_WRONLY) };
	int left = 0;

	close(kept);
	if (pipe.fd < 0)
		return;
	if (poll(&pipe, 1, 0) == 1 && pipe.revents & POLLERR && !ioctl(pipe.fd, FIONREAD, &left) &&
	    left > 0) {
		output->file_offset -= (u64)left;
		if (!output->in_container)
			output->offset -= (u64)left;
	}
	close(pipe.fd);
}

/* The reader is looked for while it still has the pipe. */
void command_output_end(struct output *output, const struct sendcp_cancel *cancel, bool overdue)
{
	int kept;

	if (!output->pid)
		return;
	output_find_reader(output);
	kept = open_end(output->fd, O_RDONLY);
	close(output->fd);
	output->fd = -1;
	output->status = overdue ? child_stop(output->pid) : child_wait(output->pid, cancel);
	output->pid = 0;
	if (kept >= 0)
		take_back(output, kept);
}

bool command_names_offset(const char *command)
{
	return strstr(command, COMMAND_OFFSET);
}
