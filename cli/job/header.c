// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The first line of a new stream's journal, and the settings of its run.
 */
#include <errno.h>
#include <string.h>

#include "job/header.h"
#include "util/fileio.h"
#include "util/message.h"

void send_settings(const struct options *options, struct transfer_settings *settings)
{
	u64 size = options->buffer_size ? options->buffer_size : DEFAULT_BUFFER_SIZE;

	settings->buffer_size = (size_t)sendcp_min(size, options->interval);
	settings->buffers = options->buffers ? options->buffers : DEFAULT_BUFFERS;
	settings->interval = options->interval;
	settings->step = options->step;
}

int send_header(const struct send_job *job, const struct options *options,
		const struct transfer_settings *settings, const char *output,
		struct journal_header *header)
{
	*header = (struct journal_header){
		.buffer_size = settings->buffer_size,
		.buffers = settings->buffers,
		.interval = settings->interval,
		.container = options->container,
		.keep = options->checkpoint,
	};
	send_job_pin(job, options, header);
	if (!output)
		return 0;
	header->output = absolute_path(output);
	if (!header->output)
		return error_line("cannot resolve the path %s: %s", output, strerror(errno));
	mount_place_find(header->output, &header->output_place);
	return 0;
}
