// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Running the stream: this thread writes what the filler makes, and keeps the sidecar.
 */
#include <errno.h>

#include "filler.h"
#include "message.h"
#include "signals.h"
#include "stream_run.h"

struct writer {
	struct stream_run *run;
	struct stream_outcome *outcome;
	/* Bytes that are out but not durable. */
	u64 unsynced;
};

static int end_with(struct writer *writer, enum stream_end how, int err)
{
	writer->outcome->how = how;
	writer->outcome->err = err;
	return -1;
}

static int write_failed(struct writer *writer, int err)
{
	if (err == -EINTR && signals_caught())
		return end_with(writer, STREAM_STOPPED, err);
	return end_with(writer, STREAM_WRITE_FAILED, err);
}

static int journal_failed(struct writer *writer)
{
	return end_with(writer, STREAM_JOURNAL_FAILED, 0);
}

/* The hash is taken from memory, so a file that is wrong on the disk is found out. */
static int note(struct writer *writer, const struct batch *batch)
{
	struct sidecar_batch line = {
		.subvolume = batch->subvolume,
		.end = batch->end,
		.length = (u32)batch->length,
		.stream_offset = batch->stream_offset,
		.output_offset = batch->output_offset,
		.checkpoint = batch->checkpoint,
		.checkpoint_size = batch->checkpoint_size,
	};

	if (!writer->run->journal)
		return 0;
	stream_hash(batch->data, batch->length, line.hash);
	return journal_batch(writer->run->journal, &line) ? journal_failed(writer) : 0;
}

/* The data before the lines that tell of it. */
static int sync_all(struct writer *writer)
{
	struct stream_run *run = writer->run;
	int ret;

	writer->unsynced = 0;
	if (!run->journal)
		return 0;
	ret = output_sync(run->output);
	if (ret)
		return write_failed(writer, ret);
	return journal_sync(run->journal) ? journal_failed(writer) : 0;
}

/* Before another batch of full size could make more than an interval undurable. */
static int sync_if_due(struct writer *writer, size_t length)
{
	const struct stream_settings *settings = &writer->run->settings;

	writer->unsynced += length;
	if (writer->unsynced + settings->buffer_size <= settings->interval)
		return 0;
	return sync_all(writer);
}

static int deliver(struct writer *writer, const struct batch *batch)
{
	struct stream_run *run = writer->run;
	int ret;

	if (!run->output->file && note(writer, batch))
		return -1;
	ret = output_write(run->output, batch->data, batch->length);
	progress_set(run->progress, run->output->offset);
	if (ret)
		return write_failed(writer, ret);
	if (run->output->file && note(writer, batch))
		return -1;
	return sync_if_due(writer, batch->length);
}

/* After a signal the batches still waiting are dropped: checkpoints before them are good. */
static int write_all(struct writer *writer, struct pipeline *pipeline)
{
	struct batch *batch;
	int ret = 0;

	while (!ret && (batch = pipeline_take_filled(pipeline))) {
		if (signals_stopped())
			ret = end_with(writer, STREAM_STOPPED, -EINTR);
		else
			ret = deliver(writer, batch);
		pipeline_put_free(pipeline, batch);
	}
	return ret;
}

/* Why nothing more came: everything was made, or the filler could not go on. */
static void filler_outcome(struct writer *writer, const struct filler *filler)
{
	struct stream_outcome *outcome = writer->outcome;

	if (!filler->err) {
		outcome->how = STREAM_COMPLETE;
		return;
	}
	outcome->how = filler->err == -EINTR ? STREAM_STOPPED : STREAM_READ_FAILED;
	outcome->err = filler->err;
	outcome->error = filler->error;
	outcome->what = writer->run->subject->subvolumes[filler->subvolume].spec;
}

static void run_pipeline(struct writer *writer, struct pipeline *pipeline)
{
	struct filler filler;
	int ret = filler_start(&filler, writer->run, pipeline);

	if (ret) {
		error_line("cannot start a thread: %s", strerror(-ret));
		end_with(writer, STREAM_STOPPED, ret);
		return;
	}
	ret = write_all(writer, pipeline);
	/* Whatever ended the writing, the filler has nothing more to do. */
	if (ret)
		signals_stop();
	pipeline_stop(pipeline);
	filler_join(&filler);
	if (!ret)
		filler_outcome(writer, &filler);
}

/* An orderly end says how much a reader got, unless nobody can know. */
static int note_end(struct stream_run *run, struct stream_outcome *outcome)
{
	u64 offset = run->output->offset;
	int ret;

	if (outcome->how == STREAM_COMPLETE)
		return journal_complete(run->journal, offset);
	if (run->output->file || output_reader_gone(run->output))
		return 0;
	ret = journal_handed(run->journal, offset);
	outcome->handed_noted = !ret;
	return ret;
}

/* The stream is complete only when all of it is durable. */
static void finish_complete(struct writer *writer)
{
	struct stream_run *run = writer->run;

	if (sync_all(writer))
		return;
	if (note_end(run, writer->outcome) || journal_sync(run->journal))
		journal_failed(writer);
}

/* What can be saved is saved; the failure that came first is the one that is told. */
static void finish_broken_off(struct stream_run *run, struct stream_outcome *outcome)
{
	int ret = output_sync(run->output);

	if (ret && outcome->how != STREAM_WRITE_FAILED)
		error_line("cannot sync %s: %s", run->output->name, strerror(-ret));
	if (!note_end(run, outcome))
		journal_sync(run->journal);
}

void stream_finish(struct stream_run *run, struct stream_outcome *outcome)
{
	struct writer writer = { .run = run, .outcome = outcome };

	if (!run->journal)
		return;
	if (outcome->how == STREAM_COMPLETE)
		finish_complete(&writer);
	else
		finish_broken_off(run, outcome);
}

void stream_run(struct stream_run *run, struct stream_outcome *outcome)
{
	struct writer writer = { .run = run, .outcome = outcome };
	struct pipeline *pipeline;

	*outcome = (struct stream_outcome){ 0 };
	pipeline = pipeline_create(run->settings.buffers, run->settings.buffer_size);
	if (pipeline) {
		run_pipeline(&writer, pipeline);
		pipeline_free(pipeline);
	} else {
		error_line("out of memory");
		end_with(&writer, STREAM_STOPPED, -ENOMEM);
	}
	stream_finish(run, outcome);
}
