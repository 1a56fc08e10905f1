// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Finding the point where an interrupted stream in a container is resumed: a mark, after which
 * nothing depends on the bytes before it.
 */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "container/range.h"
#include "container/unwrap.h"
#include "journal/batch_verifier.h"
#include "resume/point.h"
#include "util/message.h"

static int point_at_mark(const struct journal_contents *contents, const struct stream_place *mark,
			 struct resume_point *point)
{
	if (resume_point_stream(contents, mark->output_offset, point))
		return -1;
	point->at = *mark;
	return 0;
}

/* The number of marks at or before byte @at of the file. */
static size_t marks_until(const struct journal_contents *contents, u64 at)
{
	size_t count = contents->mark_count;

	while (count && contents->marks[count - 1].file_offset > at)
		count--;
	return count;
}

static int not_a_mark(const struct journal_contents *contents, u64 at, size_t count)
{
	u64 usable = count ? contents->marks[count - 1].file_offset : 0;

	return error_line("the stream is compressed or in an archive and cannot be resumed at byte "
			  "%llu, in the middle of a frame: truncate the receiver's file to %llu "
			  "bytes, then resume with --at %llu", at, usable, usable);
}

int resume_container_at(const struct journal_contents *contents, u64 at, struct resume_point *point)
{
	size_t count = marks_until(contents, at);

	if (!at)
		return resume_point_stream(contents, 0, point);
	if (contents->complete && at == contents->complete_size)
		return 1;
	if (!count || contents->marks[count - 1].file_offset != at)
		return not_a_mark(contents, at, count);
	return point_at_mark(contents, &contents->marks[count - 1], point);
}

static void feed(void *context, const void *data, size_t size)
{
	batch_verifier_feed(context, data, size);
}

/*
 * Does the file hold between two marks the bytes that were written there? In batches that began
 * before @from the frames' own checksums decide.
 */
static int holds(const struct journal_contents *contents, const struct output *file,
		 const struct stream_place *from, const struct stream_place *to)
{
	struct batch_verifier proof;
	u64 plain = 0;
	int ret;

	batch_verifier_begin(&proof, contents, from->output_offset);
	ret = range_read(file->fd, &contents->header.container, from->file_offset, to->file_offset,
			 feed, &proof, &plain);
	if (ret > 0)
		ret = !proof.wrong && plain == to->output_offset - from->output_offset;
	batch_verifier_end(&proof);
	return ret < 0 ? error_line("cannot read %s: %s", file->name, strerror(-ret)) : ret;
}

/* Of the file's beginning nothing may be known any more: old lines are dropped. */
static bool beginning_known(const struct journal_contents *contents)
{
	return contents->count && !contents->batches[0].output_offset;
}

u64 resume_container_before(const struct journal_contents *contents, u64 at)
{
	size_t count = marks_until(contents, at);

	if (count)
		return contents->marks[count - 1].file_offset;
	return beginning_known(contents) ? 0 : at;
}

/* The same, between mark number @index and the one before it. */
static int mark_holds(const struct journal_contents *contents, const struct output *file,
		      size_t index)
{
	static const struct stream_place beginning;
	const struct stream_place *mark = &contents->marks[index];

	if (index)
		return holds(contents, file, mark - 1, mark);
	if (!beginning_known(contents))
		return 0;
	return holds(contents, file, &beginning, mark);
}

/*
 * Counts those of the first *@count marks that are proven: all that the journal has. Old lines are
 * dropped, so that is not much even of a large file.
 */
static int count_proven(const struct journal_contents *contents, const struct output *file,
			size_t *count)
{
	const size_t end = *count;
	size_t first = end > 1 && !beginning_known(contents) ? 1 : 0;

	for (*count = first; *count < end; (*count)++) {
		int ret = mark_holds(contents, file, *count);

		if (ret < 0)
			return -1;
		if (!ret)
			break;
	}
	if (*count == first)
		*count = 0;
	return 0;
}

int resume_container_marks(const struct journal_contents *contents, const struct output *file,
			   const struct stream_place *at)
{
	size_t count = marks_until(contents, at->file_offset);

	return count ? mark_holds(contents, file, count - 1) : 1;
}

/* An archive without its manifest is none that verify takes, whatever its segments hold. */
static bool begins_whole(const struct journal_contents *contents, const struct output *file)
{
	struct unwrap *unwrap;
	bool whole;
	u8 byte;

	if (!contents->header.container.archive)
		return true;
	if (lseek(file->fd, 0, SEEK_SET) < 0)
		return false;
	unwrap = unwrap_open_fd(file->fd);
	whole = unwrap && unwrap_read(unwrap, &byte, 1) == 1;
	unwrap_close(unwrap);
	return whole;
}

int resume_container_file(const struct journal_contents *contents, const struct output *file,
			  u64 limit, struct resume_point *point)
{
	struct stat st;
	size_t count;

	*point = (struct resume_point){ 0 };
	if (fstat(file->fd, &st))
		return error_line("cannot stat %s: %s", file->name, strerror(errno));
	count = marks_until(contents, sendcp_min((u64)st.st_size, limit));
	if (count_proven(contents, file, &count))
		return -1;
	if (!count || !begins_whole(contents, file))
		return 1;
	verbose_line(1, "%s: %llu of %llu bytes are proven", file->name,
		     contents->marks[count - 1].file_offset, (u64)st.st_size);
	return point_at_mark(contents, &contents->marks[count - 1], point);
}
