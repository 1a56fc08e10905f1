// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Running the stream: this thread writes what the producer makes, and keeps the journal.
 */
#include <errno.h>
#include <stdlib.h>

#include "journal/lines.h"
#include "transfer/command_output.h"
#include "transfer/fit.h"
#include "transfer/producer.h"
#include "transfer/transfer_run.h"
#include "util/activity.h"
#include "util/alloc.h"
#include "util/message.h"

struct writer {
	struct transfer *run;
	struct transfer_result *result;
};

static int end_with(struct writer *writer, enum transfer_status status, int err)
{
	writer->result->status = status;
	writer->result->err = err;
	return -1;
}

static int write_failed(struct writer *writer, int err)
{
	if (err == -EINTR && sendcp_cancelled(&writer->run->cancel))
		return end_with(writer, TRANSFER_STOPPED, err);
	return end_with(writer, TRANSFER_WRITE_FAILED, err);
}

/* A journal that nobody asked for must not end a stream: it goes. Then 0. */
static int journal_failed(struct writer *writer)
{
	struct transfer *run = writer->run;

	if (run->journal_optional) {
		warn_line("%s is given up: the stream goes on without a checkpoint file",
			  journal_path(run->journal));
		journal_remove(run->journal);
		run->journal = NULL;
		return 0;
	}
	return end_with(writer, TRANSFER_JOURNAL_FAILED, journal_error(writer->run->journal));
}

/*
 * The hash is taken from memory, so a file that is wrong on the disk is found out; where no line is
 * kept, it would be work for nothing.
 */
static void describe(const struct transfer *run, const struct batch *batch,
		     struct journal_batch *line)
{
	*line = (struct journal_batch){
		.subvolume = batch->subvolume,
		.end = batch->end,
		.length = (u32)batch->length,
		.stream_offset = batch->stream_offset,
		.output_offset = batch->output_offset,
		.checkpoint = batch->checkpoint,
		.checkpoint_size = batch->checkpoint_size,
	};
	if (run->journal || run->wrap)
		hash_of(batch->data, batch->length, line->hash);
	if (run->job->flags & (SENDCP_SEND_DATA_ZERO | SENDCP_SEND_DATA_SKIP))
		replaced_scan(&line->replaced, batch->subvolume, batch->data, batch->length);
}

/* With the length of the whole stream as soon as it has been measured. */
static int note(struct writer *writer, const struct journal_batch *line)
{
	struct journal *journal = writer->run->journal;
	u64 total = progress_total(writer->run->progress);

	if (!journal)
		return 0;
	if (journal_put_batch(journal, line) || (total && journal_total(journal, total)))
		return journal_failed(writer);
	return 0;
}

static int note_mark(struct writer *writer, const struct stream_place *mark)
{
	struct transfer *run = writer->run;

	if (run->journal && journal_mark(run->journal, mark) && journal_failed(writer))
		return -1;
	run->mark = *mark;
	return 0;
}

/* A pipe's reader gets the end of a frame when the mark after it is safe. */
static int mark_pipe(struct writer *writer)
{
	struct transfer *run = writer->run;
	struct stream_place mark;
	int ret;

	wrap_place(run->wrap, &mark);
	if (note_mark(writer, &mark))
		return -1;
	if (run->journal && journal_sync(run->journal) && journal_failed(writer))
		return -1;
	ret = wrap_release(run->wrap);
	return ret ? write_failed(writer, ret) : 0;
}

static int mark_file(struct writer *writer)
{
	struct transfer *run = writer->run;
	struct stream_place mark;
	int ret;

	ret = wrap_release(run->wrap);
	if (!ret && run->journal)
		ret = output_sync(run->output);
	if (ret)
		return write_failed(writer, ret);
	wrap_place(run->wrap, &mark);
	if (note_mark(writer, &mark))
		return -1;
	return run->journal && journal_sync(run->journal) ? journal_failed(writer) : 0;
}

static int sync_container(struct writer *writer)
{
	int ret = wrap_cut(writer->run->wrap);

	if (ret)
		return write_failed(writer, ret);
	return writer->run->output->file ? mark_file(writer) : mark_pipe(writer);
}

/* The data before the lines that describe it. */
static int sync_all(struct writer *writer)
{
	struct transfer *run = writer->run;
	int ret;

	if (run->wrap)
		return sync_container(writer);
	if (!run->journal)
		return 0;
	ret = output_sync(run->output);
	if (ret)
		return write_failed(writer, ret);
	return journal_sync(run->journal) ? journal_failed(writer) : 0;
}

static int put_container(struct writer *writer, const struct batch *batch,
			 const struct journal_batch *line)
{
	size_t length;
	char *text = journal_batch_line(line, &length);
	int ret = -ENOMEM;

	if (text)
		ret = wrap_batch(writer->run->wrap, batch->data, batch->length, text, length);
	if (!ret)
		writer->run->output->offset += batch->length;
	free(text);
	return ret;
}

/* Without any line resume takes it that nothing was given to the reader. */
static int sync_first(struct writer *writer)
{
	const struct transfer *run = writer->run;

	if (run->output->file || run->output->offset || !run->journal)
		return 0;
	return journal_sync(run->journal) ? journal_failed(writer) : 0;
}

static int deliver_line(struct writer *writer, const struct batch *batch,
			const struct journal_batch *line)
{
	struct transfer *run = writer->run;
	bool line_first = !run->output->file || run->wrap;
	int ret;

	if (line_first && (note(writer, line) || sync_first(writer)))
		return -1;
	if (run->wrap)
		ret = put_container(writer, batch, line);
	else
		ret = output_write(run->output, batch->data, batch->length);
	progress_set(run->progress, run->output->offset);
	if (ret)
		return write_failed(writer, ret);
	if (!line_first && note(writer, line))
		return -1;
	return batch->durable ? sync_all(writer) : 0;
}

static int deliver(struct writer *writer, const struct batch *batch)
{
	struct journal_batch line;
	int ret;

	describe(writer->run, batch, &line);
	ret = deliver_line(writer, batch, &line);
	replaced_move(&writer->run->replaced, &line.replaced);
	replaced_clear(&line.replaced);
	return ret;
}

/*
 * Wrapped bytes get their mark at once: they would not count as data that may be undurable, and a
 * mark at a batch's end is one that no batch has to be regenerated for.
 */
int transfer_write_rest(struct transfer *run, const void *data, size_t size,
			struct transfer_result *result)
{
	struct writer writer = { .run = run, .result = result };
	int ret;

	*result = (struct transfer_result){ 0 };
	if (run->wrap)
		ret = wrap_bytes(run->wrap, data, size);
	else
		ret = output_write(run->output, data, size);
	if (ret)
		return write_failed(&writer, ret);
	if (run->wrap)
		run->output->offset += size;
	progress_set(run->progress, run->output->offset);
	return run->wrap ? sync_all(&writer) : 0;
}

/* Once cancelled, the batches still waiting are dropped: checkpoints before them are good. */
static int write_all(struct writer *writer, struct pipeline *pipeline)
{
	struct batch *batch;
	int ret = 0;

	while (!ret && (batch = pipeline_take_filled(pipeline))) {
		if (sendcp_cancelled(&writer->run->cancel))
			ret = end_with(writer, TRANSFER_STOPPED, -EINTR);
		else
			ret = deliver(writer, batch);
		pipeline_put_free(pipeline, batch);
	}
	return ret;
}

/* Why the producer ended: everything was made, or it failed. */
static void producer_result(struct writer *writer, const struct producer *producer)
{
	struct transfer_result *result = writer->result;

	if (!producer->err) {
		result->status = TRANSFER_COMPLETE;
		return;
	}
	result->status = producer->err == -EINTR ? TRANSFER_STOPPED : TRANSFER_READ_FAILED;
	result->err = producer->err;
	result->error = producer->error;
	result->what = writer->run->job->subvolumes[producer->subvolume].spec;
}

void transfer_attach(struct transfer *run, const struct sendcp_cancel *above)
{
	run->cancel.parent = above;
	run->output->cancel = &run->cancel;
	if (run->job->source)
		sendcp_source_set_interrupt(run->job->source, &run->cancel);
}

void transfer_detach(struct transfer *run)
{
	run->output->cancel = run->cancel.parent;
	if (run->job->source)
		sendcp_source_set_interrupt(run->job->source, run->cancel.parent);
}

static void run_pipeline(struct writer *writer, struct pipeline *pipeline)
{
	struct producer producer;
	int ret = producer_start(&producer, writer->run, pipeline);

	if (ret) {
		error_line("cannot start a thread: %s", strerror(-ret));
		end_with(writer, TRANSFER_STOPPED, ret);
		return;
	}
	ret = write_all(writer, pipeline);
	/* After any end of the writing, the producer has nothing more to do. */
	if (ret)
		sendcp_cancel_set(&writer->run->cancel);
	pipeline_stop(pipeline);
	producer_join(&producer);
	if (!ret)
		producer_result(writer, &producer);
}

/* An orderly end says what a pipe was given at most, so that --at cannot be more than that. */
static int note_written(struct transfer *run)
{
	struct stream_place place = {
		.output_offset = run->output->offset,
		.file_offset = run->output->file_offset,
	};

	return run->output->file ? 0 : journal_delivered(run->journal, &place);
}

/* The end of the archive is no part of the stream, and belongs to it all the same. */
static int finish_container(struct writer *writer)
{
	struct transfer *run = writer->run;
	size_t length;
	char *line = journal_complete_line(run->output->offset, &length);
	int ret = -ENOMEM;

	if (line)
		ret = wrap_finish(run->wrap, line, length);
	free(line);
	if (!ret && run->journal)
		ret = output_sync(run->output);
	return ret ? write_failed(writer, ret) : 0;
}

/* A command is waited for as long as it takes only when it has everything. */
static int end_command(struct writer *writer)
{
	struct transfer *run = writer->run;
	bool all = writer->result->status == TRANSFER_COMPLETE;

	if (!run->output->command)
		return 0;
	command_output_end(run->output, &run->cancel, !all);
	if (!all || !run->output->status)
		return 0;
	if (sendcp_cancelled(&run->cancel))
		return end_with(writer, TRANSFER_STOPPED, -EINTR);
	return end_with(writer, TRANSFER_COMMAND_FAILED, 0);
}

/* How much is out, and so how much a reader can have. */
static void note_end(struct writer *writer)
{
	struct transfer *run = writer->run;

	end_command(writer);
	if (run->journal && !note_written(run))
		journal_sync(run->journal);
}

/* The stream is complete only when all of it is durable. */
static void finish_complete(struct writer *writer)
{
	struct transfer *run = writer->run;
	struct stream_place place = { 0 };

	if (sync_all(writer) || (run->wrap && finish_container(writer)) || end_command(writer)) {
		if (run->output->command)
			note_end(writer);
		return;
	}
	place.output_offset = run->output->offset;
	place.file_offset = run->output->file_offset;
	if (run->journal && (journal_complete(run->journal, &place) || journal_sync(run->journal)))
		journal_failed(writer);
}

/*
 * The bytes wrapped so far are completed by a mark, so that the next run need not make them again.
 */
static void save_container(struct writer *writer)
{
	struct transfer_result first = *writer->result;

	if (first.status != TRANSFER_WRITE_FAILED && first.status != TRANSFER_JOURNAL_FAILED)
		sync_container(writer);
	/* A pipe's reader who does not read any more was not what ended the run. */
	*writer->result = first;
}

/* All that can be saved is saved; the failure that came first is reported. */
static void finish_interrupted(struct writer *writer)
{
	struct transfer *run = writer->run;
	struct transfer_result *result = writer->result;
	int ret;

	if (run->wrap)
		save_container(writer);
	ret = run->journal ? output_sync(run->output) : 0;
	if (ret && result->status != TRANSFER_WRITE_FAILED)
		error_line("cannot sync %s: %s", run->output->name, strerror(-ret));
	note_end(writer);
}

/*
 * A signal that came with the last bytes may have killed the reader too, with what it had in
 * memory: then nobody knows that the stream arrived, unless the reader itself says so.
 */
static void doubt_reader(struct writer *writer)
{
	const struct output *output = writer->run->output;

	if (writer->result->status == TRANSFER_COMPLETE && !output->file && !output->command &&
	    sendcp_cancelled(&writer->run->cancel))
		end_with(writer, TRANSFER_STOPPED, -EINTR);
}

void transfer_finish(struct transfer *run, struct transfer_result *result)
{
	struct writer writer = { .run = run, .result = result };

	doubt_reader(&writer);
	activity_finish();
	if (result->status == TRANSFER_COMPLETE)
		finish_complete(&writer);
	else
		finish_interrupted(&writer);
}

void transfer_run(struct transfer *run, struct transfer_result *result)
{
	struct writer writer = { .run = run, .result = result };
	struct pipeline *pipeline = NULL;

	*result = (struct transfer_result){ 0 };
	if (transfer_buffers_fit(&run->settings))
		pipeline = pipeline_create(run->settings.buffers, run->settings.buffer_size);
	if (pipeline) {
		run_pipeline(&writer, pipeline);
		pipeline_free(pipeline);
	} else {
		end_with(&writer, TRANSFER_STOPPED, no_memory());
	}
	transfer_finish(run, result);
}
