// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The length of the stream, without making it.
 */
#include <errno.h>

#include "backend/sender.h"
#include "transfer/measure.h"

/* Bytes measured between two checks of the cancel. */
#define MEASURE_PART (256ULL << 20)

static int measure_engine(struct sendcp_engine *engine, const struct sendcp_cancel *cancel,
			  u64 *total)
{
	bool end = false;
	u64 size;
	int ret;

	while (!end) {
		size = 0;
		ret = sendcp_engine_measure(engine, MEASURE_PART, &size, &end);
		if (sendcp_cancelled(cancel))
			return -EINTR;
		if (ret && ret != -EINTR)
			return ret;
		*total += size;
	}
	return 0;
}

static int measure_subvolume(const struct send_job *job, struct sendcp_source *source, size_t index,
			     const struct transfer_start *start, const struct sendcp_cancel *cancel,
			     u64 *total, struct transfer_result *result)
{
	const void *checkpoint = index == start->subvolume ? start->checkpoint : NULL;
	struct sendcp_engine *engine;
	int ret;

	result->what = job->subvolumes[index].spec;
	/* Never the module: it has no call for that, and this reads little. */
	ret = send_job_engine(job, source, index, checkpoint, start->checkpoint_size, &engine,
			    &result->error);
	if (ret)
		return ret;
	ret = measure_engine(engine, cancel, total);
	if (ret && ret != -EINTR)
		result->error = *sendcp_engine_error(engine);
	sendcp_engine_close(engine);
	return ret;
}

int measure_output(const struct send_job *job, struct sendcp_source *source,
		   const struct transfer_start *start, const struct sendcp_cancel *cancel,
		   u64 *total, struct transfer_result *result)
{
	int ret = 0;

	*total = start->output_offset;
	for (size_t i = start->subvolume; !ret && i < job->count; i++)
		ret = measure_subvolume(job, source, i, start, cancel, total, result);
	return ret;
}
