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

#include "job/conflicts.h"
#include "job/header.h"
#include "job/verbose.h"
#include "resume/append/append.h"
#include "resume/append/survey.h"
#include "resume/append/walk.h"
#include "util/alloc.h"
#include "util/message.h"
#include "util/signals.h"

/* Proven is all that the walk found to agree. */
static bool take_agreed(void *context, const void *data, size_t size, u64 *proven)
{
	const struct survey *survey = context;

	*proven = survey->skip;
	return survey->plain <= survey->skip;
}

/* Walks through FILE once. walk->again: a flag was found out, do it once more. */
static int walk_file(struct resume *resume, struct walk *walk, u32 batch_size)
{
	struct unwrap *unwrap;
	int ret = -1;

	walk->again = false;
	walk->index = 0;
	walk->agreed = 0;
	if (lseek(resume->output.fd, 0, SEEK_SET) < 0)
		return error_line("cannot read %s: %s", walk->name, strerror(errno));
	unwrap = unwrap_open_fd(resume->output.fd);
	if (!unwrap)
		return error_line("out of memory");
	walk->reader = stream_reader_new(unwrap);
	walk_batches_begin(&walk->batches, &resume->contents, batch_size);
	if (!walk->reader)
		error_line("out of memory");
	else
		ret = walk_stream(walk);
	walk_batches_end(&walk->batches);
	stream_reader_free(walk->reader);
	unwrap_close(unwrap);
	return ret;
}

static int walk_until_known(struct resume *resume, struct walk *walk, u32 batch_size)
{
	int ret;

	do
		ret = walk_file(resume, walk, batch_size);
	while (!ret && walk->again);
	if (ret)
		return -1;
	if (!walk->agreed)
		return error_line("%s holds no send stream, or not one whole command of it: "
				  "there is nothing to resume", walk->name);
	verbose_line(1, "%s: %llu bytes of the stream are those that would be sent", walk->name,
		     walk->agreed);
	return 0;
}

static int survey_agreed(struct resume *resume, const struct walk *walk, struct survey *survey)
{
	*survey = (struct survey){
		.fd = resume->output.fd,
		.name = resume->output_path,
		.take = take_agreed,
		.context = survey,
		.skip = walk->agreed,
	};
	return survey_file(survey);
}

/* Batches that end after byte @end are as if they had never been. */
static void forget_behind(struct journal_contents *contents, u64 end)
{
	while (journal_made(contents) > end)
		free(contents->batches[--contents->count].checkpoint);
}

/*
 * A part of a block that is not compressed can be read, but such a frame can be cut after whole
 * blocks only: the walk may have seen more than can be kept.
 */
static int survey_until_kept(struct resume *resume, struct walk *walk, struct survey *survey)
{
	if (survey_agreed(resume, walk, survey))
		return -1;
	if (!survey->container.level || survey->plain >= walk->agreed)
		return 0;
	forget_behind(&resume->contents, survey->plain);
	walk->agreed = journal_made(&resume->contents);
	survey_clear(survey);
	return survey_agreed(resume, walk, survey);
}

/* Finds the place to cut FILE at. Archives have come another way (append_archive.c). */
static int find_cut(struct resume *resume, struct walk *walk, struct survey *survey)
{
	if (survey_until_kept(resume, walk, survey))
		return -1;
	if (!survey->container.level)
		survey->at = (struct stream_place){ walk->agreed, walk->agreed, 0 };
	return resume_point_stream(&resume->contents, walk->agreed, &resume->point);
}

/* -1 with an error line; errno is 0 if that was not what a call said. */
static int make_journal(struct resume *resume, const struct survey *survey)
{
	char *path = xasprintf("%s.cp", resume->options->append);
	struct journal_contents *contents = &resume->contents;
	struct stat st;
	int ret = -1, failed;

	errno = 0;
	contents->header.container = survey->container;
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

static int go_on(struct resume *resume, struct survey *survey)
{
	if (make_journal(resume, survey))
		return no_journal(resume);
	if (survey_cut(survey))
		return append_broken_off(resume);
	if (resume_point_complete(&resume->contents, &resume->point))
		info_line("the stream is complete: all %llu bytes were sent",
			  journal_made(&resume->contents));
	else
		info_line("%s: the stream is correct up to byte %llu and is resumed there",
			  survey->name, journal_made(&resume->contents));
	resume->known = survey->blocks.rest;
	resume->known_size = survey->blocks.rest_size;
	survey->blocks.rest = NULL;
	resume->point.at = survey->at;
	resume->mark = survey->container.level;
	return resume_go_on(resume);
}

static int check_follows(const struct resume *resume, const struct survey *survey)
{
	if (!resume_point_complete(&resume->contents, &resume->point))
		return 0;
	return append_check_follows(resume, survey);
}

static int walk_and_go_on(struct resume *resume)
{
	struct transfer_settings settings;
	struct survey survey = { 0 };
	struct walk walk = {
		.name = resume->output_path,
		.job = &resume->job,
	};
	int code = EXIT_FAILED;

	send_settings(resume->options, &settings);
	if (!walk_until_known(resume, &walk, (u32)settings.buffer_size) &&
	    !send_header(&resume->job, resume->options, &settings, resume->output_path,
			 &resume->contents.header) &&
	    !find_cut(resume, &walk, &survey) && !check_follows(resume, &survey) &&
	    !walk_prove(&walk, &resume->contents))
		code = go_on(resume, &survey);
	else if (walk.stopped || survey.stopped)
		code = append_stopped(resume);
	survey_clear(&survey);
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
	return walk_and_go_on(resume);
}
