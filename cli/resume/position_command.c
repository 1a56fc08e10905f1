// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Asking the receiver how much it has.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "resume/position_command.h"
#include "transfer/command_output.h"
#include "util/alloc.h"
#include "util/child.h"
#include "util/message.h"
#include "util/signals.h"
#include "util/text.h"

/* More than any answer has, so that all of a wrong one's beginning can be shown. */
#define ANSWER_MAX (64u << 10)
#define SHOWN_MAX 200
/* Milliseconds between two looks at whether a signal came. */
#define LOOK 50

bool position_answer_parse(const char *text, size_t size, struct receiver *receiver)
{
	char line[POSITION_TEXT_SIZE + 1];

	*receiver = (struct receiver){ .proven = false };
	if (size && text[size - 1] == '\n')
		size--;
	if (size >= sizeof(line) || memchr(text, '\0', size))
		return false;
	memcpy(line, text, size);
	line[size] = '\0';
	if (sendcp_parse_u64(line, &receiver->position.file))
		return true;
	receiver->proven = true;
	return position_parse(line, &receiver->position);
}

/* All that comes from @fd, and no more than one byte too many. False: a signal, or an error. */
static bool read_answer(int fd, char *answer, size_t *size)
{
	struct pollfd readable = { .fd = fd, .events = POLLIN };
	ssize_t got = 1;

	*size = 0;
	while (got && *size <= ANSWER_MAX) {
		if (signals_stopped())
			return false;
		if (poll(&readable, 1, LOOK) <= 0)
			continue;
		got = read(fd, answer + *size, ANSWER_MAX + 1 - *size);
		if (got < 0 && errno != EINTR)
			return false;
		if (got > 0)
			*size += (size_t)got;
	}
	return true;
}

static enum position_answer report_failed(const char *command, int status)
{
	char text[64];

	error_line("--position-command: %s: %s", command,
		   child_status_text(status, text, sizeof(text)));
	return child_not_run(status) ? POSITION_NO_COMMAND : POSITION_UNKNOWN;
}

static enum position_answer report_answer(const char *command, char *answer, size_t size)
{
	if (size > ANSWER_MAX)
		error_line("--position-command: %s: printed more than %u bytes", command,
			   ANSWER_MAX);
	else if (!size)
		error_line("--position-command: %s: printed nothing", command);
	else
		error_line("--position-command: %s: not a number of bytes, nor a position as "
			   "sendcp verify --position prints: %.*s", command,
			   (int)sendcp_min(size, SHOWN_MAX), answer);
	return POSITION_UNKNOWN;
}

/* @answer has room for one byte more than is taken. */
static enum position_answer ask(const char *command, int fd, pid_t pid, char *answer,
				struct receiver *receiver)
{
	size_t size;
	bool all = read_answer(fd, answer, &size) && size <= ANSWER_MAX;
	int status;

	close(fd);
	if (!all)
		child_terminate(pid);
	status = all ? child_wait(pid, signals_cancel()) : child_stop(pid);
	if (signals_stopped())
		return POSITION_UNKNOWN;
	if (all && status)
		return report_failed(command, status);
	if (!all || !position_answer_parse(answer, size, receiver))
		return report_answer(command, answer, size);
	return POSITION_KNOWN;
}

/* What the terminal, or a pipe, has for sendcp is not for the command, which may be ssh. */
static int start(const char *command, int out, pid_t *pid)
{
	int in = open("/dev/null", O_RDONLY | O_CLOEXEC);
	int ret = in < 0 ? -errno : child_start(command, in, out, COMMAND_OFFSET "=", pid);

	if (in >= 0)
		close(in);
	return ret;
}

enum position_answer position_ask(const char *command, struct receiver *receiver)
{
	enum position_answer result;
	int ends[2], ret;
	char *answer;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC)) {
		error_line("cannot make a pipe: %s", strerror(errno));
		return POSITION_UNKNOWN;
	}
	ret = start(command, ends[1], &pid);
	close(ends[1]);
	if (ret) {
		close(ends[0]);
		error_line("cannot start a shell: %s", strerror(-ret));
		return POSITION_UNKNOWN;
	}
	answer = xmalloc(ANSWER_MAX + 1);
	result = ask(command, ends[0], pid, answer, receiver);
	free(answer);
	return result;
}
