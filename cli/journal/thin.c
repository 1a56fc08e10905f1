// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Keeping a journal small: old batches go when many newer ones follow them.
 *
 * The lines that stay are written to a new file that then takes the old one's name, so that a crash
 * leaves one or the other.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "journal/lines.h"
#include "journal/write_internal.h"
#include "util/alloc.h"
#include "util/fileio.h"
#include "util/message.h"

/* The reader's rule (read.c): later batches take the place of those they cover. */
static bool taken_by(const struct journal_line *line, const struct journal_batch *batch)
{
	if (line->output_end > batch->output_offset)
		return true;
	return line->output_offset == batch->output_offset && line->subvolume >= batch->subvolume;
}

int journal_index_add(struct journal *journal, u64 file_offset, const struct journal_batch *batch)
{
	struct journal_line *grown;

	while (journal->count && taken_by(&journal->lines[journal->count - 1], batch))
		replaced_clear(&journal->lines[--journal->count].replaced);
	if (!batch->output_offset)
		replaced_clear(&journal->replaced);
	grown = grow(journal->lines, &journal->capacity, journal->count + 1, sizeof(*grown));
	if (!grown)
		return journal_no_memory(journal);
	journal->lines = grown;
	journal->lines[journal->count++] = (struct journal_line){
		.file_offset = file_offset,
		.output_offset = batch->output_offset,
		.output_end = journal_batch_end(batch),
		.subvolume = batch->subvolume,
	};
	replaced_add_list(&journal->lines[journal->count - 1].replaced, &batch->replaced);
	return 0;
}

int journal_index_load(struct journal *journal, const struct journal_contents *contents)
{
	journal->header_length = contents->header_length;
	replaced_add_list(&journal->replaced, &contents->replaced);
	for (size_t i = 0; i < contents->count; i++) {
		const struct journal_batch *batch = &contents->batches[i];

		if (journal_index_add(journal, batch->line_offset, batch))
			return -1;
	}
	return 0;
}

static u64 covered_behind(const struct journal *journal, size_t line)
{
	return journal->lines[journal->count - 1].output_end - journal->lines[line].output_end;
}

/*
 * The first line that must stay. A run that is resumed at the following one needs its checkpoint,
 * so it is the lines after it that have to cover the part that is kept.
 */
static size_t first_to_keep(const struct journal *journal)
{
	size_t low = 0, high = journal->count - 1;

	while (low < high) {
		size_t middle = low + (high - low + 1) / 2;

		if (covered_behind(journal, middle) >= journal->keep)
			low = middle;
		else
			high = middle - 1;
	}
	return low;
}

/* Takes over @line. 0, or -1 with errno. */
static int write_line(int fd, char *line, size_t length, u64 *at)
{
	int ret = -1;

	if (!line)
		errno = ENOMEM;
	else
		ret = journal_write_line(fd, line, length, *at);
	free(line);
	*at += length;
	return ret;
}

/* Again, since the one in the file goes. */
static int write_total(const struct journal *journal, int fd, u64 *at)
{
	struct stream_place place = { .output_offset = journal->total };
	size_t length = 0;
	char *line;

	if (!journal->total)
		return 0;
	line = journal_place_line("total", &place, false, NULL, &length);
	return write_line(fd, line, length, at);
}

/* What was replaced in the lines that go. */
static int write_replaced(const struct replaced_list *list, int fd, u64 *at)
{
	size_t length = 0;
	char *line;

	if (!replaced_count(list))
		return 0;
	line = journal_replaced_line(list, &length);
	return write_line(fd, line, length, at);
}

static int write_dropped(const struct journal *journal, int fd, u64 from, u64 *at)
{
	struct replaced_list all = { 0 };
	int ret;

	replaced_add_list(&all, &journal->replaced);
	for (size_t i = 0; i < journal->count && journal->lines[i].file_offset < from; i++)
		replaced_add_list(&all, &journal->lines[i].replaced);
	ret = write_replaced(&all, fd, at);
	replaced_clear(&all);
	return ret;
}

/* Writes what stays, from @from on, to @fd; the new length goes to *@size. 0, or -1 with errno. */
static int write_kept(struct journal *journal, int fd, const void *from_where, u64 *size)
{
	u64 from = *(const u64 *)from_where;
	u64 at = journal->header_length;

	if (copy_range(journal->fd, 0, fd, 0, at))
		return -1;
	if (journal->resumed && write_at(fd, journal->resumed, journal->resumed_length, at))
		return -1;
	at += journal->resumed ? journal->resumed_length : 0;
	if (write_total(journal, fd, &at) || write_dropped(journal, fd, from, &at))
		return -1;
	if (copy_range(journal->fd, from, fd, at, journal->size - from))
		return -1;
	*size = at + journal->size - from;
	return fsync(fd);
}

typedef int (*write_fn)(struct journal *journal, int fd, const void *context, u64 *size);

/* The new file is locked before it gets the name, so that there is never one without a lock. */
static int replace_named(struct journal *journal, const char *temporary, write_fn write_lines,
			 const void *context, u64 *size)
{
	int fd = open(temporary, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (fd < 0)
		return -1;
	without_memory_remove(temporary);
	if (flock(fd, LOCK_EX | LOCK_NB) || write_lines(journal, fd, context, size) ||
	    rename(temporary, journal->path)) {
		int failed = errno;

		close(fd);
		unlink(temporary);
		without_memory_remove(NULL);
		errno = failed;
		return -1;
	}
	without_memory_remove(NULL);
	close(journal->fd);
	journal->fd = fd;
	/* @write_lines has synced them. */
	journal->synced = true;
	return 0;
}

static char *temporary_path(const struct journal *journal)
{
	return xasprintf("%s.thin", journal->path);
}

/* Removes the part of a journal that a crash left, but no other file of that name. */
static void drop(const char *temporary)
{
	int fd = open(temporary, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW);
	char start[64];
	ssize_t got = fd < 0 ? -1 : read_up_to(fd, start, sizeof(start), 0);

	/* Or of its beginning, which may never have reached the disk. */
	if (!got || (got > 0 && (!start[0] || journal_recognise(start, (size_t)got))))
		unlink(temporary);
	if (fd >= 0)
		close(fd);
}

/* Under the lock, so that it is no other run's. */
void journal_drop_temporary(struct journal *journal)
{
	char *temporary = temporary_path(journal);

	drop(temporary);
	free(temporary);
}

/* Beside the old file; a crash may have left one. */
static int replace_file(struct journal *journal, write_fn write_lines, const void *context,
			u64 *size)
{
	char *temporary = temporary_path(journal);
	int ret;

	drop(temporary);
	ret = replace_named(journal, temporary, write_lines, context, size);
	free(temporary);
	return ret;
}

/* The lines that stay have moved to the front. */
static void drop_lines(struct journal *journal, size_t first, u64 size)
{
	u64 shift = journal->size - size;

	for (size_t i = 0; i < first; i++)
		replaced_move(&journal->replaced, &journal->lines[i].replaced);
	journal->count -= first;
	memmove(journal->lines, journal->lines + first, journal->count * sizeof(*journal->lines));
	for (size_t i = 0; i < journal->count; i++)
		journal->lines[i].file_offset -= shift;
	journal->size = size;
}

/* Only when as much can go as stays, so that the work stays in proportion to the stream. */
int journal_thin(struct journal *journal)
{
	u64 threshold = sendcp_max(2 * journal->keep, journal->thin_above);
	u64 covered = covered_behind(journal, 0);
	size_t first;
	u64 size;

	if (covered < threshold)
		return 0;
	first = first_to_keep(journal);
	if (replace_file(journal, write_kept, &journal->lines[first].file_offset, &size)) {
		verbose_line(1, "cannot drop old checkpoints from %s: %s", journal->path,
			     strerror(errno));
		journal->thin_above = covered + journal->keep;
		return 0;
	}
	drop_lines(journal, first, size);
	journal->thin_above = 0;
	if (sync_directory_of(journal->path))
		return journal_failed(journal, "sync");
	return 0;
}

static int write_whole(struct journal *journal, int fd, const void *private, u64 *size)
{
	const struct journal_contents *contents = private;
	char *line = journal_header_line(&contents->header, &journal->header_length);
	size_t length = 0;

	*size = 0;
	if (write_line(fd, line, journal->header_length, size) || write_total(journal, fd, size) ||
	    write_replaced(&contents->replaced, fd, size))
		return -1;
	/* Only batches are kept, so all of them are in the index. */
	for (size_t i = 0; i < contents->count; i++) {
		journal->lines[i].file_offset = *size;
		line = journal_batch_line(&contents->batches[i], &length);
		if (write_line(fd, line, length, size))
			return -1;
	}
	return fsync(fd);
}

int journal_set_container(struct journal *journal, const struct journal_contents *contents)
{
	if (replace_file(journal, write_whole, contents, &journal->size) ||
	    sync_directory_of(journal->path))
		return journal_failed(journal, "rewrite");
	journal_adapt(journal, &contents->header);
	return 0;
}
