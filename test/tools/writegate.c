// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * writegate.so: preloaded into sendcp, stops it before the write that would pass a given byte of
 * its output, so that a test can end a pipeline at a place of its choice and not by chance.
 *
 *   WRITEGATE_AT      byte of this run's output
 *   WRITEGATE_FILE    the output when it is a regular file; else it is standard output
 *   WRITEGATE_REACHED FIFO that one byte is written to before that write
 *   WRITEGATE_GO      FIFO that is then read until there is a byte or a signal; absent: no stop
 *
 * What is written up to WRITEGATE_AT is let through as a part of the write that contains it.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static uint64_t written;
static bool passed;

static bool is_output(int fd)
{
	const char *file = getenv("WRITEGATE_FILE");
	struct stat opened, named;

	if (!file)
		return fd == STDOUT_FILENO;
	return !fstat(fd, &opened) && !stat(file, &named) && opened.st_dev == named.st_dev &&
	       opened.st_ino == named.st_ino;
}

static void give_up(const char *what)
{
	perror(what);
	_exit(125);
}

static int open_fifo(const char *name, int flags)
{
	int fd = open(getenv(name), flags | O_CLOEXEC);

	if (fd < 0)
		give_up(name);
	return fd;
}

static void tell(ssize_t (*real)(int, const void *, size_t))
{
	int fd = open_fifo("WRITEGATE_REACHED", O_WRONLY);

	if (real(fd, "", 1) != 1)
		give_up("WRITEGATE_REACHED");
	close(fd);
}

/* Interrupted or let go: the write that follows is as if the signal had come just before it. */
static void stop(void)
{
	char byte;
	int fd;

	if (!getenv("WRITEGATE_GO"))
		return;
	fd = open_fifo("WRITEGATE_GO", O_RDONLY);
	if (read(fd, &byte, 1) < 0 && errno != EINTR)
		give_up("WRITEGATE_GO");
	close(fd);
}

ssize_t write(int fd, const void *data, size_t size)
{
	static ssize_t (*real)(int, const void *, size_t);
	const char *at = getenv("WRITEGATE_AT");
	ssize_t done;

	if (!real)
		*(void **)&real = dlsym(RTLD_NEXT, "write");
	if (!at || passed || !is_output(fd))
		return real(fd, data, size);
	uint64_t left = strtoull(at, NULL, 10) - written;

	if (!left) {
		passed = true;
		tell(real);
		stop();
		return real(fd, data, size);
	}
	done = real(fd, data, size < left ? size : left);
	if (done > 0)
		written += (uint64_t)done;
	return done;
}
