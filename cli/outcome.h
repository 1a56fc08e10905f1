/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How a run ended, told to people and to the caller: error lines, the way to go on, the exit code.
 */
#ifndef CLI_OUTCOME_H
#define CLI_OUTCOME_H

#include "stream_run.h"

/*
 * Prints what there is to say about @outcome of @run and returns the exit code. With 75 the last
 * line is the command that goes on. @devices (may be NULL) are --device options it needs.
 */
int outcome_report(const struct stream_run *run, const struct stream_outcome *outcome,
		   const struct options *devices);

/* The line that says which signal stopped the run, if one did. */
void outcome_report_stop(void);

#endif
