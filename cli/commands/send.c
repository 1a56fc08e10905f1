// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * sendcp send: a stream from its beginning.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "commands/command.h"
#include "job/conflicts.h"
#include "job/header.h"
#include "job/verbose.h"
#include "journal/state.h"
#include "resume/append/append.h"
#include "resume/earlier.h"
#include "resume/overwrite.h"
#include "transfer/command_output.h"
#include "transfer/fit.h"
#include "transfer/measure.h"
#include "transfer/transfer_result.h"
#include "transfer/transfer_run.h"
#include "util/alloc.h"
#include "util/message.h"
#include "util/signals.h"

/* --checkpoint's file; a file has one beside it, a pipe one in the state directory. */
static char *journal_name(const struct transfer *run, const struct options *options)
{
	if (options->no_checkpoint)
		return NULL;
	if (options->checkpoint)
		return xstrdup(options->checkpoint);
	if (run->output->file)
		return xasprintf("%s.cp", run->output->name);
	return state_new_path(run->job->subvolumes[0].spec);
}

static bool is_output(const struct output *output, const char *path)
{
	struct stat open_file, named;

	return !fstat(output->fd, &open_file) && !stat(path, &named) &&
	       open_file.st_dev == named.st_dev && open_file.st_ino == named.st_ino;
}

/* One that nobody asked for. The line that says why was printed. */
static int continue_without(struct transfer *run)
{
	warn_line("the stream is sent without a checkpoint file");
	if (run->journal)
		journal_remove(run->journal);
	run->journal = NULL;
	return 0;
}

static int begin_journal(struct transfer *run, const struct journal_header *header)
{
	const struct journal_contents contents = { .header = *header };

	if (!run->journal)
		return 0;
	if (journal_begin(run->journal, &contents))
		return run->journal_optional ? continue_without(run) : -1;
	state_link(journal_path(run->journal));
	return 0;
}

/* What the journal says of the output. */
enum journal_says {
	SAYS_NOTHING,
	/* It has a stream that was interrupted. */
	SAYS_INTERRUPTED,
	/* It has a complete one, which can be made again. */
	SAYS_COMPLETE,
};

static enum journal_says journal_says_of(const struct output *output,
					 const struct journal_contents *old)
{
	struct stat st;

	if (!old->output || !is_output(output, old->output))
		return SAYS_NOTHING;
	if (!old->complete)
		return SAYS_INTERRUPTED;
	return !fstat(output->fd, &st) && (u64)st.st_size == old->complete_size ? SAYS_COMPLETE :
	       SAYS_NOTHING;
}

/* Locked, and nothing in it is changed yet. */
static int claim_journal(struct transfer *run, const struct options *options,
			 enum journal_says *says)
{
	char *path = journal_name(run, options);
	struct journal_contents old = { 0 };
	int ret = 0;

	run->journal_optional = path && !options->checkpoint && !run->output->file &&
				!options->to_command;
	if (!path && options->to_command)
		return error_line("--to-command needs --checkpoint FILE: there is no other place "
				  "for it");
	if (path)
		ret = journal_claim(path, options->restart ? NULL : &old, &run->journal);
	if (ret && run->journal_optional)
		ret = continue_without(run);
	else if (!ret && path)
		ret = overwrite_journal(path, &old);
	*says = journal_says_of(run->output, &old);
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
	enum journal_says says = SAYS_NOTHING;

	if (conflicts_send(run->job, options) || open_output(run, options) ||
	    claim_journal(run, options, &says) ||
	    (!options->restart && says != SAYS_COMPLETE &&
	     overwrite_output(run->output, options,
			      says == SAYS_INTERRUPTED ? journal_path(run->journal) : NULL)) ||
	    send_header(run->job, options, &run->settings, output_path(run, options), header))
		return -1;
	header->output_stdout = run->output->stdout_path;
	if (run->journal)
		mount_place_find(journal_path(run->journal), &header->journal_place);
	if (transfer_fit(options, false, &run->settings, &header->container) ||
	    begin_journal(run, header) || start_command(run, options) || open_wrap(run, header))
		return -1;
	return output_cut(run->output, 0, 0);
}

/*
 * A complete stream's journal goes, unless it was asked for; so does one that nobody asked for and
 * that is of no use, because btrfs receive cannot resume.
 */
static void close_journal(struct transfer *run, const struct options *options, int code)
{
	bool useless = run->journal_optional && run->output->reader.receive;
	bool complete = exit_is_complete(code);

	if (complete && run->journal)
		state_unlink(journal_path(run->journal));
	if ((complete || useless) && run->journal && !options->checkpoint)
		journal_remove(run->journal);
	else
		journal_close(run->journal);
}

static int run_prepared(struct transfer *run, const struct options *options)
{
	struct transfer_result result;
	int code;

	transfer_expect_report(run, options, NULL);
	run->progress = progress_begin(options, run->job, &run->start);
	transfer_run(run, &result);
	progress_end(run->progress);
	code = transfer_report(run, &result, options, NULL);
	close_journal(run, options, code);
	return code;
}

/* *@checkpoint: the journal of a stream that went into a command; malloc'ed. */
static int transfer_job(const struct send_job *job, struct output *output,
			const struct options *options, char **checkpoint)
{
	struct journal_header header = { 0 };
	struct transfer run = {
		.job = job,
		.output = output,
		.subvolumes = &header.subvolumes,
		.journal_kept = options->checkpoint,
	};
	int code = EXIT_FAILED;

	send_settings(options, &run.settings);
	if (!prepare(&run, options, &header)) {
		if (options->to_command)
			*checkpoint = xstrdup(journal_path(run.journal));
		transfer_attach(&run, signals_cancel());
		code = run_prepared(&run, options);
		transfer_detach(&run);
	} else {
		journal_abandon(run.journal);
		output_discard(output);
	}
	wrap_free(run.wrap);
	replaced_clear(&run.replaced);
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

/* Standard output that holds something already: a shell appends to it. malloc'ed, or NULL. */
static char *appended_path(struct output *output)
{
	struct stat st;

	if (output->file || fstat(STDOUT_FILENO, &st) || !S_ISREG(st.st_mode))
		return NULL;
	output_find_reader(output);
	return output->reader.file ? xstrdup(output->reader.file) : NULL;
}

static bool is_pipe(const char *path)
{
	struct stat st;

	return !path || (!stat(path, &st) && !S_ISREG(st.st_mode));
}

/*
 * The same command once more continues what it began: that it is the same is seen before anything
 * is opened for writing. *@code is then that run's.
 */
static bool continue_earlier(struct send_job *job, struct output *output,
			     const struct options *options, int *code)
{
	char *appended = options->output || options->to_command ? NULL : appended_path(output);
	const char *path = options->output ? options->output : output->stdout_path;
	struct earlier_place place = {
		.output = path ? path : appended,
		.shared = appended,
	};
	char *beside = NULL;
	struct options again;
	enum earlier found;

	place.pipe = is_pipe(place.output);
	if (!place.pipe)
		beside = xasprintf("%s.cp", place.output);
	place.usual = beside;
	place.journal = options->checkpoint ? options->checkpoint : beside;
	found = earlier_find(job, options, &place);
	*code = EXIT_FAILED;
	if (found == EARLIER_JOURNAL || found == EARLIER_OUTPUT) {
		send_job_close(job);
		earlier_options(found, options, &place, &again);
		/* Its lock is taken again under the path. */
		if (output->stdout_path)
			flock(output->fd, LOCK_UN);
		*code = found == EARLIER_OUTPUT ? append_file(&again) : command_resume(&again);
	}
	free(beside);
	free(appended);
	return found != EARLIER_NOTHING;
}

/* Snapshots stay held while the send is resumed by itself; images can be opened only once. */
static int send_new(struct send_job *job, struct output *output, const struct options *options)
{
	char *checkpoint = NULL;
	int code;

	sendcp_source_set_interrupt(job->source, signals_cancel());
	verbose_source(job);
	code = options->dry_run ? print_size(job) :
				  transfer_job(job, output, options, &checkpoint);
	verbose_statistics(job);
	if (!checkpoint)
		return code;
	if (!job->hold)
		send_job_close(job);
	code = retry_send(options, checkpoint, code);
	free(checkpoint);
	return code;
}

/*
 * Before the one is taken for what an earlier send left in the other; the devices follow when it is
 * known that a stream is made (prepare()).
 */
static int check_files(const struct options *options, const struct output *output)
{
	const char *path = options->output ? options->output : output->stdout_path;
	char *beside = path ? xasprintf("%s.cp", path) : NULL;
	int ret = conflicts_files(options->output,
				  options->checkpoint ? options->checkpoint : beside);

	free(beside);
	return ret;
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
	if (send_job_open(options, &job)) {
		output_close(&output);
		return EXIT_FAILED;
	}
	if (!options->dry_run && check_files(options, &output))
		code = EXIT_FAILED;
	else if (options->dry_run || !continue_earlier(&job, &output, options, &code))
		code = send_new(&job, &output, options);
	send_job_close(&job);
	output_close(&output);
	return code;
}
