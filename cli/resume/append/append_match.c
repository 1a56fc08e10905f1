// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * resume --append without a journal: FILE's commands beside those that would be made.
 *
 * FILE may come from btrfs send. Nothing is changed before all of it has been looked at; then it
 * gets a journal, as if sendcp had made it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sendcp/engine.h>

#include "job/conflicts.h"
#include "job/header.h"
#include "job/verbose.h"
#include "resume/append/append.h"
#include "resume/append/scan.h"
#include "resume/append/match.h"
#include "util/activity.h"
#include "util/alloc.h"
#include "util/message.h"
#include "util/signals.h"

/* Proven is all that the walk found to agree. */
static bool count_agreed(void *context, const void *data, size_t size, u64 *proven)
{
	const struct file_scan *scan = context;

	*proven = scan->skip;
	return scan->plain <= scan->skip;
}

/* Walks through FILE once. match->again: a flag was found out, do it once more. */
static int match_file(struct resume *resume, struct match *match, u32 batch_size)
{
	struct unwrap *unwrap;
	int ret;

	match->again = false;
	match->index = 0;
	match->agreed = 0;
	if (lseek(resume->output.fd, 0, SEEK_SET) < 0)
		return error_line("cannot read %s: %s", match->name, strerror(errno));
	unwrap = unwrap_open_fd(resume->output.fd);
	activity_begin(ACTIVITY_READING, match->name, 0, unwrap_size(unwrap));
	match->reader = stream_reader_new(unwrap);
	match_batches_begin(&match->batches, &resume->contents, batch_size);
	ret = match_stream(match);
	match_batches_end(&match->batches);
	stream_reader_free(match->reader);
	unwrap_close(unwrap);
	return ret;
}

static int match_until_known(struct resume *resume, struct match *match, u32 batch_size)
{
	int ret;

	do
		ret = match_file(resume, match, batch_size);
	while (!ret && match->again);
	if (ret)
		return -1;
	if (!match->agreed)
		return error_line("%s holds no send stream, or not one whole command of it: "
				  "there is nothing to resume", match->name);
	verbose_line(1, "%s: %llu bytes of the stream are those that would be sent", match->name,
		     match->agreed);
	return 0;
}

static int scan_agreed(struct resume *resume, const struct match *match, struct file_scan *scan)
{
	*scan = (struct file_scan){
		.fd = resume->output.fd,
		.name = resume->output_path,
		.take = count_agreed,
		.context = scan,
		.skip = match->agreed,
	};
	return scan_file(scan);
}

/* Batches that end after byte @end are as if they had never been. */
static void forget_behind(struct journal_contents *contents, u64 end)
{
	while (journal_made(contents) > end)
		journal_batch_clear(&contents->batches[--contents->count]);
}

/*
 * A part of a block that is not compressed can be read, but such a frame can be cut after whole
 * blocks only: the walk may have seen more than can be kept.
 */
static int scan_until_kept(struct resume *resume, struct match *match, struct file_scan *scan)
{
	if (scan_agreed(resume, match, scan))
		return -1;
	if (!scan->container.level || scan->plain >= match->agreed)
		return 0;
	forget_behind(&resume->contents, scan->plain);
	match->agreed = journal_made(&resume->contents);
	scan_clear(scan);
	return scan_agreed(resume, match, scan);
}

/* Finds the place to cut FILE at. Archives have come another way (append_archive.c). */
static int find_cut(struct resume *resume, struct match *match, struct file_scan *scan)
{
	if (scan_until_kept(resume, match, scan))
		return -1;
	if (!scan->container.level)
		scan->at = (struct stream_place){ match->agreed, match->agreed, 0 };
	return resume_point_stream(&resume->contents, match->agreed, &resume->point);
}

/* -1 with an error line; errno is 0 if that was not what a call said. */
static int make_journal(struct resume *resume, const struct file_scan *scan)
{
	char *path = append_journal_path(resume->options);
	struct journal_contents *contents = &resume->contents;
	const int level = resume->options->container.level;
	struct stat st;
	int ret = -1, failed;

	errno = 0;
	contents->header.container = scan->container;
	if (level && scan->container.level)
		contents->header.container.level = level;
	contents->header.keep = resume->options->new_checkpoint;
	/* A crash may have left an empty one, which is nothing to resume. */
	if (!stat(path, &st) && st.st_size)
		error_line("%s exists: resume with --checkpoint %s --append, or remove it", path,
			   path);
	else
		ret = journal_create_with(path, contents, &resume->journal);
	failed = errno;
	free(path);
	errno = failed;
	return ret;
}

/* No space for the journal is nothing that lasts. */
static int no_journal(const struct resume *resume)
{
	return errno == ENOSPC || errno == EDQUOT ? append_try_again(resume) : EXIT_FAILED;
}

static int go_on(struct resume *resume, struct file_scan *scan)
{
	if (make_journal(resume, scan))
		return no_journal(resume);
	if (scan_truncate(scan))
		return append_broken_off(resume);
	if (resume_point_complete(&resume->contents, &resume->point))
		info_line("the stream is complete: all %llu bytes were sent",
			  journal_made(&resume->contents));
	resume->known = scan->blocks.rest;
	resume->known_size = scan->blocks.rest_size;
	scan->blocks.rest = NULL;
	resume->point.at = scan->at;
	resume->mark = scan->container.level;
	return resume_go_on(resume);
}

static int check_follows(const struct resume *resume, const struct file_scan *scan)
{
	if (!resume_point_complete(&resume->contents, &resume->point))
		return 0;
	return append_check_follows(resume, scan);
}

/*
 * resume --append takes what the stream shows; a send that continues it asks for a certain one. The
 * flags and the protocol may have been set by the walk.
 */
static int check_request(const struct resume *resume, u32 asked_flags)
{
	const struct send_job *job = &resume->job;
	const char *difference = NULL;

	if (!resume->options->continued)
		return 0;
	if (job->protocol != (u32)resume->options->protocol)
		difference = "of another protocol (--proto)";
	else if ((job->flags ^ asked_flags) & SENDCP_SEND_NO_FILE_DATA)
		difference = asked_flags & SENDCP_SEND_NO_FILE_DATA ? "not of --no-data" :
			     "of --no-data";
	else if ((job->flags ^ asked_flags) & SENDCP_SEND_COMPRESSED)
		difference = asked_flags & SENDCP_SEND_COMPRESSED ? "not of --compressed-data" :
			     "of --compressed-data";
	else if ((job->flags ^ asked_flags) & (SENDCP_SEND_DATA_ZERO | SENDCP_SEND_DATA_SKIP))
		difference = job->flags & SENDCP_SEND_DATA_ZERO ? "of --on-data-error=zero" :
			     "of --on-data-error=skip";
	if (!difference)
		return 0;
	return error_line("%s holds a stream of this snapshot that is %s: left as it is",
			  resume->output_path, difference);
}

static int match_and_go_on(struct resume *resume)
{
	const u32 flags = resume->job.flags;
	struct transfer_settings settings;
	struct file_scan scan = { 0 };
	struct match match = {
		.name = resume->output_path,
		.job = &resume->job,
	};
	int code = EXIT_FAILED;

	send_settings(resume->options, &settings);
	if (!match_until_known(resume, &match, (u32)settings.buffer_size) &&
	    !check_request(resume, flags) &&
	    !send_header(&resume->job, resume->options, &settings, resume->output_path,
			 &resume->contents.header) &&
	    !find_cut(resume, &match, &scan) && !check_follows(resume, &scan) &&
	    !match_prove(&match, &resume->contents))
		code = go_on(resume, &scan);
	else if (match.stopped || scan.stopped)
		code = append_stopped(resume);
	else
		code = append_refused(resume);
	scan_clear(&scan);
	return code;
}

int append_without_journal(struct resume *resume)
{
	if (send_job_open(resume->options, &resume->job))
		return EXIT_FAILED;
	sendcp_source_set_interrupt(resume->job.source, signals_cancel());
	verbose_source(&resume->job);
	if (conflicts_resume(&resume->job, resume->options, resume->output_path))
		return EXIT_FAILED;
	return match_and_go_on(resume);
}
