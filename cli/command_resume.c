// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * sendcp resume: a stream from where it was broken off.
 *
 * Nothing is written before it is sure that what is there is what was sent.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "alloc.h"
#include "command.h"
#include "fileio.h"
#include "message.h"
#include "outcome.h"
#include "resume_point.h"
#include "signals.h"
#include "verbose.h"

struct resume {
	const struct options *options;
	struct sidecar sidecar;
	struct journal *journal;
	/* -f, or where the last run wrote to; NULL: stdout. */
	char *output_path;
	struct output output;
	struct resume_point point;
	struct subject subject;
};

/* Absolute, because the sidecar will name it for the next run. */
static int find_output(struct resume *resume)
{
	const char *path = resume->options->output;

	if (!path)
		path = resume->sidecar.output;
	if (!path)
		return output_stdout(&resume->output);
	resume->output_path = absolute_path(path);
	if (resume->output_path)
		return 0;
	return error_line("cannot find out where %s is: %s", path, strerror(errno));
}

static bool is_file(const char *path)
{
	struct stat st;

	return path && (stat(path, &st) ? errno == ENOENT : S_ISREG(st.st_mode));
}

/* A file that is not named by the user, and as long as what was sent. */
static bool file_complete(const struct resume *resume)
{
	const struct sidecar *sidecar = &resume->sidecar;
	struct stat st;

	return !resume->options->output && sidecar->count &&
	       !stat(resume->output_path, &st) &&
	       (u64)st.st_size == sidecar_batch_end(&sidecar->batches[sidecar->count - 1]);
}

/*
 * Where it goes on, if that can be told without a look at a file. Returns 1 if everything has
 * been sent.
 */
static int find_point(struct resume *resume)
{
	const struct options *options = resume->options;
	const struct sidecar *sidecar = &resume->sidecar;
	bool file = is_file(resume->output_path);
	int ret;

	if (options->at_given) {
		ret = resume_point_at(sidecar, options->at, &resume->point);
		if (!ret && !file && options->at)
			ret = resume_point_complete(sidecar, &resume->point);
		return ret;
	}
	if (sidecar->complete && (file ? file_complete(resume) : !options->output))
		return 1;
	return file ? 0 : resume_point_handed(sidecar, &resume->point);
}

/* The file that the last run wrote, which this stream may start over. */
static bool own_file(const struct resume *resume)
{
	return resume->sidecar.output && !strcmp(resume->sidecar.output, resume->output_path);
}

/* --at counts from the file's beginning, so a shorter one would get a hole. */
static int check_length(const struct resume *resume)
{
	struct stat st;

	if (fstat(resume->output.fd, &st))
		return error_line("cannot look at %s: %s", resume->output_path, strerror(errno));
	if ((u64)st.st_size >= resume->point.at)
		return 0;
	return error_line("%s has only %llu bytes; to get what follows byte %llu alone, write it "
			  "to standard output", resume->output_path, (u64)st.st_size,
			  resume->point.at);
}

static int open_output(struct resume *resume)
{
	struct output *output = &resume->output;

	if (!resume->output_path)
		return 0;
	if (output_open(output, resume->output_path))
		return -1;
	if (!output->file)
		return 0;
	if (resume->options->at_given)
		return check_length(resume);
	return resume_point_file(&resume->sidecar, output, own_file(resume), &resume->point);
}

/* What the first run used, unless something else is asked for; never more than it could use. */
static void make_settings(const struct resume *resume, struct stream_settings *settings)
{
	const struct sidecar_header *header = &resume->sidecar.header;
	const struct options *options = resume->options;
	u64 size = options->buffer_size ? options->buffer_size : header->buffer_size;
	u64 smallest = scp_buffer_min(SCP_PROTOCOL_MAX);

	settings->interval = scp_max(header->interval, smallest);
	size = scp_min(scp_min(size, settings->interval), SIDECAR_BATCH_MAX);
	settings->buffer_size = (size_t)scp_max(size, smallest);
	settings->buffers = options->buffers ? options->buffers :
			    (u32)scp_min(scp_max(header->buffers, 1), MAX_BUFFERS);
}

/* A proof that fails ends the run as if it had been broken off where it was to begin. */
static void run_from_point(struct resume *resume, struct stream_run *run,
			   struct stream_outcome *outcome)
{
	run->progress = progress_begin(resume->options, run->subject, &run->start);
	if (resume_point_prove(&resume->point, run, outcome))
		stream_finish(run, outcome);
	else
		stream_run(run, outcome);
	progress_end(run->progress);
}

/* The line that a run goes on here must be durable before the first byte is out. */
static int go_on(struct resume *resume)
{
	struct stream_run run = {
		.subject = &resume->subject,
		.output = &resume->output,
		.journal = resume->journal,
		.start = resume->point.start,
	};
	struct stream_outcome outcome;

	make_settings(resume, &run.settings);
	if (output_cut(run.output, resume->point.at))
		return EXIT_FAILED;
	if (journal_resumed(run.journal, resume->point.at, resume->output_path) ||
	    journal_sync(run.journal))
		outcome = (struct stream_outcome){ .how = STREAM_JOURNAL_FAILED };
	else
		run_from_point(resume, &run, &outcome);
	return outcome_report(&run, &outcome, resume->options);
}

static int resume_subject(struct resume *resume)
{
	int code = EXIT_FAILED;

	if (subject_reopen(&resume->sidecar.header, resume->options, &resume->subject))
		return EXIT_FAILED;
	source_set_interrupt(resume->subject.source, signals_stop_flag());
	verbose_source(&resume->subject);
	if (!open_output(resume))
		code = go_on(resume);
	output_close(&resume->output);
	verbose_statistics(&resume->subject);
	subject_close(&resume->subject);
	return code;
}

/* Everything has been sent, though the sidecar may not say so yet. */
static int already_complete(struct resume *resume)
{
	const struct sidecar *sidecar = &resume->sidecar;
	u64 total = sidecar_batch_end(&sidecar->batches[sidecar->count - 1]);

	info_line("the stream is complete: all %llu bytes were sent", total);
	if (sidecar->complete)
		return EXIT_DONE;
	if (journal_complete(resume->journal, total) || journal_sync(resume->journal))
		return EXIT_FAILED;
	return EXIT_DONE;
}

static int resume_journal(struct resume *resume)
{
	int code = EXIT_FAILED;
	int ret;

	if (find_output(resume))
		return EXIT_FAILED;
	ret = find_point(resume);
	if (ret > 0)
		code = already_complete(resume);
	else if (!ret)
		code = resume_subject(resume);
	return code;
}

int command_resume(const struct options *options)
{
	struct resume resume = { .options = options, .output = { .fd = -1 } };
	int code;

	signals_install();
	if (journal_open(options->checkpoint, &resume.sidecar, &resume.journal))
		return EXIT_FAILED;
	code = resume_journal(&resume);
	if (code == EXIT_DONE && !resume.sidecar.header.keep) {
		if (journal_remove(resume.journal))
			code = EXIT_FAILED;
	} else {
		journal_close(resume.journal);
	}
	free(resume.output_path);
	sidecar_clear(&resume.sidecar);
	return code;
}
