// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Writing members of an archive, with libarchive.
 *
 * Neither format depends on the bytes before a member, so a new writer can continue after an
 * interrupted one. Blocking is switched off: all bytes of a member are out when it is finished.
 */
#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

#include "container/members.h"
#include "util/alloc.h"

struct members {
	struct archive *archive;
	struct archive_entry *entry;
	struct sink *below;
	/* The sink's failure, or nothing more is to be given to it. */
	int err;
};

/* A failure is hidden from libarchive: of an archive that has failed it does not free all. */
static ssize_t give_below(struct archive *archive, void *data, const void *bytes, size_t size)
{
	struct members *members = data;

	if (!members->err)
		members->err = members->below->write(members->below, bytes, size);
	return (ssize_t)size;
}

static int failed(const struct members *members)
{
	return members->err ? members->err : -EIO;
}

static int set_format(struct archive *archive, enum archive_kind kind)
{
	int ret = kind == ARCHIVE_CPIO ? archive_write_set_format_cpio_newc(archive) :
					 archive_write_set_format_ustar(archive);

	return ret != ARCHIVE_OK || archive_write_set_bytes_per_block(archive, 0) != ARCHIVE_OK ||
	       archive_write_set_bytes_in_last_block(archive, 1) != ARCHIVE_OK;
}

struct members *members_open(enum archive_kind kind, struct sink *below)
{
	struct members *members = xcalloc(1, sizeof(*members));

	members->below = below;
	members->archive = xobject(archive_write_new());
	members->entry = xobject(archive_entry_new());
	/* Nothing is written yet: only memory can lack. */
	if (set_format(members->archive, kind) ||
	    archive_write_open(members->archive, members, NULL, give_below, NULL) != ARCHIVE_OK)
		exit_without_memory();
	return members;
}

void members_free(struct members *members)
{
	if (!members)
		return;
	/* Freeing writes the end of the archive. */
	members->err = -ECANCELED;
	archive_write_free(members->archive);
	archive_entry_free(members->entry);
	free(members);
}

/* A size that is not set would be stored as none at all. */
static void describe(struct archive_entry *entry, const char *name, u64 number, size_t size)
{
	archive_entry_clear(entry);
	archive_entry_set_pathname(entry, name);
	archive_entry_set_size(entry, (la_int64_t)size);
	archive_entry_set_ino64(entry, (la_int64_t)number);
	archive_entry_set_nlink(entry, 1);
	archive_entry_set_mode(entry, S_IFREG | 0600);
	archive_entry_set_mtime(entry, time(NULL), 0);
}

/* A short write means that the member is not what its header says. */
static int write_all(struct members *members, const char *data, size_t size)
{
	while (size) {
		la_ssize_t done = archive_write_data(members->archive, data, size);

		if (done <= 0)
			return failed(members);
		data += done;
		size -= (size_t)done;
	}
	return 0;
}

int members_add(struct members *members, const char *name, u64 number, const void *data,
		size_t size)
{
	int ret;

	describe(members->entry, name, number, size);
	if (archive_write_header(members->archive, members->entry) != ARCHIVE_OK)
		return failed(members);
	ret = write_all(members, data, size);
	if (!ret && archive_write_finish_entry(members->archive) != ARCHIVE_OK)
		ret = failed(members);
	return ret ? ret : members->err;
}

int members_finish(struct members *members)
{
	return archive_write_close(members->archive) == ARCHIVE_OK ? members->err : failed(members);
}
