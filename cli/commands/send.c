// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * sendcp send: a stream from its beginning.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "commands/command.h"
#include "job/conflicts.h"
#include "job/header.h"
#include "job/verbose.h"
#include "resume/overwrite.h"
#include "transfer/command_output.h"
#include "transfer/measure.h"
#include "transfer/transfer_result.h"
#include "transfer/transfer_run.h"
#include "util/alloc.h"
#include "util/message.h"
#include "util/signals.h"

/* --checkpoint's file; beside a file there is always one; else none. */
static char *journal_name(const struct transfer *run, const struct options *options)
{
	if (options->checkpoint)
		return xstrdup(options->checkpoint);
	return run->output->file ? xasprintf("%s.cp", run->output->name) : NULL;
}

static bool is_output(const struct output *output, const char *path)
{
	struct stat open_file, named;

	return !fstat(output->fd, &open_file) && !stat(path, &named) &&
	       open_file.st_dev == named.st_dev && open_file.st_ino == named.st_ino;
}

/* Locked, and nothing in it is changed yet. *@begun: it is of a send to this output. */
static int claim_journal(struct transfer *run, const struct options *options, bool *begun)
{
	char *path = journal_name(run, options);
	struct journal_contents old = { 0 };
	int ret = 0;

	if (path)
		ret = journal_claim(path, options->restart ? NULL : &old, &run->journal);
	if (!ret && path)
		ret = overwrite_journal(path, &old);
	*begun = !old.complete && old.output && is_output(run->output, old.output);
	journal_clear(&old);
	free(path);
	return ret;
}

static int open_output(struct transfer *run, const struct options *options)
{
	if (options->output && output_open(run->output, options->output, true))
		return -1;
	return 0;
}

/* When nothing is left that could refuse the send: a command may empty the receiver's file. */
static int start_command(struct transfer *run, const struct options *options)
{
	if (options->to_command && command_output_open(run->output, options->to_command, 0))
		return -1;
	run->output->rate.per_second = options->bwlimit;
	return 0;
}

static int open_wrap(struct transfer *run, const struct journal_header *header)
{
	int ret = wrap_open(header, output_sink(run->output), &run->mark, &run->wrap);

	run->output->in_container = run->wrap;
	return ret ? error_line("cannot start the container: %s", strerror(-ret)) : 0;
}

static const char *output_path(const struct transfer *run, const struct options *options)
{
	return options->output ? options->output : run->output->stdout_path;
}

/*
 * Everything is looked at before anything is changed: the journal and the output of an earlier send
 * may be all that is left of it. Then the journal first, under whose lock the output is emptied.
 */
static int prepare(struct transfer *run, const struct options *options,
		   struct journal_header *header)
{
	struct journal_contents contents = { 0 };
	bool begun = false;

	if (conflicts_send(run->job, options) || open_output(run, options) ||
	    claim_journal(run, options, &begun) ||
	    (!options->restart &&
	     overwrite_output(run->output, options, begun ? journal_path(run->journal) : NULL)) ||
	    send_header(run->job, options, &run->settings, output_path(run, options), header))
		return -1;
	header->output_stdout = run->output->stdout_path;
	if (run->journal)
		mount_place_find(journal_path(run->journal), &header->journal_place);
	contents.header = *header;
	if ((run->journal && journal_begin(run->journal, &contents)) ||
	    start_command(run, options) || open_wrap(run, header))
		return -1;
	return output_cut(run->output, 0, 0);
}

/* A complete stream's journal goes, unless it was asked for. */
static int close_journal(struct transfer *run, const struct options *options, int code)
{
	if (code == EXIT_DONE && run->journal && !options->checkpoint)
		return journal_remove(run->journal) ? EXIT_FAILED : code;
	journal_close(run->journal);
	return code;
}

static int run_prepared(struct transfer *run, const struct options *options)
{
	struct transfer_result result;
	int code;

	run->progress = progress_begin(options, run->job, &run->start);
	transfer_run(run, &result);
	progress_end(run->progress);
	code = transfer_report(run, &result, options, NULL);
	code = close_journal(run, options, code);
	output_close(run->output);
	return code;
}

static int transfer_job(const struct send_job *job, struct output *output,
		       const struct options *options)
{
	struct transfer run = { .job = job, .output = output };
	struct journal_header header = { 0 };
	int code = EXIT_FAILED;

	send_settings(options, &run.settings);
	if (!prepare(&run, options, &header)) {
		transfer_attach(&run, signals_cancel());
		code = run_prepared(&run, options);
		transfer_detach(&run);
	} else {
		journal_abandon(run.journal);
		output_discard(output);
	}
	wrap_free(run.wrap);
	journal_header_clear(&header);
	return code;
}

/* Interrupted, nothing useful can be said: a part of the size is no size. */
static int print_size(const struct send_job *job)
{
	const struct transfer_start start = { 0 };
	struct transfer_result result;
	u64 total;
	int ret;

	ret = measure_output(job, job->source, &start, signals_cancel(), &total, &result);
	if (ret == -EINTR)
		return EXIT_FAILED;
	if (ret) {
		error_engine(result.what, &result.error);
		return EXIT_FAILED;
	}
	printf("%llu\n", total);
	if (!fflush(stdout))
		return EXIT_DONE;
	error_line("cannot write to standard output: %s", strerror(errno));
	return EXIT_FAILED;
}

/* Snapshots stay held while the send is resumed by itself; images can be opened only once. */
static int close_job(struct send_job *job, const struct options *options, int code)
{
	bool held = job->hold;

	verbose_statistics(job);
	if (!held)
		send_job_close(job);
	if (options->to_command)
		code = retry_send(options, options->checkpoint, code);
	if (held)
		send_job_close(job);
	return code;
}

int command_send(const struct options *options)
{
	struct output output = { .fd = -1 };
	struct send_job job;
	int code;

	signals_install();
	if (!options->output && !options->dry_run && !options->to_command &&
	    output_stdout_file(&output))
		return EXIT_FAILED;
	if (send_job_open(options, &job))
		return EXIT_FAILED;
	sendcp_source_set_interrupt(job.source, signals_cancel());
	verbose_source(&job);
	code = options->dry_run ? print_size(&job) :
				  transfer_job(&job, &output, options);
	return close_job(&job, options, code);
}
