/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Progress as text: the bar of a terminal, fitted to its width, and the line for SIGUSR1.
 */
#ifndef CLI_TRANSFER_PROGRESS_LINE_H
#define CLI_TRANSFER_PROGRESS_LINE_H

#include "util/activity.h"

/* For a line that may be as long as it likes. */
#define PROGRESS_WIDTH_MAX 160

struct progress_state {
	struct activity activity;
	/* Bytes per second: of late, and since it began. */
	double rate;
	double average;
	/* Since it began. */
	double elapsed;
	/* There is nothing more to come: the rate of late and the time left have no meaning. */
	bool ended;
};

/* Seconds until the end; negative: not known. */
double progress_left(const struct progress_state *state);
/* Percent; negative: not known. Never 100 before the end. */
double progress_percent(const struct progress_state *state);

/*
 * One line of at most @width columns into @line, which has @size bytes, more than @width. What does
 * not fit is left out: the times and the average first, then the bar, then all from the end on.
 */
void progress_line(const struct progress_state *state, unsigned int width, char *line,
		   size_t size);
/* What is being done, and the numbers in full. */
void progress_words(const struct progress_state *state, char *line, size_t size);
/* "preparing", "reading", ... */
const char *progress_doing(const struct activity *activity);

#endif
