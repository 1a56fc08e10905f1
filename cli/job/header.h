/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The first line of a new stream's journal, and the settings of its run.
 */
#ifndef CLI_JOB_HEADER_H
#define CLI_JOB_HEADER_H

#include "job/options.h"
#include "job/send_job.h"

/* The settings of a transfer. */
struct transfer_settings {
	size_t buffer_size;
	u32 buffers;
	u64 interval;
	bool step;
};

/* No batch is larger than the checkpoint interval. */
void send_settings(const struct options *options, struct transfer_settings *settings);

/*
 * Everything a later run needs, with paths that do not depend on where it is started. @output is
 * the -f FILE, or NULL. -1 with an error line; the caller clears @header in any case.
 */
int send_header(const struct send_job *job, const struct options *options,
		const struct transfer_settings *settings, const char *output,
		struct journal_header *header);

#endif
