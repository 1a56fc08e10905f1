// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The thread that makes batches.
 */
#include <errno.h>
#include <stdlib.h>
#include <xxhash.h>

#include "transfer/producer.h"
#include "util/message.h"
#include "util/signals.h"

void stream_hash(const void *data, size_t size, u8 hash[SIDECAR_HASH_SIZE])
{
	XXH128_canonical_t canonical;

	XXH128_canonicalFromHash(&canonical, XXH3_128bits(data, size));
	memcpy(hash, canonical.digest, SIDECAR_HASH_SIZE);
}

/* The sender knows why, and only until its next call. */
static int sender_failed(struct filler *filler, int ret)
{
	if (ret && ret != -EINTR)
		filler->error = *sender_error(filler->sender);
	return ret;
}

/* Checkpoints grow with what the engine has to remember, so the room is found out as needed. */
static int checkpoint_grow(struct batch *batch, size_t needed)
{
	void *grown = realloc(batch->checkpoint, needed);

	if (!grown)
		return -ENOMEM;
	batch->checkpoint = grown;
	batch->checkpoint_room = needed;
	return 0;
}

static int take_checkpoint(struct filler *filler, struct batch *batch)
{
	size_t needed = 0;
	int ret;

	ret = sender_checkpoint(filler->sender, batch->checkpoint, batch->checkpoint_room, &needed);
	if (ret == -ENOBUFS) {
		ret = checkpoint_grow(batch, needed);
		if (ret) {
			filler->error.reason = SCP_NO_MEMORY;
			filler->error.err = ret;
			return ret;
		}
		ret = sender_checkpoint(filler->sender, batch->checkpoint, batch->checkpoint_room,
					&needed);
	}
	batch->checkpoint_size = needed;
	return sender_failed(filler, ret);
}

/*
 * What becomes durable must not hold anything that was read from a subvolume that was changed
 * meanwhile: nobody could tell that from the sidecar afterwards. Of a pipe that is the first line,
 * too, without waiting for more.
 */
static u32 fill_flags(const struct filler *filler, const struct batch *batch)
{
	bool first = batch->output_offset == filler->run->start.output_offset;

	return batch->durable || first ? SCP_FILL_REVALIDATE : 0;
}

static int fill_whole(struct filler *filler, struct batch *batch)
{
	struct scp_fill fill = {
		.buffer = batch->data,
		.size = batch->size,
		.flags = fill_flags(filler, batch),
	};
	int ret = sender_fill(filler->sender, &fill);

	batch->length = fill.filled;
	batch->end = fill.end;
	return sender_failed(filler, ret);
}

/* A new sender goes on where the checkpoint says that the old one was. */
static int replace_sender(struct filler *filler, struct batch *batch)
{
	sender_close(filler->sender);
	filler->sender = NULL;
	return sender_open(filler->run->job, filler->subvolume, batch->checkpoint,
			   batch->checkpoint_size, &filler->sender, &filler->error);
}

/* --step: each command is made by a sender of its own. The batch is full when one does not fit. */
static int fill_stepping(struct filler *filler, struct batch *batch)
{
	int ret = 0;

	batch->length = 0;
	batch->end = false;
	while (!ret && !batch->end) {
		struct scp_fill fill = {
			.buffer = batch->data + batch->length,
			.size = batch->size - batch->length,
			.flags = SCP_FILL_ONE_COMMAND | fill_flags(filler, batch),
		};

		ret = sender_fill(filler->sender, &fill);
		/* What is there goes out first; a failure that lasts comes again. */
		if (batch->length && ret)
			return 0;
		batch->length += fill.filled;
		batch->end = fill.end;
		if (ret)
			return sender_failed(filler, ret);
		ret = take_checkpoint(filler, batch);
		if (!ret)
			ret = replace_sender(filler, batch);
	}
	return ret;
}

/* Before another batch of full size could make more than an interval undurable. */
static bool is_to_be_durable(const struct filler *filler)
{
	const struct stream_settings *settings = &filler->run->settings;

	return filler->undurable + 2 * (u64)settings->buffer_size > settings->interval;
}

static int make_batch(struct filler *filler, struct batch *batch)
{
	int ret;

	batch->subvolume = (u32)filler->subvolume;
	batch->stream_offset = sender_offset(filler->sender);
	batch->output_offset = filler->output_offset;
	batch->durable = is_to_be_durable(filler);
	if (filler->run->settings.step)
		ret = fill_stepping(filler, batch);
	else
		ret = fill_whole(filler, batch);
	/* Nothing is handed over, or gets a checkpoint, that may be of two states. */
	if (!ret)
		ret = source_unchanged(filler->run->job->source, &filler->error);
	if (ret)
		return ret;
	filler->output_offset += batch->length;
	filler->undurable = batch->durable ? 0 : filler->undurable + batch->length;
	return take_checkpoint(filler, batch);
}

/* A batch of nothing in mid-stream would only be noise in the sidecar. */
static int make_batches(struct filler *filler)
{
	struct batch *batch;
	bool end = false;
	int ret;

	while (!end) {
		batch = pipeline_take_free(filler->pipeline);
		if (!batch)
			return -EINTR;
		ret = make_batch(filler, batch);
		if (ret)
			return ret;
		end = batch->end;
		if (batch->length || end)
			pipeline_put_filled(filler->pipeline, batch);
		else
			pipeline_put_free(filler->pipeline, batch);
	}
	return 0;
}

/* Only the first subvolume of a run can begin in its middle. */
static int fill_subvolume(struct filler *filler)
{
	const struct stream_run *run = filler->run;
	const struct stream_start *start = &run->start;
	bool first = filler->subvolume == start->subvolume;
	int ret;

	progress_clear(run->progress);
	info_line("At subvol %s", run->job->subvolumes[filler->subvolume].spec);
	ret = sender_open(run->job, filler->subvolume, first ? start->checkpoint : NULL,
			  start->checkpoint_size, &filler->sender, &filler->error);
	if (!ret)
		ret = make_batches(filler);
	sender_close(filler->sender);
	filler->sender = NULL;
	return ret;
}

static void *fill_all(void *argument)
{
	struct filler *filler = argument;
	size_t count = filler->run->job->count;

	filler->subvolume = filler->run->start.subvolume;
	while (!filler->err && filler->subvolume < count) {
		filler->err = fill_subvolume(filler);
		if (!filler->err)
			filler->subvolume++;
	}
	pipeline_finish(filler->pipeline);
	return NULL;
}

int filler_start(struct filler *filler, const struct stream_run *run, struct pipeline *pipeline)
{
	*filler = (struct filler){
		.run = run,
		.pipeline = pipeline,
		.output_offset = run->start.output_offset,
	};
	scp_error_clear(&filler->error);
	return -signals_thread(&filler->thread, fill_all, filler);
}

void filler_join(struct filler *filler)
{
	pthread_join(filler->thread, NULL);
}
