// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Finding the point where an interrupted stream is resumed.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "journal/batch_verifier.h"
#include "resume/point.h"
#include "util/alloc.h"
#include "util/fileio.h"
#include "util/message.h"

#define CHUNK (1u << 20)

/* After a subvolume's last batch the next one begins, without a checkpoint. */
static void start_behind(const struct journal_batch *batch, struct transfer_start *start)
{
	*start = (struct transfer_start){
		.subvolume = batch->subvolume,
		.checkpoint = batch->checkpoint,
		.checkpoint_size = batch->checkpoint_size,
		.output_offset = journal_batch_end(batch),
	};
	if (batch->end) {
		start->subvolume++;
		start->checkpoint = NULL;
	}
}

/*
 * Sets @start to the beginning of batch @index. False: the batch before it was thinned out, and
 * with it the checkpoint that would be needed.
 */
static bool start_before(const struct journal_contents *contents, size_t index,
			 struct transfer_start *start)
{
	const struct journal_batch *batch = &contents->batches[index];

	if (index) {
		start_behind(batch - 1, start);
		return true;
	}
	*start = (struct transfer_start){
		.subvolume = batch->subvolume,
		.output_offset = batch->output_offset,
	};
	return !batch->stream_offset;
}

bool resume_point_complete(const struct journal_contents *contents,
			   const struct resume_point *point)
{
	return !point->proof && point->start.subvolume == contents->header.subvolumes.count;
}

size_t resume_point_batches_before(const struct journal_contents *contents, u64 at)
{
	size_t low = 0, high = contents->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (contents->batches[middle].output_offset < at)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static int too_old(const struct journal_contents *contents, u64 at)
{
	return error_line("the checkpoint file goes back only to byte %llu, not to byte %llu: "
			  "start a new send", journal_batch_end(&contents->batches[0]), at);
}

/* An empty batch may end a subvolume at @at; the point is after it. */
static size_t skip_empty(const struct journal_contents *contents, size_t index, u64 at)
{
	while (index < contents->count && !contents->batches[index].length &&
	       contents->batches[index].output_offset == at)
		index++;
	return index;
}

int resume_point_stream(const struct journal_contents *contents, u64 at, struct resume_point *point)
{
	u64 made = journal_made(contents);
	const struct journal_batch *last;
	size_t index;

	*point = (struct resume_point){ .at = { .output_offset = at, .file_offset = at } };
	if (!at)
		return 0;
	if (at > made)
		return error_line("byte %llu is after the %llu bytes that the checkpoint file "
				  "records: truncate the receiver's file to these, and resume with "
				  "--at %llu", at, made,
				  made);
	index = skip_empty(contents, resume_point_batches_before(contents, at), at);
	if (!index) {
		/* At the edge of the first batch that is left, which may begin a subvolume. */
		if (contents->batches[0].output_offset == at &&
		    start_before(contents, 0, &point->start))
			return 0;
		return too_old(contents, at);
	}
	last = &contents->batches[index - 1];
	start_behind(last, &point->start);
	if (journal_batch_end(last) == at)
		return 0;
	point->proof = last;
	return start_before(contents, index - 1, &point->before) ? 0 : too_old(contents, at);
}

/*
 * Refuses a position after all the bytes that a pipe can have been given, where the last run could
 * note it. After a power cut the reader may have more than the journal has lines of.
 */
static int check_written(const struct journal_contents *contents, u64 at)
{
	u64 most = contents->complete ? contents->complete_size : contents->delivered.file_offset;

	if (at <= most || !(contents->delivered_known || contents->complete))
		return 0;
	return error_line("only %llu bytes were ever written, so no receiver has %llu. Is that the "
			  "size of a compressed or encrypted file?", most, at);
}

bool resume_point_batch(const struct journal_contents *contents, size_t index,
			struct resume_point *point)
{
	const struct journal_batch *batch = &contents->batches[index];

	*point = (struct resume_point){
		.at = { .output_offset = batch->output_offset,
			.file_offset = batch->output_offset },
		.proof = batch,
	};
	start_behind(batch, &point->start);
	return start_before(contents, index, &point->before);
}

int resume_point_before(const struct journal_contents *contents, u64 at, struct resume_point *point)
{
	if (check_written(contents, at))
		return -1;
	if (journal_in_container(contents))
		at = resume_container_before(contents, at);
	else if (contents->delivered_known)
		/* An earlier run went further, and this one's lines have replaced its own. */
		at = sendcp_min(at, journal_made(contents));
	return resume_point_at(contents, at, point);
}

int resume_point_at(const struct journal_contents *contents, u64 at, struct resume_point *point)
{
	if (check_written(contents, at))
		return -1;
	if (journal_in_container(contents))
		return resume_container_at(contents, at, point);
	if (resume_point_stream(contents, at, point))
		return -1;
	return at && resume_point_complete(contents, point);
}

/*
 * Counts the proven batches of the first @count, which the file is long enough for: all that the
 * journal has. Old lines are dropped, so that is not much even of a large file.
 */
static size_t count_proven(const struct journal_contents *contents, const struct output *file,
			   size_t count)
{
	u64 at = count ? contents->batches[0].output_offset : 0;
	u64 end = count ? journal_batch_end(&contents->batches[count - 1]) : 0;
	u8 *buffer = xmalloc(CHUNK);
	struct batch_verifier proof;
	size_t proven;

	batch_verifier_begin(&proof, contents, at);
	while (at < end && !proof.wrong) {
		/* A batch that cannot be read is no reason not to take the one before it. */
		u64 rest = journal_batch_end(&contents->batches[proof.index]) - at;
		size_t part = (size_t)sendcp_min(rest, CHUNK);

		if (read_at(file->fd, buffer, part, at))
			break;
		batch_verifier_feed(&proof, buffer, part);
		at += part;
	}
	proven = count ? proof.index : 0;
	batch_verifier_end(&proof);
	free(buffer);
	return proven;
}

/* Batches that a file of @size bytes can hold whole. */
static size_t batches_within(const struct journal_contents *contents, u64 size)
{
	size_t count = contents->count;

	while (count && journal_batch_end(&contents->batches[count - 1]) > size)
		count--;
	return count;
}

int resume_point_file(const struct journal_contents *contents, const struct output *file, u64 limit,
		      struct resume_point *point)
{
	struct stat st;
	size_t count, proven;

	if (journal_in_container(contents))
		return resume_container_file(contents, file, limit, point);
	*point = (struct resume_point){ 0 };
	if (fstat(file->fd, &st))
		return error_line("cannot stat %s: %s", file->name, strerror(errno));
	count = batches_within(contents, sendcp_min((u64)st.st_size, limit));
	proven = count_proven(contents, file, count);
	if (!proven)
		return 1;
	start_behind(&contents->batches[proven - 1], &point->start);
	point->at.output_offset = point->start.output_offset;
	point->at.file_offset = point->start.output_offset;
	verbose_line(1, "%s: %llu of %llu bytes are proven", file->name, point->at.file_offset,
		     (u64)st.st_size);
	return 0;
}
