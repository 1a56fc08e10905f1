// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The file or pipe that the stream is written to.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "transfer/command_output.h"
#include "transfer/output.h"
#include "util/alloc.h"
#include "util/fileio.h"
#include "util/guard.h"
#include "util/message.h"
#include "util/pause.h"

/* No pipe holds more unless it was made larger on purpose. */
#define PIPE_MAX (1u << 20)
#define FIRST_PARTS (256u << 10)
/* Seconds that the reader of a pipe has, after it was cancelled, to take the rest of a frame. */
#define STOP_PATIENCE 5

int output_stdout(struct output *output)
{
	*output = (struct output){ .fd = STDOUT_FILENO, .name = "standard output" };
	if (isatty(STDOUT_FILENO))
		return error_line("not dumping send stream into a terminal, "
				  "redirect it into a file");
	return 0;
}

/*
 * Runs with journals of their own would write one over the other. A filesystem without locks does
 * not keep a stream from being written to it.
 */
static int lock_output(const struct output *output)
{
	if (flock(output->fd, LOCK_EX | LOCK_NB) && errno == EWOULDBLOCK)
		return error_in_use(output->name);
	return 0;
}

/* Nothing before or after the stream: a file that a shell appends to holds other things as well. */
static bool begins_empty(int fd)
{
	struct stat st;

	return !fstat(fd, &st) && S_ISREG(st.st_mode) && !st.st_size &&
	       !lseek(fd, 0, SEEK_CUR);
}

int output_stdout_file(struct output *output)
{
	if (output_stdout(output))
		return -1;
	if (!begins_empty(output->fd))
		return 0;
	output_find_reader(output);
	if (!output->reader.file)
		return 0;
	output->stdout_path = xstrdup(output->reader.file);
	output->name = output->stdout_path;
	output->file = true;
	if (lock_output(output))
		return -1;
	if (sync_directory_of(output->name))
		return error_line("cannot sync the directory of %s: %s", output->name,
				  strerror(errno));
	return 0;
}

/* A FIFO must not be opened for anything but writing: its reader would take that for the stream. */
static int open_flags(const char *path, bool create)
{
	struct stat st;

	if (!stat(path, &st) && !S_ISREG(st.st_mode))
		return O_WRONLY;
	return O_RDWR | (create ? O_CREAT : 0);
}

/* A name that a power cut could take away would take all of the file with it. */
int output_open(struct output *output, const char *path, bool create)
{
	bool missing = access(path, F_OK) && errno == ENOENT;
	const char *why;
	struct stat st;
	char *real;

	*output = (struct output){ .name = path, .owned = true };
	output->fd = guard_open(path, open_flags(path, create) | O_CLOEXEC | O_NOCTTY,
				GUARD_OUTPUT, &real, &why);
	free(real);
	if (output->fd < 0 || fstat(output->fd, &st))
		return error_line("cannot open %s: %s", path, why ? why : strerror(errno));
	output->file = S_ISREG(st.st_mode);
	output->created = missing && output->file;
	if (output->file && lock_output(output))
		return -1;
	if (output->created && sync_directory_of(path))
		return error_line("cannot sync the directory of %s: %s", path, strerror(errno));
	return 0;
}

/* The offsets are set for a pipe too: they count what the whole stream has out. */
int output_cut(struct output *output, u64 offset, u64 file_offset)
{
	struct stat st;

	output->offset = offset;
	output->file_offset = file_offset;
	if (!output->file)
		return 0;
	/* Of a complete file nothing changes, its time of modification included. */
	if (fstat(output->fd, &st))
		return error_line("cannot stat %s: %s", output->name, strerror(errno));
	if (((u64)st.st_size != file_offset && ftruncate(output->fd, (off_t)file_offset)) ||
	    lseek(output->fd, (off_t)file_offset, SEEK_SET) < 0)
		return error_line("cannot truncate %s: %s", output->name, strerror(errno));
	return 0;
}

/* Standard output stays open in the process that started sendcp, and with it the lock. */
void output_close(struct output *output)
{
	command_output_end(output, NULL, true);
	if (output->owned && output->fd >= 0)
		close(output->fd);
	else if (output->stdout_path)
		flock(output->fd, LOCK_UN);
	output->fd = -1;
	pipe_reader_clear(&output->reader);
	free(output->stdout_path);
	output->stdout_path = NULL;
}

/* Only under the lock, so that it is nobody else's; a name that stays is no harm. */
void output_discard(struct output *output)
{
	struct stat st;

	if (output->created && !fstat(output->fd, &st) && !st.st_size)
		unlink(output->name);
	output->created = false;
	output_close(output);
}

void output_find_reader(struct output *output)
{
	if (output->file || output->reader_known)
		return;
	pipe_reader_find(output->fd, &output->reader);
	output->reader_known = true;
}

static u64 seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (u64)now.tv_sec;
}

/* Only a pipe's reader can keep anyone waiting. */
static bool gives_up(struct output *output)
{
	if (!sendcp_cancelled(output->cancel) || output->file)
		return false;
	if (!output->in_container)
		return true;
	if (!output->deadline)
		output->deadline = seconds() + STOP_PATIENCE;
	return seconds() >= output->deadline;
}

static void count(struct output *output, size_t done)
{
	if (output->rate.per_second)
		output->rate.granted -= done;
	output->file_offset += done;
	if (!output->in_container)
		output->offset += done;
}

/*
 * Only a part of it until the reader has taken something and is the program that the shell was to
 * start: it may have exited when this returns.
 */
static size_t part_of(struct output *output, size_t size)
{
	if (output->file || output->reader_known)
		return size;
	if (output->file_offset > PIPE_MAX)
		output_find_reader(output);
	return output->reader_known || size < FIRST_PARTS ? size : FIRST_PARTS;
}

/* A pipe that is full waits for its reader: interrupted by the cancel, in whatever thread. */
static ssize_t write_pipe(const struct output *output, const void *data, size_t size)
{
	struct pollfd writable = { .fd = output->fd, .events = POLLOUT };
	struct sendcp_cancel_wait wait;
	ssize_t done;

	sendcp_cancel_wait_begin(&wait, output->cancel);
	done = write(output->fd, data, size);
	/* Someone may have left stdout non-blocking; then writing waits here, and is done again. */
	if (done < 0 && errno == EAGAIN) {
		poll(&writable, 1, -1);
		errno = EINTR;
	}
	sendcp_cancel_wait_end(&wait);
	return done;
}

static ssize_t write_part(struct output *output, const void *data, size_t size)
{
	size = part_of(output, size);
	return output->file ? write(output->fd, data, size) : write_pipe(output, data, size);
}

/* Waits until the next bytes may go, and returns how many. */
static size_t wait_turn(struct output *output, size_t size)
{
	u64 when;

	size = rate_next(&output->rate, size, pause_now(), &when);
	pause_until(when, output->cancel);
	return size;
}

int output_write(struct output *output, const void *data, size_t size)
{
	const char *from = data;

	while (size) {
		size_t part = wait_turn(output, size);
		ssize_t done;

		if (gives_up(output))
			return -EINTR;
		done = write_part(output, from, part);
		if (done < 0 && errno != EINTR)
			return -errno;
		if (!done)
			return -EIO;
		if (done <= 0)
			continue;
		from += done;
		size -= (size_t)done;
		count(output, (size_t)done);
	}
	return 0;
}

static int write_sink(struct sink *sink, const void *data, size_t size)
{
	/* The sink is the first member. */
	return output_write((struct output *)sink, data, size);
}

struct sink *output_sink(struct output *output)
{
	output->sink.write = write_sink;
	return &output->sink;
}

int output_sync(const struct output *output)
{
	if (!output->file)
		return 0;
	return fdatasync(output->fd) ? -errno : 0;
}
