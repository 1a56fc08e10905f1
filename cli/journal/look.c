// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Looking into a journal without taking part in it: never waiting, and whether a run has it.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "journal/format.h"
#include "util/message.h"

/* A FIFO would be waited for, and a device can do anything when it is opened. */
static int open_regular(const char *path, struct stat *st)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd < 0)
		return error_line("cannot open %s: %s", path, strerror(errno));
	if (fstat(fd, st)) {
		error_line("cannot stat %s: %s", path, strerror(errno));
	} else if (!S_ISREG(st->st_mode)) {
		error_line("%s is not a regular file", path);
	} else {
		return fd;
	}
	close(fd);
	return -1;
}

/*
 * Whoever has a lock is running. A run that begins at this moment finds this lock and tries again
 * (write.c).
 */
bool journal_locked(int fd)
{
	if (flock(fd, LOCK_SH | LOCK_NB))
		return errno == EWOULDBLOCK;
	flock(fd, LOCK_UN);
	return false;
}

/* Thinning gives the name to another file, which has the lock then. */
static bool replaced(const char *path, const struct stat *st)
{
	struct stat named;

	return !stat(path, &named) && (named.st_ino != st->st_ino || named.st_dev != st->st_dev);
}

int journal_look(const char *path, struct journal_contents *out, bool *running)
{
	struct stat st;
	int fd = -1, ret;

	for (unsigned int tries = 0; tries < 10; tries++) {
		if (fd >= 0)
			close(fd);
		fd = open_regular(path, &st);
		if (fd < 0)
			return -1;
		*running = journal_locked(fd);
		if (*running || !replaced(path, &st))
			break;
	}
	ret = journal_read(fd, path, out);
	close(fd);
	return ret;
}

int journal_read_path(const char *path, struct journal_contents *out)
{
	struct stat st;
	int fd = open_regular(path, &st);
	int ret;

	if (fd < 0)
		return -1;
	ret = journal_read(fd, path, out);
	close(fd);
	return ret;
}
