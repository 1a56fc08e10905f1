// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * resume --append of an archive without its journal: the archive has all of its lines.
 *
 * The manifest is the journal's first line with something added, the checkpoints are its batches.
 * They make a journal again, beside the archive, and that is resumed as with any other.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "container/unwrap.h"
#include "job/header.h"
#include "job/same_request.h"
#include "resume/append/append.h"
#include "resume/append/scan.h"
#include "util/activity.h"
#include "util/alloc.h"
#include "util/fileio.h"
#include "util/message.h"
#include "util/signals.h"

#define CHUNK (256u << 10)

struct lines {
	int fd;
	u64 size;
	/* The first is there. */
	bool manifest;
	int err;
};

static void read_line(void *context, const struct unwrap_member *member)
{
	struct lines *lines = context;

	if (member->kind == UNWRAP_TRAILER || lines->err)
		return;
	lines->manifest |= member->kind == UNWRAP_MANIFEST;
	if (write_at(lines->fd, member->line, member->length, lines->size) ||
	    write_at(lines->fd, "\n", 1, lines->size + member->length))
		lines->err = errno;
	lines->size += member->length + 1;
}

/* As many lines as are whole: those that the archive lacks are found out again. */
static int copy_lines(const struct resume *resume, struct lines *lines)
{
	struct unwrap *unwrap = unwrap_open_fd(resume->output.fd);
	void *buffer = xmalloc(CHUNK);

	activity_begin(ACTIVITY_READING, resume->output_path, 0, unwrap_size(unwrap));
	if (lseek(resume->output.fd, 0, SEEK_SET) >= 0) {
		unwrap_on_member(unwrap, read_line, lines);
		while (!lines->err && !signals_stopped() && unwrap_read(unwrap, buffer, CHUNK))
			;
		/* Its lines would be made again, and what they describe. */
		if (!lines->err && unwrap_ending(unwrap)->how == UNWRAP_FAILED)
			lines->err = EIO;
	} else {
		lines->err = errno;
	}
	unwrap_close(unwrap);
	free(buffer);
	return lines->err;
}

/* -1 with an error line, or after a signal; then there is no such file. */
static int make_journal(const struct resume *resume, const char *path)
{
	struct lines lines = { .fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600) };
	int ret = 0;

	if (lines.fd < 0 && errno == EEXIST)
		return error_line("%s exists: resume with --checkpoint %s --append, or remove it",
				  path, path);
	if (lines.fd < 0)
		return error_line("cannot create %s: %s", path, strerror(errno));
	if (copy_lines(resume, &lines))
		ret = error_line("cannot copy the lines of %s to %s: %s", resume->output_path,
				 path, strerror(lines.err));
	else if (signals_stopped())
		ret = -1;
	else if (!lines.manifest)
		ret = error_line("%s: the archive is truncated in its manifest",
				 resume->output_path);
	else if (fsync(lines.fd) || sync_directory_of(path))
		ret = error_line("cannot sync %s: %s", path, strerror(errno));
	close(lines.fd);
	if (ret)
		unlink(path);
	return ret;
}

int append_is_archive(const struct resume *resume)
{
	enum unwrap_kind kind;

	if (scan_kind(resume->output.fd, resume->output_path, &kind))
		return -1;
	return kind != UNWRAP_PLAIN && kind != UNWRAP_ZSTD;
}

/* resume --append takes the kind that the archive has; a send that continues it asks for one. */
static int check_request(const struct resume *resume)
{
	char *difference = NULL;

	if (resume->options->continued)
		difference = request_difference(&resume->contents.header, &resume->job,
						resume->options);
	if (!difference)
		return 0;
	error_line("%s: %s", resume->output_path, difference);
	free(difference);
	return -1;
}

/* As the user names it, and as the archive says it was. */
static int open_job(struct resume *resume)
{
	if (send_job_open(resume->options, &resume->job))
		return -1;
	sendcp_source_set_interrupt(resume->job.source, signals_cancel());
	if (!check_request(resume) && !send_job_adopt(&resume->contents.header, &resume->job))
		return 0;
	return error_line("%s is of another send: left as it is", resume->output_path);
}

/*
 * Paths and devices that the archive names are nobody's that the user has named: the journal gets
 * the user's instead.
 */
static int own_header(struct resume *resume)
{
	struct journal_header *header = &resume->contents.header;
	struct transfer_settings settings;
	struct journal_header own;

	send_settings(resume->options, &settings);
	if (send_header(&resume->job, resume->options, &settings, resume->output_path, &own)) {
		journal_header_clear(&own);
		return -1;
	}
	own.container = header->container;
	own.keep = resume->options->new_checkpoint;
	own.interval = header->interval;
	own.buffer_size = header->buffer_size;
	own.buffers = header->buffers;
	journal_header_clear(header);
	*header = own;
	return journal_set_container(resume->journal, &resume->contents);
}

/* A journal that was made here and is of no use goes again. */
static int drop_journal(struct resume *resume)
{
	journal_remove(resume->journal);
	resume->journal = NULL;
	return append_refused(resume);
}

int append_archive(struct resume *resume)
{
	char *path = append_journal_path(resume->options);
	int code = EXIT_FAILED;

	if (!make_journal(resume, path) &&
	    !journal_open(path, &resume->contents, &resume->journal)) {
		if (open_job(resume) || own_header(resume))
			code = drop_journal(resume);
		else
			code = append_with_journal(resume);
	} else if (signals_stopped()) {
		code = append_stopped(resume);
	}
	free(path);
	return code;
}
