// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * sendcp's commands, each in a child process that was forked and not executed.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "command.h"

#define WORDS_MAX 32

/* cli/commands/main.c, compiled with another name for its main(). */
int sendcp_main(int argc, char **argv);

static void die(const char *what)
{
	perror(what);
	_exit(1);
}

static void run_child(int argc, char **argv, int out, int err)
{
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	int status;

	/* The parent is killed if this hangs. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(out, STDOUT_FILENO) < 0 ||
	    dup2(err, STDERR_FILENO) < 0)
		die("corruption: dup2");
	status = sendcp_main(argc, argv);
	fflush(NULL);
	_exit(status);
}

/* What is too much for the buffer is read and dropped. */
static size_t read_all(int fd, u8 *bytes)
{
	u8 rest[4096];
	size_t size = 0;
	ssize_t got;

	do {
		got = size < COMMAND_OUTPUT ? read(fd, bytes + size, COMMAND_OUTPUT - size) :
		      read(fd, rest, sizeof(rest));
		if (got > 0 && size < COMMAND_OUTPUT)
			size += (size_t)got;
	} while (got > 0 || (got < 0 && errno == EINTR));
	return size;
}

static void collect(struct command_result *result, pid_t pid, int out, int err)
{
	struct rusage usage;
	ssize_t size;
	int status;

	result->out_size = read_all(out, result->out);
	if (wait4(pid, &status, 0, &usage) != pid)
		die("corruption: wait");
	size = pread(err, result->err, sizeof(result->err) - 1, 0);
	result->err[size > 0 ? size : 0] = '\0';
	result->status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
	if (strstr(result->err, "Sanitizer") || strstr(result->err, "runtime error"))
		result->status = -1;
	result->memory = (u64)usage.ru_maxrss << 10 > CASE_MEMORY_MAX;
}

void command_run(struct command_result *result, ...)
{
	char *words[WORDS_MAX] = { (char *)"sendcp" };
	int argc = 1, pipes[2], err;
	va_list args;
	pid_t pid;

	va_start(args, result);
	while (argc < WORDS_MAX && (words[argc] = va_arg(args, char *)))
		argc++;
	va_end(args);
	err = memfd_create("err", MFD_CLOEXEC);
	if (argc == WORDS_MAX || err < 0 || pipe2(pipes, O_CLOEXEC))
		die("corruption: pipe");
	fflush(NULL);
	pid = fork();
	if (pid < 0)
		die("corruption: fork");
	if (!pid) {
		close(pipes[0]);
		run_child(argc, words, pipes[1], err);
	}
	close(pipes[1]);
	collect(result, pid, pipes[0], err);
	close(pipes[0]);
	close(err);
}

void content_read(struct content *content, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	content->size = 0;
	if (fd < 0 && errno == ENOENT)
		return;
	if (fd < 0)
		die(path);
	content->size = read_all(fd, content->bytes);
	close(fd);
}

void content_write(const struct content *content, const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (fd < 0 || write(fd, content->bytes, content->size) != (ssize_t)content->size)
		die(path);
	close(fd);
}

bool content_equal(const struct content *a, const struct content *b)
{
	return a->size == b->size && !memcmp(a->bytes, b->bytes, a->size);
}
