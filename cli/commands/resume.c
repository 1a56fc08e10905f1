// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * sendcp resume: a stream from where it was interrupted.
 *
 * Nothing is written before it is sure that what is there is what was sent.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "commands/command.h"
#include "commands/list.h"
#include "job/resume_command.h"
#include "resume/append/append.h"
#include "resume/ask.h"
#include "resume/file.h"
#include "resume/patience.h"
#include "resume/position.h"
#include "transfer/command_output.h"
#include "util/alloc.h"
#include "util/fileio.h"
#include "util/message.h"
#include "util/pause.h"
#include "util/signals.h"
#include "util/summary.h"

/* Standard output is the file @path. */
static bool stdout_is(const char *path)
{
	struct stat out, named;

	return !fstat(STDOUT_FILENO, &out) && !stat(path, &named) && out.st_dev == named.st_dev &&
	       out.st_ino == named.st_ino;
}

/*
 * The output when -f does not name one. If the user names a place in the stream, it is of the
 * output that the user writes to now, if it was the shell that named the first run's file.
 */
static const char *default_path(const struct resume *resume)
{
	const struct options *options = resume->options;
	const struct journal_header *header = &resume->contents.header;
	const char *path = resume->contents.output;

	if (path && (options->at_given || options->have) && header->output_stdout &&
	    !strcmp(path, header->output) && !stdout_is(path))
		return NULL;
	return path;
}

/* Absolute, because the journal will name it for the next run. */
static int find_output(struct resume *resume)
{
	const char *path = resume->options->output;

	if (resume->options->to_command)
		return 0;
	if (!path && !resume->options->to_stdout)
		path = default_path(resume);
	if (!path)
		return 0;
	resume->output_path = absolute_path(path);
	if (!resume->output_path && errno == ENOENT)
		resume->output_path = xstrdup(path);
	if (resume->output_path)
		return 0;
	return error_line("cannot resolve the path %s: %s", path, strerror(errno));
}

/* Does it exist as a file, or could it be created as one? A FIFO or a device is a pipe. */
static bool is_file(const char *path)
{
	struct stat st;

	return path && (stat(path, &st) || S_ISREG(st.st_mode));
}

/* Everything has been sent, though the journal may not say so yet. */
static int already_complete(struct resume *resume, u64 file_offset)
{
	const struct journal_contents *contents = &resume->contents;
	struct stream_place total = {
		.output_offset = journal_made(contents),
		.file_offset = file_offset,
	};

	if (resume->output_path)
		info_line("%s: the stream is complete, all %llu bytes are there",
			  resume->output_path, total.output_offset);
	else
		info_line("the stream is complete: all %llu bytes were written to a pipe",
			  total.output_offset);
	summary_nothing_left(total.output_offset);
	if (!contents->complete &&
	    (journal_complete(resume->journal, &total) || journal_sync(resume->journal)))
		return EXIT_FAILED;
	return resume_complete(resume);
}

/*
 * The reader's side was never known here: the message lists the ways to find out, since none of
 * them will do in all cases.
 */
static int refuse_pipe(const struct resume *resume)
{
	const char *checkpoint = journal_path(resume->journal);
	char *append = resume_command(checkpoint, resume->options);
	char *command = resume_command_flow(xstrdup(append), resume->options);

	error_line("the stream went into a pipe: sendcp cannot know how many of its %llu bytes "
		   "the reader kept", journal_made(&resume->contents));
	error_line("if it is in a file on this host: %s --append FILE", append);
	error_line("if it is on another host: %s --have $(ssh HOST sendcp verify --position FILE)",
		   command);
	error_line("if the reader has exactly N bytes: %s --at N", command);
	if (resume->options->to_command)
		error_line("if COMMAND can print one of these: %s --position-command COMMAND",
			   command);
	free(append);
	free(command);
	return -1;
}

/* A second time the same bytes could be appended to a file that has them. */
static int refuse_repeat(const struct resume *resume)
{
	return error_line("the stream is complete: all %llu bytes were written, and the receiver "
			  "may have those from byte %llu on. If it does not, resume with "
			  "--have (sendcp verify --position FILE)", resume->contents.complete_size,
			  resume->options->at);
}

/* Nothing was written: the proof can be repeated. */
static int have_later(struct resume *resume)
{
	char *begin = resume_command(journal_path(resume->journal), resume->options);
	char *command = resume_command_flow(xasprintf("%s --have %s", begin, resume->options->have),
					    resume->options);

	error_line("interrupted; resume with: %s", command);
	summary_resume(command);
	free(begin);
	free(command);
	resume->code = EXIT_BROKEN_OFF;
	return -1;
}

static int point_of_have(struct resume *resume)
{
	const struct options *options = resume->options;
	struct position position;
	int ret;

	if (!position_parse(options->have, &position))
		return error_line("--have: not a position as sendcp verify --position prints: %s",
				  options->have);
	if (resume_check_command(options, position.file))
		return -1;
	ret = position_prove(&resume->contents, &resume->job, &position, &resume->point);
	return ret == POSITION_LATER ? have_later(resume) : ret;
}

/* Sets the point at which a pipe is resumed. 1: nothing is left to send. */
static int pipe_point(struct resume *resume)
{
	const struct options *options = resume->options;
	const struct journal_contents *contents = &resume->contents;
	int ret;

	if (options->restart)
		return resume_point_stream(contents, 0, &resume->point);
	if (options->have)
		return point_of_have(resume);
	if (options->at_given) {
		ret = resume_point_at(contents, options->at, &resume->point);
		if (ret >= 0 && !contents->complete &&
		    resume_check_command(options, options->at))
			return -1;
		return !ret && contents->complete ? refuse_repeat(resume) : ret;
	}
	if (contents->complete)
		return 1;
	return options->position_command ? resume_ask(resume) : refuse_pipe(resume);
}

static int open_pipe(struct resume *resume)
{
	if (resume->options->to_command)
		return command_output_open(&resume->output, resume->options->to_command,
					   resume->point.at.file_offset);
	if (resume->output_path)
		return output_open(&resume->output, resume->output_path, false);
	return output_stdout(&resume->output);
}

/* A proof is made from what is sent, so that is opened before the place is known. */
static int resume_pipe(struct resume *resume)
{
	bool early = resume->options->have ||
		     (resume->options->position_command && !resume->contents.complete);
	int ret = 0;

	if (early)
		ret = resume_open_job(resume);
	if (!ret)
		ret = pipe_point(resume);
	/* A command that has all must have ended with 0, too: it gets an empty rest. */
	if (ret > 0 && resume->options->to_command && !resume->contents.complete)
		ret = 0;
	if (ret > 0)
		return already_complete(resume, resume->contents.complete ?
					resume->contents.complete_size :
					journal_made(&resume->contents));
	if (ret || (!early && resume_open_job(resume)) || open_pipe(resume))
		return resume->code ? resume->code : EXIT_FAILED;
	ret = resume_go_on(resume);
	if (resume->patience)
		patience_tried(resume->patience, pause_now());
	return ret;
}

static int resume_to_file(struct resume *resume)
{
	int ret;

	if (resume->options->have) {
		error_line("--have is for pipes: the contents of %s are verified here",
			   resume->output_path);
		return EXIT_FAILED;
	}
	ret = resume_file_open(resume);
	if (ret == RESUME_FILE_FRAMES)
		return append_with_journal(resume);
	if (ret > 0)
		return already_complete(resume, resume->point.at.file_offset);
	return ret ? EXIT_FAILED : resume_go_on(resume);
}

/* A copy is as good, if it is the latest one. */
static void warn_of_copy(const struct resume *resume)
{
	const struct mount_place *then = &resume->contents.header.journal_place;
	const char *path = journal_path(resume->journal);
	struct mount_place now;

	mount_place_find(path, &now);
	if (!mount_place_same(then, &now))
		warn_line("%s was on the filesystem mounted at %s when the send began and is on "
			  "another one now: is it the latest copy?", path,
			  then->point ? then->point : "another place");
	mount_place_clear(&now);
}

/*
 * Whoever looked before the lock was taken saw another send in it: that one may have ended, and a
 * new one begun. Then this would be another stream than the one asked for.
 */
static int check_seen(const struct resume *resume)
{
	const u8 *seen = resume->options->seen_header;

	if (!seen || !memcmp(seen, resume->contents.header_hash, HASH_SIZE))
		return 0;
	return error_line("another sendcp changed %s at this moment: run the same command again",
			  journal_path(resume->journal));
}

static int resume_journal(struct resume *resume)
{
	warn_of_copy(resume);
	if (check_seen(resume))
		return EXIT_BROKEN_OFF;
	if (resume_check_trust(resume) || find_output(resume))
		return EXIT_FAILED;
	return is_file(resume->output_path) ? resume_to_file(resume) : resume_pipe(resume);
}

/* A job that holds snapshots stays open for the next try. */
static void keep_job(struct resume *resume, struct send_job *kept)
{
	if (!resume->job.hold)
		return;
	if (kept->source)
		send_job_close(kept);
	*kept = resume->job;
	resume->job.source = NULL;
}

int resume_opened(struct resume *resume, struct send_job *kept)
{
	int code = resume_journal(resume);

	if (code == EXIT_BROKEN_OFF && kept)
		keep_job(resume, kept);
	return resume_close(resume, code);
}

/* Which one is for the user to say: what is there is shown. */
static int nothing_named(void)
{
	if (message_json()) {
		error_line("resume: --checkpoint FILE is missing; see sendcp list --json");
		return EXIT_USAGE;
	}
	error_line("resume: --checkpoint FILE is missing; these can be resumed:");
	if (!list_streams(stderr))
		fputs("nothing\n", stderr);
	return EXIT_USAGE;
}

int command_resume(const struct options *options)
{
	struct resume resume = { .options = options, .output = { .fd = -1 } };

	signals_install();
	if (options->append)
		return append_file(options);
	if (!options->checkpoint)
		return nothing_named();
	if (options->to_command)
		return retry_resume(options);
	if (journal_open(options->checkpoint, &resume.contents, &resume.journal))
		return EXIT_FAILED;
	return resume_opened(&resume, NULL);
}
