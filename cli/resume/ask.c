// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Finding the point to resume at by asking the receiver.
 */
#include "resume/ask.h"
#include "resume/patience.h"
#include "resume/position_command.h"
#include "transfer/command_output.h"
#include "transfer/transfer_result.h"
#include "util/message.h"
#include "util/pause.h"
#include "util/signals.h"

static int fail(struct resume *resume, int code)
{
	resume->code = signals_stopped() ? EXIT_BROKEN_OFF : code;
	return -1;
}

int resume_check_command(const struct options *options, u64 at)
{
	if (!options->to_command || !at || command_names_offset(options->to_command))
		return 0;
	return error_line("the stream would be resumed at byte %llu of the receiver's file: "
			  "--to-command must write there, at $" COMMAND_OFFSET ", and does not "
			  "name it", at);
}

static int find_point(struct resume *resume, const struct receiver *receiver)
{
	const struct journal_contents *contents = &resume->contents;
	u64 at = receiver->position.file;

	if (!at)
		return resume_point_stream(contents, 0, &resume->point);
	if (receiver->proven)
		return position_prove_before(contents, &resume->job, &receiver->position,
					     &resume->point);
	return resume_point_before(contents, at, &resume->point);
}

int resume_ask(struct resume *resume)
{
	struct patience *patience = resume->patience;
	struct receiver receiver;
	int ret;
	u64 at;

	switch (position_ask(resume->options->position_command, &receiver)) {
	case POSITION_KNOWN:
		break;
	case POSITION_UNKNOWN:
		transfer_report_stop();
		return fail(resume, EXIT_BROKEN_OFF);
	case POSITION_NO_COMMAND:
		return fail(resume, EXIT_FAILED);
	}
	ret = find_point(resume, &receiver);
	if (ret == POSITION_LATER)
		return fail(resume, EXIT_BROKEN_OFF);
	if (ret < 0) {
		if (!signals_stopped())
			error_line("if what the receiver has is another stream, remove it there, "
				   "and run this again");
		return fail(resume, EXIT_FAILED);
	}
	at = resume->point.at.file_offset;
	if (resume_check_command(resume->options, at))
		return fail(resume, EXIT_FAILED);
	if (patience && !patience_asked(patience, at, pause_now()))
		return fail(resume, EXIT_BROKEN_OFF);
	return 0;
}
