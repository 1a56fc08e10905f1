// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Resuming in the middle of a batch: proving that it would be made as it was.
 *
 * Which ranges are cloned may depend on other snapshots, so the same bytes are never taken for
 * granted: the whole batch is regenerated and its hash compared before any of it is given out.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "journal/batch_verifier.h"
#include "resume/point.h"
#include "backend/sender.h"
#include "util/memory.h"
#include "util/message.h"

static int end_with(struct transfer_result *result, enum transfer_status status, int err)
{
	result->status = status;
	result->err = err;
	return -1;
}

static int sender_failed(struct transfer_result *result, int ret, const struct sendcp_error *error)
{
	result->error = *error;
	return end_with(result, ret == -EINTR ? TRANSFER_STOPPED : TRANSFER_READ_FAILED, ret);
}

/*
 * A command that does not fit may do so when it is made: if damaged contents are replaced, it is
 * shorter then. @data has room for it whatever it becomes.
 */
static int make_command(struct sender *sender, const struct sendcp_cancel *cancel,
			struct sendcp_fill *fill)
{
	int ret = sendcp_sender_fill(sender, fill, cancel);

	if (ret != -ENOBUFS)
		return ret;
	fill->size += RESUME_PROOF_ROOM;
	fill->flags = SENDCP_FILL_ONE_COMMAND;
	return sendcp_sender_fill(sender, fill, cancel);
}

/* Makes exactly @size bytes. A command that reaches after them shows that they differ. */
static int make_again(struct sender *sender, const struct sendcp_cancel *cancel, u8 *data,
		      size_t size, struct transfer_result *result)
{
	size_t made = 0;

	while (made < size) {
		struct sendcp_fill fill = { .buffer = data + made, .size = size - made };
		int ret = make_command(sender, cancel, &fill);

		if (ret)
			return sender_failed(result, ret, sendcp_sender_error(sender));
		made += fill.filled;
		if (made > size || (fill.end && made < size))
			return end_with(result, TRANSFER_DIFFERS, 0);
	}
	return 0;
}

static int make_proof(const struct resume_point *point, const struct send_job *job,
		      const struct sendcp_cancel *cancel, u8 *data, struct transfer_result *result)
{
	const struct transfer_start *before = &point->before;
	struct sender *sender;
	struct sendcp_error error;
	int ret;

	result->what = job->subvolumes[before->subvolume].spec;
	ret = send_job_sender(job, before->subvolume, before->checkpoint,
			  before->checkpoint_size, &sender, &error);
	if (ret)
		return sender_failed(result, ret, &error);
	ret = make_again(sender, cancel, data, point->proof->length, result);
	sendcp_sender_close(sender);
	return ret;
}

int resume_point_make(const struct resume_point *point, const struct send_job *job,
		      const struct sendcp_cancel *cancel, u8 *data, struct transfer_result *result)
{
	*result = (struct transfer_result){ 0 };
	if (make_proof(point, job, cancel, data, result))
		return -1;
	if (!batch_is(point->proof, data))
		return end_with(result, TRANSFER_DIFFERS, 0);
	return 0;
}

static int give_rest(const struct resume_point *point, struct transfer *run, const u8 *data,
		     struct transfer_result *result)
{
	size_t skip = (size_t)(point->at.output_offset - point->proof->output_offset);

	return transfer_write_rest(run, data + skip, point->proof->length - skip, result);
}

const char *resume_point_why(const struct send_job *job)
{
	return job->flags & (SENDCP_SEND_DATA_ZERO | SENDCP_SEND_DATA_SKIP) ?
	       "other extents can be cloned, or other contents be read" :
	       "other extents can be cloned";
}

static void report_difference(const struct resume_point *point, const struct transfer *run)
{
	error_line("byte %llu is in a part of the stream that would be made differently now, since "
		   "%s", point->at.output_offset, resume_point_why(run->job));
	/* Only --append can cut a stream in a container anywhere. */
	if (run->wrap)
		return;
	error_line("it can be resumed at byte %llu: truncate the receiver's file to %llu bytes, "
		   "and resume with --at %llu", point->proof->output_offset,
		   point->proof->output_offset, point->proof->output_offset);
}

int resume_point_prove(const struct resume_point *point, struct transfer *run,
		       struct transfer_result *result)
{
	u8 *data;
	int ret;

	*result = (struct transfer_result){ 0 };
	if (!point->proof)
		return 0;
	data = memory_take(point->proof->length + RESUME_PROOF_ROOM, "the batch to be proven");
	if (!data)
		return end_with(result, TRANSFER_STOPPED, -ENOMEM);
	ret = resume_point_make(point, run->job, &run->cancel, data, result);
	if (!ret)
		ret = give_rest(point, run, data, result);
	free(data);
	if (result->status == TRANSFER_DIFFERS)
		report_difference(point, run);
	return ret;
}
