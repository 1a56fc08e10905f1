// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Writing a sidecar: the file, its lock, and its lines.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "alloc.h"
#include "fileio.h"
#include "journal.h"
#include "journal_internal.h"
#include "json_line.h"
#include "message.h"
#include "text.h"

int journal_failed(const struct journal *journal, const char *doing)
{
	return error_line("cannot %s %s: %s", doing, journal->path, strerror(errno));
}

/* Writes @line at the file's end, or leaves the file as it was. */
static int put_line(struct journal *journal, const char *line, size_t length)
{
	if (write_at(journal->fd, line, length, journal->size)) {
		int failed = errno;

		/* Without room even cutting may fail; then the reader ignores the torn line. */
		if (ftruncate(journal->fd, (off_t)journal->size))
			verbose_line(1, "cannot cut %s: %s", journal->path, strerror(errno));
		errno = failed;
		return journal_failed(journal, "write");
	}
	journal->size += length;
	return 0;
}

/* Takes over @object. The line's length goes to *@length. */
static int put_object(struct journal *journal, struct json_object *object, size_t *length)
{
	char *line = object ? json_line_format(object, length) : NULL;
	int ret;

	json_object_put(object);
	if (!line)
		return error_line("out of memory");
	ret = put_line(journal, line, *length);
	free(line);
	return ret;
}

static struct json_object *new_line(const char *type, u64 offset)
{
	struct json_object *object = json_object_new_object();

	if (!object)
		return NULL;
	json_put_string(object, "type", type);
	json_put_u64(object, "output_offset", offset);
	return object;
}

static struct json_object *batch_json(const struct sidecar_batch *batch)
{
	char *checkpoint = base64_encode(batch->checkpoint, batch->checkpoint_size);
	struct json_object *object = checkpoint ? new_line("batch", batch->output_offset) : NULL;

	if (object) {
		json_put_u64(object, "subvolume", batch->subvolume);
		json_put_u64(object, "stream_offset", batch->stream_offset);
		json_put_u64(object, "length", batch->length);
		json_put_hex(object, "xxh3_128", batch->hash, sizeof(batch->hash));
		if (batch->end)
			json_put_bool(object, "end", true);
		json_put_string(object, "checkpoint", checkpoint);
	}
	free(checkpoint);
	return object;
}

int journal_batch(struct journal *journal, const struct sidecar_batch *batch)
{
	u64 start = journal->size;
	size_t length;

	if (put_object(journal, batch_json(batch), &length) ||
	    journal_index_add(journal, start, batch))
		return -1;
	return journal_thin(journal);
}

int journal_handed(struct journal *journal, u64 offset)
{
	size_t length;

	return put_object(journal, new_line("handed", offset), &length);
}

int journal_complete(struct journal *journal, u64 offset)
{
	size_t length;

	return put_object(journal, new_line("complete", offset), &length);
}

/* Where the output went is kept beside, because thinning drops the line that says it. */
int journal_resumed(struct journal *journal, u64 offset, const char *output)
{
	struct json_object *object = new_line("resumed", offset);
	size_t length;
	char *line;
	int ret;

	if (object && output)
		json_put_string(object, "output", output);
	line = object ? json_line_format(object, &length) : NULL;
	json_object_put(object);
	if (!line)
		return error_line("out of memory");
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
	free(journal->lines);
	free(journal->resumed);
	free(journal->path);
	free(journal);
}

int journal_remove(struct journal *journal)
{
	int ret = unlink(journal->path) ? journal_failed(journal, "remove") : 0;

	journal_close(journal);
	return ret;
}

void journal_set_keep(struct journal *journal, u64 keep)
{
	journal->keep = keep;
}

const char *journal_path(const struct journal *journal)
{
	return journal->path;
}

/*
 * Another run may have replaced the file (thinning renames) between open and lock: what is locked
 * must still be what the path names.
 */
static int lock_current(struct journal *journal, bool *current)
{
	struct stat locked, named;

	if (flock(journal->fd, LOCK_EX | LOCK_NB)) {
		if (errno == EWOULDBLOCK)
			return error_line("%s is in use by another sendcp", journal->path);
		return journal_failed(journal, "lock");
	}
	if (fstat(journal->fd, &locked))
		return journal_failed(journal, "look at");
	if (!S_ISREG(locked.st_mode))
		return error_line("%s is not a regular file", journal->path);
	*current = !stat(journal->path, &named) && named.st_ino == locked.st_ino &&
		   named.st_dev == locked.st_dev;
	return 0;
}

/* Opens @journal's path and locks it. A few rounds are enough unless someone plays games. */
static int open_locked(struct journal *journal, int flags)
{
	bool current = false;

	for (unsigned int tries = 0; tries < 10 && !current; tries++) {
		if (journal->fd >= 0)
			close(journal->fd);
		journal->fd = open(journal->path, O_RDWR | O_CLOEXEC | O_NONBLOCK | flags, 0600);
		if (journal->fd < 0)
			return journal_failed(journal, "open");
		if (lock_current(journal, &current))
			return -1;
	}
	return current ? 0 : error_line("%s keeps being replaced", journal->path);
}

/* A wrong name after --checkpoint must not cost anyone a file. */
static int check_overwritable(struct journal *journal)
{
	char start[64];
	ssize_t got = pread(journal->fd, start, sizeof(start), 0);

	if (got < 0)
		return journal_failed(journal, "read");
	if (got && !sidecar_recognise(start, (size_t)got))
		return error_line("%s exists and is not a sidecar of sendcp: not overwriting it",
				  journal->path);
	return 0;
}

/* The name has to be as durable as the contents before anything relies on the file. */
static int write_header(struct journal *journal, const struct sidecar_header *header)
{
	if (ftruncate(journal->fd, 0) || fchmod(journal->fd, 0600))
		return journal_failed(journal, "empty");
	if (put_object(journal, sidecar_header_json(header), &journal->header_length))
		return -1;
	if (fsync(journal->fd) || sync_directory_of(journal->path))
		return journal_failed(journal, "sync");
	return 0;
}

int journal_create(const char *path, const struct sidecar_header *header, struct journal **out)
{
	struct journal *journal = new_journal(path);

	*out = NULL;
	if (open_locked(journal, O_CREAT) || check_overwritable(journal) ||
	    write_header(journal, header)) {
		journal_close(journal);
		return -1;
	}
	*out = journal;
	return 0;
}

/* What is torn would otherwise stand in the middle of the file. */
static int adopt(struct journal *journal, const struct sidecar *contents)
{
	journal->size = contents->good_size;
	if (ftruncate(journal->fd, (off_t)journal->size))
		return journal_failed(journal, "cut");
	return journal_index_load(journal, contents);
}

int journal_open(const char *path, struct sidecar *contents, struct journal **out)
{
	struct journal *journal = new_journal(path);

	*out = NULL;
	if (open_locked(journal, 0))
		goto fail;
	if (sidecar_read(journal->fd, path, contents))
		goto fail;
	if (adopt(journal, contents)) {
		sidecar_clear(contents);
		goto fail;
	}
	*out = journal;
	return 0;
fail:
	journal_close(journal);
	return -1;
}
