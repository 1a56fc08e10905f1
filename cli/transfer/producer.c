// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The thread that makes batches.
 */
#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "transfer/producer.h"
#include "util/alloc.h"
#include "util/message.h"
#include "util/signals.h"

/* The sender knows why, and only until its next call. */
static int sender_failed(struct producer *producer, int ret)
{
	if (ret && ret != -EINTR)
		producer->error = *sendcp_sender_error(producer->sender);
	return ret;
}

static int take_checkpoint(struct producer *producer, struct batch *batch)
{
	free(batch->checkpoint);
	return sender_failed(producer, sendcp_sender_checkpoint(producer->sender,
								&batch->checkpoint,
								&batch->checkpoint_size));
}

/*
 * Data that becomes durable must not include reads from a subvolume that was changed meanwhile: it
 * could not be seen from the journal afterwards. The first line of a pipe is durable, too, without
 * waiting for more.
 */
static u32 fill_flags(const struct producer *producer, const struct batch *batch)
{
	bool first = batch->output_offset == producer->run->start.output_offset;

	return batch->durable || first ? SENDCP_FILL_REVALIDATE : 0;
}

static int fill_whole(struct producer *producer, struct batch *batch)
{
	struct sendcp_fill fill = {
		.buffer = batch->data,
		.size = batch->size,
		.flags = fill_flags(producer, batch),
	};
	int ret = sendcp_sender_fill(producer->sender, &fill, &producer->run->cancel);

	batch->length = fill.filled;
	batch->end = fill.end;
	return sender_failed(producer, ret);
}

/* A new sender continues at the checkpoint of the old one. */
static int replace_sender(struct producer *producer, struct batch *batch)
{
	sendcp_sender_close(producer->sender);
	producer->sender = NULL;
	return send_job_sender(producer->run->job, producer->subvolume, batch->checkpoint,
			   batch->checkpoint_size, &producer->sender, &producer->error);
}

/* --step: each command is made by a sender of its own. The batch is full when one does not fit. */
static int fill_stepping(struct producer *producer, struct batch *batch)
{
	int ret = 0;

	batch->length = 0;
	batch->end = false;
	while (!ret && !batch->end) {
		struct sendcp_fill fill = {
			.buffer = batch->data + batch->length,
			.size = batch->size - batch->length,
			.flags = SENDCP_FILL_ONE_COMMAND | fill_flags(producer, batch),
		};

		ret = sendcp_sender_fill(producer->sender, &fill, &producer->run->cancel);
		/* The commands made so far go out first; a failure that lasts comes again. */
		if (batch->length && ret)
			return 0;
		batch->length += fill.filled;
		batch->end = fill.end;
		if (ret)
			return sender_failed(producer, ret);
		ret = take_checkpoint(producer, batch);
		if (!ret)
			ret = replace_sender(producer, batch);
	}
	return ret;
}

/* Before another batch of full size could make more than an interval undurable. */
static bool is_to_be_durable(const struct producer *producer)
{
	const struct transfer_settings *settings = &producer->run->settings;

	return producer->undurable + 2 * (u64)settings->buffer_size > settings->interval;
}

/*
 * With nothing that could be resumed by it, a checkpoint that is too large must not end the send.
 */
static bool keeps_checkpoints(const struct transfer *run)
{
	return run->journal || run->wrap;
}

static int make_batch(struct producer *producer, struct batch *batch)
{
	int ret;

	batch->subvolume = (u32)producer->subvolume;
	batch->stream_offset = sendcp_sender_offset(producer->sender);
	batch->output_offset = producer->output_offset;
	batch->durable = is_to_be_durable(producer);
	if (producer->run->settings.step)
		ret = fill_stepping(producer, batch);
	else
		ret = fill_whole(producer, batch);
	/* Nothing is delivered, or gets a checkpoint, that may be of two states. */
	if (!ret)
		ret = sendcp_source_unchanged(producer->run->job->source, &producer->error);
	if (ret)
		return ret;
	producer->output_offset += batch->length;
	producer->undurable = batch->durable ? 0 : producer->undurable + batch->length;
	return keeps_checkpoints(producer->run) ? take_checkpoint(producer, batch) : 0;
}

/* A batch of nothing in mid-stream would only be noise in the journal. */
static int make_batches(struct producer *producer)
{
	struct batch *batch;
	bool end = false;
	int ret;

	while (!end) {
		batch = pipeline_take_free(producer->pipeline);
		if (!batch)
			return -EINTR;
		ret = make_batch(producer, batch);
		if (ret)
			return ret;
		end = batch->end;
		if (batch->length || end)
			pipeline_put_filled(producer->pipeline, batch);
		else
			pipeline_put_free(producer->pipeline, batch);
	}
	return 0;
}

/* Only the first subvolume of a run can begin in its middle. */
static int fill_subvolume(struct producer *producer)
{
	const struct transfer *run = producer->run;
	const struct transfer_start *start = &run->start;
	bool first = producer->subvolume == start->subvolume;
	int ret;

	progress_subvolume(run->progress, run->job->subvolumes[producer->subvolume].spec);
	info_line("At subvol %s", run->job->subvolumes[producer->subvolume].spec);
	ret = send_job_sender(run->job, producer->subvolume, first ? start->checkpoint : NULL,
			  start->checkpoint_size, &producer->sender, &producer->error);
	if (!ret)
		ret = make_batches(producer);
	sendcp_sender_close(producer->sender);
	producer->sender = NULL;
	return ret;
}

static void *fill_all(void *argument)
{
	struct producer *producer = argument;
	size_t count = producer->run->job->count;

	producer->subvolume = producer->run->start.subvolume;
	while (!producer->err && producer->subvolume < count) {
		producer->err = fill_subvolume(producer);
		if (!producer->err)
			producer->subvolume++;
	}
	pipeline_finish(producer->pipeline);
	return NULL;
}

int producer_start(struct producer *producer, const struct transfer *run, struct pipeline *pipeline)
{
	*producer = (struct producer){
		.run = run,
		.pipeline = pipeline,
		.output_offset = run->start.output_offset,
	};
	sendcp_error_clear(&producer->error);
	return -signals_thread(&producer->thread, fill_all, producer);
}

void producer_join(struct producer *producer)
{
	const struct sendcp_cancel *cancel = &producer->run->cancel;
	struct timespec until;

	do {
		clock_gettime(CLOCK_REALTIME, &until);
		until.tv_sec++;
		if (sendcp_cancelled(cancel))
			sendcp_cancel_interrupt(cancel);
	} while (pthread_timedjoin_np(producer->thread, NULL, &until) == ETIMEDOUT);
}
