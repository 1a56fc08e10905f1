// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Writing a journal: the file, its lock, and its lines.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "journal/lines.h"
#include "journal/write.h"
#include "journal/write_internal.h"
#include "util/alloc.h"
#include "util/fileio.h"
#include "util/guard.h"
#include "util/message.h"
#include "util/summary.h"

int journal_failed(struct journal *journal, const char *doing)
{
	bool first = !journal->err;

	journal->err = -errno;
	/* What is tried after a failure, to save what can be saved, may fail in the same way. */
	if (first)
		error_line("cannot %s %s: %s", doing, journal->path, strerror(errno));
	return -1;
}

int journal_no_memory(struct journal *journal)
{
	journal->err = no_memory();
	return -1;
}

int journal_error(const struct journal *journal)
{
	return journal->err;
}

int journal_write_line(int fd, const char *line, size_t length, u64 at)
{
	if (length <= JOURNAL_LINE_MAX)
		return write_at(fd, line, length, at);
	errno = EMSGSIZE;
	return -1;
}

/* Writes @line at the file's end, or leaves the file as it was. */
static int put_line(struct journal *journal, const char *line, size_t length)
{
	journal->synced = false;
	if (journal_write_line(journal->fd, line, length, journal->size)) {
		int failed = errno;

		/* Without space even cutting may fail; then the reader ignores the torn line. */
		if (ftruncate(journal->fd, (off_t)journal->size))
			verbose_line(1, "cannot truncate %s: %s", journal->path, strerror(errno));
		errno = failed;
		return journal_failed(journal, "write");
	}
	journal->size += length;
	return 0;
}

/* Takes over @line, which may be NULL: no memory. */
static int put_text(struct journal *journal, char *line, size_t length)
{
	int ret = line ? put_line(journal, line, length) : journal_no_memory(journal);

	free(line);
	return ret;
}

int journal_put_batch(struct journal *journal, const struct journal_batch *batch)
{
	struct journal_batch line_batch = *batch;
	u64 start = journal->size;
	size_t length;
	char *line;

	line_batch.synced = journal->synced;
	line_batch.time = (u64)time(NULL);
	line = journal_batch_line(&line_batch, &length);
	if (put_text(journal, line, length) || journal_index_add(journal, start, batch))
		return -1;
	return journal_thin(journal);
}

static int put_place(struct journal *journal, const char *type, const struct stream_place *place)
{
	size_t length;
	char *line = journal_place_line(type, place, journal->in_container, NULL, &length);

	return put_text(journal, line, length);
}

int journal_mark(struct journal *journal, const struct stream_place *place)
{
	return put_place(journal, "mark", place);
}

int journal_delivered(struct journal *journal, const struct stream_place *place)
{
	return put_place(journal, "delivered", place);
}

int journal_complete(struct journal *journal, const struct stream_place *place)
{
	return put_place(journal, "complete", place);
}

int journal_total(struct journal *journal, u64 total)
{
	struct stream_place place = { .output_offset = total };
	size_t length;
	char *line;

	if (total == journal->total)
		return 0;
	journal->total = total;
	line = journal_place_line("total", &place, false, NULL, &length);
	return put_text(journal, line, length);
}

/* The line is kept in memory too, because thinning drops the one in the file. */
int journal_resumed(struct journal *journal, const struct stream_place *place,
		    const char *output)
{
	size_t length;
	char *line = journal_place_line("resumed", place, journal->in_container, output, &length);
	int ret;

	if (!line)
		return journal_no_memory(journal);
	ret = put_line(journal, line, length);
	free(journal->resumed);
	journal->resumed = line;
	journal->resumed_length = length;
	return ret;
}

int journal_sync(struct journal *journal)
{
	if (fdatasync(journal->fd))
		return journal_failed(journal, "sync");
	journal->synced = true;
	return 0;
}

static struct journal *new_journal(const char *path)
{
	struct journal *journal = xcalloc(1, sizeof(*journal));

	journal->path = xstrdup(path);
	journal->fd = -1;
	journal->keep = JOURNAL_KEEP;
	return journal;
}

void journal_close(struct journal *journal)
{
	if (!journal)
		return;
	if (journal->fd >= 0)
		close(journal->fd);
	for (size_t i = 0; i < journal->count; i++)
		replaced_clear(&journal->lines[i].replaced);
	free(journal->lines);
	replaced_clear(&journal->replaced);
	free(journal->resumed);
	free(journal->path);
	free(journal->link);
	free(journal);
}

/* Its name goes with the file: the next send would refuse a link that leads nowhere. */
static int remove_link(const char *path)
{
	struct stat st;

	return lstat(path, &st) || !S_ISLNK(st.st_mode) ? 0 : unlink(path);
}

void journal_remove(struct journal *journal)
{
	/* What it was for is done, and its last line says so: one that stays changes no outcome. */
	if (unlink(journal->path) || (journal->link && remove_link(journal->link)) ||
	    sync_directory_of(journal->path))
		warn_line("cannot remove %s, which is of no more use: %s", journal->path,
			  strerror(errno));
	else
		summary_checkpoint_removed();
	journal_close(journal);
}

void journal_set_keep(struct journal *journal, u64 keep)
{
	journal->keep = keep;
}

bool journal_trusted(const struct journal *journal)
{
	return journal->trusted;
}

const char *journal_path(const struct journal *journal)
{
	return journal->path;
}

/* For a moment the lock may be that of someone who only looks (look.c). */
static int lock(int fd)
{
	const struct timespec pause = { .tv_nsec = 10000000 };

	for (unsigned int tries = 0; tries < 10; tries++) {
		if (!flock(fd, LOCK_EX | LOCK_NB))
			return 0;
		if (errno != EWOULDBLOCK)
			return -1;
		nanosleep(&pause, NULL);
	}
	return flock(fd, LOCK_EX | LOCK_NB);
}

/*
 * Another run may have replaced the file (thinning renames) between open and lock: the locked file
 * must still be the one that the path names.
 */
static int lock_current(struct journal *journal, bool *current)
{
	struct stat locked, named;

	if (lock(journal->fd)) {
		journal->in_use = errno == EWOULDBLOCK;
		if (journal->in_use)
			return error_in_use(journal->path);
		return journal_failed(journal, "lock");
	}
	if (fstat(journal->fd, &locked))
		return journal_failed(journal, "stat");
	if (!S_ISREG(locked.st_mode))
		return error_line("%s is not a regular file", journal->path);
	*current = !stat(journal->path, &named) && named.st_ino == locked.st_ino &&
		   named.st_dev == locked.st_dev;
	return 0;
}

/* A name that is a link is replaced by what it leads to, where the file has its temporary name. */
static int open_file(struct journal *journal, int flags)
{
	const char *why;
	char *real;

	journal->fd = guard_open(journal->path, O_RDWR | O_CLOEXEC | O_NONBLOCK | flags,
				 GUARD_JOURNAL, &real, &why);
	if (journal->fd < 0) {
		free(real);
		if (!why)
			return journal_failed(journal, "open");
		journal->err = -EPERM;
		return error_line("cannot open %s: %s", journal->path, why);
	}
	if (real) {
		if (journal->link)
			free(journal->path);
		else
			journal->link = journal->path;
		journal->path = real;
	}
	return 0;
}

/* Opens @journal's path and locks it. A few rounds are enough unless someone plays games. */
static int open_locked(struct journal *journal, int flags)
{
	bool current = false;

	for (unsigned int tries = 0; tries < 10 && !current; tries++) {
		if (journal->fd >= 0)
			close(journal->fd);
		if (open_file(journal, flags) || lock_current(journal, &current))
			return -1;
	}
	return current ? 0 : error_line("%s is replaced again and again", journal->path);
}

/* A wrong name after --checkpoint must not cost anyone a file. */
static int check_overwritable(struct journal *journal)
{
	char start[64];
	ssize_t got = read_up_to(journal->fd, start, sizeof(start), 0);

	if (got < 0)
		return journal_failed(journal, "read");
	if (got && !journal_recognise(start, (size_t)got))
		return error_line("%s exists and is not a checkpoint file: not overwriting it",
				  journal->path);
	return 0;
}

/*
 * An interval that is wrapped into one frame is resumed at its beginning, so its lines are needed.
 */
void journal_adapt(struct journal *journal, const struct journal_header *header)
{
	journal->in_container = !container_is_plain(&header->container);
	journal->keep = sendcp_max(JOURNAL_KEEP, 2 * sendcp_min(header->interval, INT64_MAX / 4));
}

void journal_abandon(struct journal *journal)
{
	struct stat st;

	if (journal && journal->created && !journal->in_use && journal->fd >= 0 &&
	    !fstat(journal->fd, &st) && !st.st_size)
		unlink(journal->path);
	journal_close(journal);
}

int journal_claim(const char *path, struct journal_contents *contents, struct journal **out)
{
	struct journal *journal = new_journal(path);
	struct stat st;

	*out = NULL;
	journal->created = access(path, F_OK) && errno == ENOENT;
	if (contents)
		memset(contents, 0, sizeof(*contents));
	if (open_locked(journal, O_CREAT) || check_overwritable(journal))
		goto fail;
	if (fstat(journal->fd, &st)) {
		journal_failed(journal, "stat");
		goto fail;
	}
	if (contents && st.st_size && journal_read(journal->fd, path, contents))
		goto fail;
	*out = journal;
	return 0;
fail:
	journal_abandon(journal);
	return -1;
}

/* Never in place: a crash would leave half a line, or one with an older journal's after it. */
int journal_begin(struct journal *journal, const struct journal_contents *contents)
{
	journal->total = contents->total;
	return journal_index_load(journal, contents) || journal_set_container(journal, contents) ?
		-1 : 0;
}

int journal_create_with(const char *path, const struct journal_contents *contents,
			struct journal **out)
{
	struct journal *journal;

	*out = NULL;
	if (journal_claim(path, NULL, &journal))
		return -1;
	if (journal_begin(journal, contents)) {
		int failed = errno;

		journal_abandon(journal);
		errno = failed;
		return -1;
	}
	*out = journal;
	return 0;
}

int journal_create(const char *path, const struct journal_header *header, struct journal **out)
{
	const struct journal_contents contents = { .header = *header };

	return journal_create_with(path, &contents, out);
}

/* Cuts off a torn end, which must not come to be in the middle of the file. */
static int adopt(struct journal *journal, const struct journal_contents *contents)
{
	struct stat st;

	journal_adapt(journal, &contents->header);
	journal->total = contents->total;
	journal->size = contents->good_size;
	if (fstat(journal->fd, &st))
		return journal_failed(journal, "stat");
	/* Durably, or a crash could bring lines back after new ones. */
	if ((u64)st.st_size > journal->size) {
		if (ftruncate(journal->fd, (off_t)journal->size))
			return journal_failed(journal, "truncate");
		if (journal_sync(journal))
			return -1;
	}
	journal_drop_temporary(journal);
	return journal_index_load(journal, contents);
}

int journal_open(const char *path, struct journal_contents *contents, struct journal **out)
{
	struct journal *journal = new_journal(path);
	struct stat st;

	*out = NULL;
	if (open_locked(journal, 0))
		goto fail;
	if (fstat(journal->fd, &st)) {
		journal_failed(journal, "stat");
		goto fail;
	}
	journal->trusted = st.st_uid == geteuid() && !(st.st_mode & (S_IWGRP | S_IWOTH));
	if (journal_read(journal->fd, path, contents))
		goto fail;
	if (adopt(journal, contents)) {
		journal_clear(contents);
		goto fail;
	}
	*out = journal;
	return 0;
fail:
	journal_close(journal);
	return -1;
}
