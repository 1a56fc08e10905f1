// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Tries that follow each other: a stream into a command of the user's is resumed by itself.
 *
 * Each try is a whole resume with the same journal, at the point that the receiver names then.
 * Between them the journal stays locked and snapshots stay held.
 */
#include <stdlib.h>

#include "commands/command.h"
#include "job/resume_command.h"
#include "resume/patience.h"
#include "transfer/transfer_result.h"
#include "util/message.h"
#include "util/pause.h"
#include "util/signals.h"

struct retry {
	struct options options;
	struct patience patience;
	/* Of the last try, for what it holds; ->source NULL: there is none. */
	struct send_job kept;
	bool given_up;
};

static void begin(struct retry *retry, const struct options *options, const char *checkpoint)
{
	*retry = (struct retry){ .options = *options };
	retry->options.checkpoint = checkpoint;
	patience_begin(&retry->patience, options->retry * NANOSECONDS, pause_now());
}

/* Why, the last try has said. */
static bool wait_for_next(struct patience *patience)
{
	u64 now = pause_now(), next;

	if (patience_over(patience, now)) {
		error_line("%llu s without progress: not trying again",
			   patience->limit / NANOSECONDS);
		return false;
	}
	next = patience_next(patience, now);
	info_line("trying again in %llu s", (next - now + NANOSECONDS - 1) / NANOSECONDS);
	if (pause_until(next, signals_cancel()))
		return true;
	transfer_report_stop();
	return false;
}

/* The place that the user named, if any, was for the first try. */
static int try_once(struct retry *retry, bool wait)
{
	struct options *options = &retry->options;
	struct resume resume = {
		.options = options,
		.output = { .fd = -1 },
		.patience = &retry->patience,
	};
	int code;

	if (journal_open(options->checkpoint, &resume.contents, &resume.journal))
		return EXIT_FAILED;
	if (wait && !wait_for_next(&retry->patience)) {
		retry->given_up = true;
		return resume_close(&resume, EXIT_BROKEN_OFF);
	}
	code = resume_opened(&resume, &retry->kept);
	options->at_given = false;
	options->have = NULL;
	options->restart = false;
	return code;
}

/* Only what may pass is tried again, and nothing that the user has stopped. */
static bool may_retry(const struct retry *retry, int code)
{
	return code == EXIT_BROKEN_OFF && retry->options.retry && !retry->given_up &&
	       !signals_stopped();
}

/* Without a way to ask for the position, the try has printed the last line. */
static void print_last_line(const struct options *options)
{
	char *command;

	if (!options->position_command)
		return;
	command = resume_command_flow(resume_command(options->checkpoint, options), options);
	error_line("interrupted; resume with: %s", command);
	free(command);
}

static int end(struct retry *retry, int code)
{
	while (may_retry(retry, code))
		code = try_once(retry, true);
	if (retry->kept.source)
		send_job_close(&retry->kept);
	if (code != EXIT_BROKEN_OFF)
		return code;
	/* A try that had failed by itself has not said it. */
	if (retry->options.retry)
		transfer_report_stop();
	print_last_line(&retry->options);
	return code;
}

int retry_resume(const struct options *options)
{
	struct retry retry;

	begin(&retry, options, options->checkpoint);
	return end(&retry, try_once(&retry, false));
}

int retry_send(const struct options *options, const char *checkpoint, int code)
{
	struct retry retry;

	begin(&retry, options, checkpoint);
	patience_tried(&retry.patience, pause_now());
	retry.options.restart = false;
	return end(&retry, code);
}
