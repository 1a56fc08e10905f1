// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * sendcp send: a stream from its beginning.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "command.h"
#include "conflicts.h"
#include "measure.h"
#include "message.h"
#include "outcome.h"
#include "send_header.h"
#include "signals.h"
#include "stream_run.h"
#include "verbose.h"

/* --checkpoint's file; beside a file named with -f there is always one; else none. */
static int create_journal(struct stream_run *run, const struct options *options,
			  const struct sidecar_header *header)
{
	char *path;
	int ret;

	if (!options->checkpoint && !run->output->file)
		return 0;
	path = options->checkpoint ? xstrdup(options->checkpoint) :
				     xasprintf("%s.cp", options->output);
	ret = journal_create(path, header, &run->journal);
	free(path);
	return ret;
}

static int create_wrap(struct stream_run *run, const struct sidecar_header *header)
{
	int ret = wrap_open(header, run->output, &run->mark, &run->wrap);

	run->output->wrapped = run->wrap;
	return ret ? error_line("cannot wrap the stream: %s", strerror(-ret)) : 0;
}

/* The output is emptied only under the sidecar's lock: another run may be writing it. */
static int prepare(struct stream_run *run, const struct options *options,
		   struct sidecar_header *header)
{
	if (conflicts_send(run->subject, options))
		return -1;
	if (options->output && output_open(run->output, options->output))
		return -1;
	if (send_header(run->subject, options, &run->settings, options->output, header) ||
	    create_journal(run, options, header) || create_wrap(run, header))
		return -1;
	return output_cut(run->output, 0, 0);
}

/* A complete stream's sidecar goes, unless it was asked for. */
static int close_journal(struct stream_run *run, const struct options *options, int code)
{
	if (code == EXIT_DONE && run->journal && !options->checkpoint)
		return journal_remove(run->journal) ? EXIT_FAILED : code;
	journal_close(run->journal);
	return code;
}

static int send_subject(const struct subject *subject, struct output *output,
			const struct options *options)
{
	struct stream_run run = { .subject = subject, .output = output };
	struct sidecar_header header = { 0 };
	struct stream_outcome outcome;
	int code = EXIT_FAILED;

	send_settings(options, &run.settings);
	if (!prepare(&run, options, &header)) {
		run.progress = progress_begin(options, subject, &run.start);
		stream_run(&run, &outcome);
		progress_end(run.progress);
		code = outcome_report(&run, &outcome, NULL);
	}
	code = close_journal(&run, options, code);
	wrap_free(run.wrap);
	sidecar_header_clear(&header);
	if (options->output)
		output_close(output);
	return code;
}

/* Interrupted, nothing useful can be said: a part of the size is no size. */
static int print_size(const struct subject *subject)
{
	const struct stream_start start = { 0 };
	struct stream_outcome outcome;
	u64 total;
	int ret;

	ret = measure_output(subject, subject->source, &start, signals_stop_flag(), &total,
			     &outcome);
	if (ret == -EINTR)
		return EXIT_FAILED;
	if (ret) {
		error_engine(outcome.what, &outcome.error);
		return EXIT_FAILED;
	}
	printf("%llu\n", total);
	if (!fflush(stdout))
		return EXIT_DONE;
	error_line("cannot write to standard output: %s", strerror(errno));
	return EXIT_FAILED;
}

int command_send(const struct options *options)
{
	struct output output = { .fd = -1 };
	struct subject subject;
	int code;

	signals_install();
	if (!options->output && !options->dry_run && output_stdout(&output))
		return EXIT_FAILED;
	if (subject_open(options, &subject))
		return EXIT_FAILED;
	source_set_interrupt(subject.source, signals_stop_flag());
	verbose_source(&subject);
	code = options->dry_run ? print_size(&subject) :
				  send_subject(&subject, &output, options);
	verbose_statistics(&subject);
	subject_close(&subject);
	return code;
}
