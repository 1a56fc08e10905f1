/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The length of the stream, without making it: for --dry-run and for the progress bar.
 */
#ifndef CLI_TRANSFER_MEASURE_H
#define CLI_TRANSFER_MEASURE_H

#include "transfer/transfer_run.h"

/*
 * The whole output's length into *@total: the parts before @start and after it. Uses @source, which
 * is @job's own or another one of the same filesystem. Gives up with -EINTR when @cancel is set;
 * otherwise a negative errno comes with result->error and ->what.
 */
int measure_output(const struct send_job *job, struct sendcp_source *source,
		   const struct transfer_start *start, const struct sendcp_cancel *cancel,
		   u64 *total, struct transfer_result *result);

#endif
