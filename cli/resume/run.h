/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Resuming a stream at the point that was found.
 *
 * Common to `resume --checkpoint` and `resume --append`. Functions print their own error lines.
 */
#ifndef CLI_RESUME_RUN_H
#define CLI_RESUME_RUN_H

#include "job/options.h"
#include "resume/point.h"

struct patience;

struct resume {
	const struct options *options;
	struct journal_contents contents;
	struct journal *journal;
	/* The output, absolute; NULL: stdout. */
	char *output_path;
	struct output output;
	struct resume_point point;
	/* Bytes of the stream from ->point.at on that are known, and so are not made. */
	u8 *known;
	size_t known_size;
	/* ->point.at is a new mark. */
	bool mark;
	struct send_job job;
	/* Of tries that follow each other; NULL: there is one. */
	struct patience *patience;
	/* The exit code of a failure before the transfer; 0: EXIT_FAILED. */
	int code;
};

/*
 * May what the journal names be used? 0, or -1 with an error line: others may write to it, and the
 * user has not named the output and the devices.
 */
int resume_check_trust(const struct resume *resume);
/* Finds again what is sent; -1 if it is not there or not the same. */
int resume_open_job(struct resume *resume);
/*
 * Cuts the output and resumes the transfer. Returns the exit code. If nothing is left to send, no
 * job.
 */
int resume_go_on(struct resume *resume);
/* The exit code of a stream of which nothing is left to send; says what is replaced in it. */
int resume_complete(struct resume *resume);
/* Closes everything; the journal of a complete stream goes unless it was to stay. */
int resume_close(struct resume *resume, int code);

#endif
