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

/* What is in the pipe when nobody can read it any more was not given to anyone. */
static void take_back(struct output *output)
{
	struct pollfd pipe = { .fd = output->fd };
	int left = 0;

	if (poll(&pipe, 1, 0) != 1 || !(pipe.revents & POLLERR) ||
	    ioctl(output->fd, FIONREAD, &left) || left <= 0)
		return;
	output->file_offset -= (u64)left;
	if (!output->in_container)
		output->offset -= (u64)left;
}

/* The reader is looked for while it still has the pipe. */
void command_output_end(struct output *output, const struct sendcp_cancel *cancel, bool overdue)
{
	if (!output->pid)
		return;
	output_find_reader(output);
	take_back(output);
	close(output->fd);
	output->fd = -1;
	output->status = overdue ? child_stop(output->pid) : child_wait(output->pid, cancel);
	output->pid = 0;
}

bool command_names_offset(const char *command)
{
	return strstr(command, COMMAND_OFFSET);
}
