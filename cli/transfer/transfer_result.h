/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reports how a transfer ended: error lines, how to resume, the exit code.
 */
#ifndef CLI_TRANSFER_TRANSFER_RESULT_H
#define CLI_TRANSFER_TRANSFER_RESULT_H

#include "transfer/transfer_run.h"

/*
 * Prints the messages about @result of @run and returns the exit code. With 75 the last line is the
 * command that resumes. @options are this run's; @devices (may be NULL) those whose --device
 * options that command needs, since the journal does not have them.
 */
int transfer_report(const struct transfer *run, const struct transfer_result *result,
		    const struct options *options, const struct options *devices);

/* Before the transfer: what is said of it if it ends without memory. */
void transfer_expect_report(const struct transfer *run, const struct options *options,
			    const struct options *devices);

/* The line that says which signal stopped the run, if one did, for a run that sent nothing. */
void transfer_report_stop(void);

#endif
