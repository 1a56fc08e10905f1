/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How long the stream is, without making it: for --dry-run and for the progress bar.
 */
#ifndef CLI_TRANSFER_MEASURE_H
#define CLI_TRANSFER_MEASURE_H

#include "transfer/transfer_run.h"

/*
 * The whole output's length into *@total: what lies before @start and what comes behind it. Uses
 * @source, which is @job's own or another one of the same filesystem. Gives up with -EINTR
 * when *@stop is not 0; otherwise a negative errno comes with outcome->error and ->what.
 */
int measure_output(const struct send_job *job, struct source *source,
		   const struct stream_start *start, const volatile int *stop,
		   u64 *total, struct stream_outcome *outcome);

#endif
