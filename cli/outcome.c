// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * How a run ended, told to people and to the caller.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "message.h"
#include "outcome.h"
#include "signals.h"
#include "text.h"

/*
 * Failures that another try, later, may not meet: a device that is away, memory, blocks moving.
 * Damage found by a checksum stays, and a caller that tries for ever would do so in vain.
 */
static bool may_pass(const struct scp_error *error)
{
	switch (error->reason) {
	case SCP_NO_MEMORY:
	case SCP_INTERRUPTED:
	case SCP_DEVICE_MISSING:
	case SCP_DEVICE_READ:
	case SCP_DEVICES_CHANGED:
	case SCP_REVALIDATE:
	case SCP_DATA_READ:
	case SCP_MOVED_TOO_OFTEN:
		return true;
	default:
		return false;
	}
}

void outcome_report_stop(void)
{
	int number = signals_caught();

	if (number)
		error_line("stopped by SIG%s", sigabbrev_np(number));
}

static void report_write(const struct stream_run *run, const struct stream_outcome *outcome)
{
	if (outcome->err == -EPIPE)
		error_line("%s: the reader has gone", run->output->name);
	else
		error_line("cannot write to %s: %s", run->output->name, strerror(-outcome->err));
}

/* Returns whether going on may help. */
static bool report_cause(const struct stream_run *run, const struct stream_outcome *outcome)
{
	switch (outcome->how) {
	case STREAM_STOPPED:
		outcome_report_stop();
		return true;
	case STREAM_WRITE_FAILED:
		report_write(run, outcome);
		return true;
	case STREAM_READ_FAILED:
		error_engine(outcome->what, &outcome->error);
		return may_pass(&outcome->error);
	case STREAM_JOURNAL_FAILED:
		return true;
	default:
		return false;
	}
}

/* " --device X" for each one; resuming needs those that the sidecar does not know. */
static char *device_words(const struct options *devices)
{
	char *words = xstrdup("");

	for (size_t i = 0; devices && i < devices->device_count; i++) {
		char *quoted = shell_quote(devices->devices[i]);
		char *longer = xasprintf("%s --device %s", words, quoted);

		free(quoted);
		free(words);
		words = longer;
	}
	return words;
}

/* Half a frame cannot be gone on with: the receiver's copy is cut to where one ends. */
static char *way_at_mark(const struct stream_run *run)
{
	u64 mark = run->mark.file_offset;

	error_line("the receiver may have fewer than the %llu bytes written; what it has must be "
		   "cut to %llu bytes, or, if they are fewer, to what resume with --at and their "
		   "number says", run->output->file_offset, mark);
	return xasprintf(" --at %llu", mark);
}

static char *way_at(const struct stream_run *run, const struct stream_outcome *outcome)
{
	u64 written = run->output->file_offset;

	if (run->output->file)
		return xstrdup("");
	if (outcome->handed_noted) {
		if (written)
			error_line("%llu bytes were handed over; if the receiver has fewer, say "
				   "how many with --at", written);
		return xstrdup("");
	}
	if (run->wrap)
		return way_at_mark(run);
	error_line("the receiver may have fewer than the %llu bytes written: N below is the number "
		   "that it has", written);
	return xstrdup(" --at N");
}

static void report_way_on(const struct stream_run *run, const struct stream_outcome *outcome,
			  const struct options *devices)
{
	char *checkpoint = shell_quote(journal_path(run->journal));
	char *words = device_words(devices);
	char *at = way_at(run, outcome);

	error_line("broken off, go on with: sendcp resume --checkpoint %s%s%s", checkpoint, words,
		   at);
	free(at);
	free(words);
	free(checkpoint);
}

int outcome_report(const struct stream_run *run, const struct stream_outcome *outcome,
		   const struct options *devices)
{
	if (outcome->how == STREAM_COMPLETE)
		return EXIT_DONE;
	if (!report_cause(run, outcome))
		return EXIT_FAILED;
	if (!run->journal) {
		verbose_line(1, "%llu bytes were written; it cannot be resumed without "
			     "--checkpoint", run->output->offset);
		return EXIT_FAILED;
	}
	report_way_on(run, outcome, devices);
	return EXIT_BROKEN_OFF;
}
