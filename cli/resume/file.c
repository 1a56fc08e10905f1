// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Resuming in a regular file.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "job/conflicts.h"
#include "job/resume_command.h"
#include "resume/file.h"
#include "resume/prefix.h"
#include "util/fileio.h"
#include "util/message.h"

/* The longest end of an archive: a line, and the format's own end, up to a tape's record. */
#define ARCHIVE_END_MAX (64u << 10)

/* Bytes that the file had, as far as the journal knows. */
static u64 known_size(const struct journal_contents *contents)
{
	if (!journal_in_container(contents))
		return journal_made(contents);
	return contents->mark_count ? contents->marks[contents->mark_count - 1].file_offset : 0;
}

/* Prints the command that overrides this refusal. Returns -1. */
static int offer_restart(const struct resume *resume)
{
	char *command = resume_command(journal_path(resume->journal), resume->options);

	error_line("to start over: %s --restart", command);
	free(command);
	return -1;
}

static int not_mounted(const struct resume *resume)
{
	const struct journal_header *header = &resume->contents.header;

	return error_line("%s was on the filesystem mounted at %s, which is not mounted there now: "
			  "mount it, or name the file with -f", resume->output_path,
			  header->output_place.point ? header->output_place.point : "another "
			  "place");
}

/* The path the journal names, on the filesystem it names; another path is the user's own. */
static bool same_place(const struct resume *resume)
{
	const struct journal_header *header = &resume->contents.header;
	struct mount_place now;
	bool same;

	if (resume->options->output || !header->output ||
	    strcmp(header->output, resume->output_path))
		return true;
	mount_place_find(resume->output_path, &now);
	same = mount_place_same(&header->output_place, &now);
	mount_place_clear(&now);
	return same;
}

static int missing(const struct resume *resume)
{
	if (!same_place(resume))
		return not_mounted(resume);
	error_line("%s does not exist; the output had %llu bytes: if it was moved, name it with -f "
		   "FILE", resume->output_path, known_size(&resume->contents));
	return offer_restart(resume);
}

static int emptied(const struct resume *resume)
{
	error_line("%s is empty; the output had %llu bytes", resume->output_path,
		   known_size(&resume->contents));
	return offer_restart(resume);
}

static int not_proven(const struct resume *resume)
{
	error_line("%s: nothing in it is proven to be this stream: left as it is",
		   resume->output_path);
	return offer_restart(resume);
}

static bool is_zero(const struct output *file, u64 from, u64 to)
{
	u8 buffer[4096];

	while (from < to) {
		size_t part = (size_t)sendcp_min(to - from, sizeof(buffer));

		if (read_at(file->fd, buffer, part, from))
			return false;
		for (size_t i = 0; i < part; i++)
			if (buffer[i])
				return false;
		from += part;
	}
	return true;
}

int resume_file_check_tail(const struct output *file, u64 end, u64 size, u64 own)
{
	if (size <= end || size - end <= own || is_zero(file, end, size))
		return 0;
	return error_line("%s: the stream is complete after %llu bytes, and %llu bytes follow "
			  "that are not part of it: left as it is", file->name, end, size - end);
}

/* The beginning is all that the file can hold, since nothing in it is known. */
static int start_over(struct resume *resume, u64 size)
{
	const struct journal_contents *contents = &resume->contents;
	u64 undurable = journal_undurable_max(&contents->header);
	int ret;

	if (!size)
		return known_size(contents) > undurable ? emptied(resume) : 0;
	if (journal_in_container(contents))
		return resume->options->at_given ? not_proven(resume) : RESUME_FILE_FRAMES;
	if (size > undurable || (contents->count && contents->batches[0].output_offset))
		return not_proven(resume);
	ret = resume_prefix_file(resume, size);
	return ret > 0 ? 0 : ret ? -1 : not_proven(resume);
}

/* Nothing but the stream, and all of it. 1: nothing is left to do. */
static int check_complete(const struct resume *resume, u64 size)
{
	const struct journal_contents *contents = &resume->contents;
	u64 end = resume->point.at.file_offset;

	if (contents->complete && contents->complete_size >= end)
		end = contents->complete_size;
	if (size == end && (contents->complete || !journal_in_container(contents)))
		return 1;
	return resume_file_check_tail(&resume->output, end, size, journal_in_container(contents) &&
				      contents->header.container.archive && !contents->complete ?
				      ARCHIVE_END_MAX : 0);
}

/*
 * What the interrupted run may have written after the last proven byte is regenerated. It cannot
 * have written more than this; the user may say that the rest is to go.
 */
static int check_size(const struct resume *resume, u64 size)
{
	const struct journal_contents *contents = &resume->contents;
	/* A later run's buffers may be larger, but not larger than the interval. */
	u64 most = journal_made(contents) + journal_undurable_max(&contents->header) +
		   2 * sendcp_min(contents->header.interval, INT64_MAX / 4);
	u64 proven = resume->point.at.file_offset;
	char *command;

	if (journal_in_container(contents) || resume->options->at_given)
		return 0;
	if (size <= most) {
		if (size > proven)
			info_line("%s: correct up to byte %llu; the %llu bytes after it are "
				  "regenerated", resume->output_path, proven, size - proven);
		return 0;
	}
	error_line("%s has %llu bytes, and the interrupted run wrote at most %llu: something else "
		   "follows the stream; left as it is", resume->output_path, size, most);
	command = resume_command(journal_path(resume->journal), resume->options);
	error_line("to discard what follows: %s --at %llu", command, most);
	free(command);
	return -1;
}

/* Returns what resume_file_open() does; the job is opened only if something is left to make. */
static int find_point(struct resume *resume)
{
	const struct options *options = resume->options;
	struct stat st;
	int ret;

	if (fstat(resume->output.fd, &st))
		return error_line("cannot stat %s: %s", resume->output_path, strerror(errno));
	ret = resume_point_file(&resume->contents, &resume->output,
				options->at_given ? options->at : INT64_MAX, &resume->point);
	if (!ret && resume_point_complete(&resume->contents, &resume->point)) {
		ret = check_complete(resume, (u64)st.st_size);
		resume->point.at.file_offset = ret > 0 ? (u64)st.st_size :
					       resume->point.at.file_offset;
		return ret;
	}
	if (ret < 0 || (!ret && check_size(resume, (u64)st.st_size)) || resume_open_job(resume))
		return -1;
	return ret ? start_over(resume, (u64)st.st_size) : 0;
}

static int restart(struct resume *resume)
{
	if (!same_place(resume))
		return not_mounted(resume);
	if (resume_open_job(resume) || output_open(&resume->output, resume->output_path, true))
		return -1;
	return resume_point_stream(&resume->contents, 0, &resume->point);
}

int resume_file_open(struct resume *resume)
{
	struct stat st;

	if (conflicts_resume(NULL, resume->options, resume->output_path))
		return -1;
	if (resume->options->restart)
		return restart(resume);
	if (stat(resume->output_path, &st) && (errno == ENOENT || errno == ENOTDIR))
		return missing(resume);
	if (output_open(&resume->output, resume->output_path, false))
		return -1;
	return find_point(resume);
}
