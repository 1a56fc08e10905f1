// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Finding the process that reads the pipe of the stream, and the file that it writes.
 */
#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "transfer/pipe_reader.h"
#include "util/alloc.h"

/* Longer pipelines exist; their users know where their files are. */
#define HOPS_MAX 8
#define PROC_PATH 64
#define READERS_MAX 64

static bool is_number(const char *name)
{
	return isdigit((unsigned char)*name);
}

/*
 * The mode in which process @pid has its descriptor @fd open: O_RDONLY, O_WRONLY, O_RDWR; -1:
 * unknown.
 */
static int access_mode(const char *pid, const char *fd)
{
	char path[PROC_PATH], line[128];
	unsigned int flags;
	int mode = -1;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%.16s/fdinfo/%.16s", pid, fd);
	file = fopen(path, "re");
	if (!file)
		return -1;
	while (mode < 0 && fgets(line, sizeof(line), file))
		if (sscanf(line, "flags: %o", &flags) == 1)
			mode = (int)(flags & O_ACCMODE);
	fclose(file);
	return mode;
}

/* Stats descriptor @fd of process @pid; its target may have been deleted. */
static bool stat_fd(const char *pid, const char *fd, struct stat *st)
{
	char path[PROC_PATH];

	snprintf(path, sizeof(path), "/proc/%.16s/fd/%.16s", pid, fd);
	return !stat(path, st);
}

static bool same_file(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

/* The path by which this process finds the regular file too; NULL: it is none, or not found. */
static char *regular_path(const char *pid, const char *fd)
{
	char link[PROC_PATH], path[PATH_MAX];
	struct stat open_file, named;
	ssize_t length;

	if (!stat_fd(pid, fd, &open_file) || !S_ISREG(open_file.st_mode))
		return NULL;
	snprintf(link, sizeof(link), "/proc/%.16s/fd/%.16s", pid, fd);
	length = readlink(link, path, sizeof(path) - 1);
	if (length <= 0)
		return NULL;
	path[length] = '\0';
	if (stat(path, &named) || !same_file(&open_file, &named))
		return NULL;
	return xstrdup(path);
}

/* Calls @visit for each descriptor of @pid until it says true; returns whether it did. */
static bool each_fd(const char *pid, bool (*visit)(const char *pid, const char *fd, void *context),
		    void *context)
{
	char path[PROC_PATH];
	struct dirent *entry;
	bool done = false;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%.16s/fd", pid);
	dir = opendir(path);
	if (!dir)
		return false;
	while (!done && (entry = readdir(dir)))
		done = is_number(entry->d_name) && visit(pid, entry->d_name, context);
	closedir(dir);
	return done;
}

static bool reads_pipe(const char *pid, const char *fd, void *context)
{
	const struct stat *pipe = context;
	struct stat st;

	return stat_fd(pid, fd, &st) && S_ISFIFO(st.st_mode) && same_file(&st, pipe) &&
	       access_mode(pid, fd) == O_RDONLY;
}

static long parent_of(long pid)
{
	char path[PROC_PATH], line[512];
	const char *name_end = NULL;
	long parent = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%ld/stat", pid);
	file = fopen(path, "re");
	if (!file)
		return 0;
	/* The name before it may have any character. */
	if (fgets(line, sizeof(line), file))
		name_end = strrchr(line, ')');
	if (name_end)
		sscanf(name_end, ") %*c %ld", &parent);
	fclose(file);
	return parent;
}

static size_t find_processes(const struct stat *pipe, long *pids, size_t capacity)
{
	struct dirent *entry;
	DIR *dir = opendir("/proc");
	size_t count = 0;

	while (dir && count < capacity && (entry = readdir(dir)))
		if (is_number(entry->d_name) && atol(entry->d_name) != (long)getpid() &&
		    each_fd(entry->d_name, reads_pipe, (void *)pipe))
			pids[count++] = atol(entry->d_name);
	if (dir)
		closedir(dir);
	return count;
}

static bool has_child(long pid, const long *pids, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (parent_of(pids[i]) == pid)
			return true;
	return false;
}

/*
 * The process that reads @pipe into @pid; false: none that can be seen. Shells that wait for their
 * children have the pipe open, too.
 */
static bool find_process(const struct stat *pipe, char *pid, size_t size)
{
	long pids[READERS_MAX];
	size_t count = find_processes(pipe, pids, READERS_MAX);

	for (size_t i = 0; i < count; i++) {
		if (has_child(pids[i], pids, count))
			continue;
		snprintf(pid, size, "%ld", pids[i]);
		return true;
	}
	return false;
}

/* Arguments of one process fit; of longer lists the first part is enough. */
static bool is_receive(const char *pid)
{
	char path[PROC_PATH], words[4096];
	const char *btrfs;
	FILE *file;
	size_t got;

	snprintf(path, sizeof(path), "/proc/%.16s/cmdline", pid);
	file = fopen(path, "re");
	if (!file)
		return false;
	got = fread(words, 1, sizeof(words) - 1, file);
	fclose(file);
	for (size_t i = 0; i < got; i++)
		if (!words[i])
			words[i] = ' ';
	words[got] = '\0';
	btrfs = strstr(words, "btrfs ");
	return btrfs && (btrfs == words || strchr("/ '\"", btrfs[-1])) &&
	       strstr(btrfs, " receive ");
}

static bool is_same(const char *pid, const char *fd, void *context)
{
	const struct stat *wanted = context;
	struct stat st;

	return stat_fd(pid, fd, &st) && same_file(&st, wanted);
}

/* A log that the shell opened is open in all that it started, and so here too. */
static bool is_inherited(const char *path)
{
	struct stat st;

	return !stat(path, &st) && each_fd("self", is_same, &st);
}

/* regular_path(), if the file is the reader's own. */
static char *written_path(const char *pid, const char *fd)
{
	char *path = regular_path(pid, fd);

	if (path && is_inherited(path)) {
		free(path);
		return NULL;
	}
	return path;
}

/* The output of a program such as dd or zstd -o: the only regular file that it may write. */
static bool add_writer(const char *pid, const char *fd, void *context)
{
	char **found = context;
	char *path;
	int mode;

	if (atoi(fd) <= STDERR_FILENO)
		return false;
	mode = access_mode(pid, fd);
	path = mode == O_WRONLY || mode == O_RDWR ? written_path(pid, fd) : NULL;
	if (!path)
		return false;
	if (*found) {
		free(path);
		free(*found);
		*found = NULL;
		return true;
	}
	*found = path;
	return false;
}

void pipe_reader_find(int fd, struct pipe_reader *reader)
{
	char number[16], pid[16];
	struct stat pipe;

	*reader = (struct pipe_reader){ 0 };
	snprintf(number, sizeof(number), "%d", fd);
	reader->file = regular_path("self", number);
	if (reader->file || fstat(fd, &pipe))
		return;
	for (int hops = 0; hops < HOPS_MAX && S_ISFIFO(pipe.st_mode); hops++) {
		if (!find_process(&pipe, pid, sizeof(pid)))
			return;
		reader->receive = is_receive(pid);
		if (reader->receive)
			return;
		if (!stat_fd(pid, "1", &pipe))
			return;
		reader->file = written_path(pid, "1");
		if (!reader->file && !S_ISFIFO(pipe.st_mode))
			each_fd(pid, add_writer, &reader->file);
	}
}

void pipe_reader_clear(struct pipe_reader *reader)
{
	free(reader->file);
	*reader = (struct pipe_reader){ 0 };
}
