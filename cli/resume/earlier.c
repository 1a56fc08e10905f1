// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What an earlier send left where a new one would write: is it to be continued?
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "job/same_request.h"
#include "resume/append/scan.h"
#include "resume/earlier.h"
#include "resume/overwrite.h"
#include "resume/position.h"
#include "util/alloc.h"
#include "util/fileio.h"
#include "util/message.h"

static bool same_file(const char *first, const char *second)
{
	struct stat a, b;
	char *whole;
	bool same;

	if (!stat(first, &a))
		return !stat(second, &b) && a.st_dev == b.st_dev && a.st_ino == b.st_ino;
	/* The journal's path is absolute. */
	whole = absolute_path(second);
	same = whole && !strcmp(first, whole);
	free(whole);
	return same;
}

static bool empty_or_missing(const char *path)
{
	struct stat st;

	return stat(path, &st) ? errno == ENOENT : S_ISREG(st.st_mode) && !st.st_size;
}

static enum earlier refuse(const char *journal, const struct journal_contents *old,
			   char *difference)
{
	error_line("%s is of another send: %s", journal, difference);
	free(difference);
	if (!overwrite_journal(journal, old))
		error_line("to discard it and start over, add --restart");
	return EARLIER_REFUSED;
}

static char *output_difference(const struct journal_contents *old, const char *output)
{
	if (!old->output)
		return output ? xstrdup("its output is a pipe") : NULL;
	if (output && same_file(old->output, output))
		return NULL;
	return xasprintf("its output is %s", old->output);
}

static char *find_difference(const struct send_job *job, const struct options *options,
			     const struct journal_contents *old, const char *output)
{
	char *difference = request_difference(&old->header, job, options);

	return difference ? difference : output_difference(old, output);
}

/*
 * Old lines are dropped, and resume reads nothing of a plain file before the first one that is
 * left. There the stream's own checksums show whether it is what was written.
 */
static bool whole(const struct journal_contents *old, const char *output)
{
	struct position position;

	if (journal_in_container(old) || !old->count || !old->batches[0].output_offset ||
	    !output || empty_or_missing(output))
		return true;
	info_line("%s: the checkpoint file does not go back to its beginning: reading all of it",
		  output);
	return !position_find(output, &position) && position.plain >= journal_made(old);
}

/* What is complete is made again, as by btrfs send -f, unless --continue says that it need not. */
static enum earlier judge_complete(const struct send_job *job, const struct options *options,
				   const struct journal_contents *old, const char *output)
{
	char *difference;

	if (!options->continues)
		return EARLIER_NOTHING;
	difference = find_difference(job, options, old, output);
	if (!difference)
		return whole(old, output) ? EARLIER_JOURNAL : EARLIER_NOTHING;
	free(difference);
	return EARLIER_NOTHING;
}

/*
 * How much of a pipe's stream its reader has kept is known to nobody here, so that the same command
 * again cannot continue it, unless it says who knows; overwrite_journal() prints the ways.
 */
static enum earlier judge_journal(const struct send_job *job, const struct options *options,
				  const struct earlier_place *place,
				  const struct journal_contents *old)
{
	char *difference;

	if (old->complete)
		return judge_complete(job, options, old, place->output);
	/* Interrupted before its first byte: nothing can be lost. */
	if (!old->count && (place->pipe || !old->output || empty_or_missing(old->output)))
		return EARLIER_NOTHING;
	difference = find_difference(job, options, old, place->output);
	if (difference)
		return refuse(place->journal, old, difference);
	return place->pipe && !options->to_command ? EARLIER_NOTHING : EARLIER_JOURNAL;
}

/*
 * Anything else under its name is refused when its lock is taken (journal_claim). -1 with an error
 * line: that it is there, and no more, is known.
 */
static int is_journal(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	char start[64];
	struct stat st;
	ssize_t got = -1;

	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR || errno == ENXIO))
		return false;
	if (fd < 0)
		return error_line("cannot open %s: %s", path, strerror(errno));
	if (!fstat(fd, &st) && S_ISREG(st.st_mode))
		got = read_up_to(fd, start, sizeof(start), 0);
	close(fd);
	return got > 0 && journal_recognise(start, (size_t)got);
}

/* Of the kind that is asked for; what is in it, only the comparison with the stream shows. */
static bool is_container(const char *path, const struct container_spec *container)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct file_scan scan = { .fd = fd, .name = path };
	enum unwrap_kind kind;
	bool same = false;

	if (fd >= 0 && !scan_kind(fd, path, &kind)) {
		scan_set_container(&scan, kind);
		same = scan.container.archive == container->archive &&
		       !scan.container.level == !container->level;
	}
	if (fd >= 0)
		close(fd);
	return same;
}

/* A plain stream shows that it is complete. */
static enum earlier judge_output(const struct options *options, const char *output)
{
	bool complete = false;
	struct stat st;

	if (stat(output, &st) || !S_ISREG(st.st_mode) || !st.st_size ||
	    !is_container(output, &options->container))
		return EARLIER_NOTHING;
	if (container_is_plain(&options->container) && !overwrite_is_stream(output, &complete))
		return EARLIER_NOTHING;
	if (complete && !options->continues)
		return EARLIER_NOTHING;
	info_line("%s holds a stream: comparing it with this one, to continue it (--restart "
		  "discards it)", output);
	return EARLIER_OUTPUT;
}

/*
 * A shell appends to a file that begins with a stream and does not end with the end of one: that
 * was interrupted, and no reader finds what comes after it.
 */
static bool appends_to_incomplete(const struct earlier_place *place)
{
	bool complete;

	if (!place->shared || !overwrite_is_stream(place->output, &complete) || complete)
		return false;
	error_line("%s ends with an incomplete stream: nothing can be appended to it. Resume that "
		   "one first (sendcp list)", place->output);
	return true;
}

/* Of two checkpoint files for one output, the older one would be left over and wrong. */
static bool other_journal(const struct earlier_place *place)
{
	struct journal_contents old = { 0 };
	bool refused = false;
	int found;

	if (!place->journal || !place->usual || same_file(place->usual, place->journal))
		return false;
	found = is_journal(place->usual);
	if (found <= 0)
		return found;
	if (!journal_read_path(place->usual, &old) && overwrite_journal(place->usual, &old))
		refused = true;
	journal_clear(&old);
	return refused;
}

enum earlier earlier_find(const struct send_job *job, const struct options *options,
			  struct earlier_place *place)
{
	struct journal_contents old = { 0 };
	enum earlier found;
	int there;

	if (options->restart)
		return EARLIER_NOTHING;
	there = place->journal ? is_journal(place->journal) : 0;
	if (there < 0)
		return EARLIER_REFUSED;
	if (!there) {
		if (other_journal(place) || appends_to_incomplete(place))
			return EARLIER_REFUSED;
		if (place->pipe || place->shared)
			return EARLIER_NOTHING;
		return judge_output(options, place->output);
	}
	if (journal_read_path(place->journal, &old))
		return EARLIER_REFUSED;
	found = judge_journal(job, options, place, &old);
	memcpy(place->header_hash, old.header_hash, sizeof(place->header_hash));
	journal_clear(&old);
	return found;
}

void earlier_options(enum earlier found, const struct options *options,
		     const struct earlier_place *place, struct options *out)
{
	*out = *options;
	out->output = NULL;
	out->to_stdout = false;
	out->continued = true;
	out->checkpoint = found == EARLIER_JOURNAL ? place->journal : NULL;
	out->seen_header = found == EARLIER_JOURNAL ? place->header_hash : NULL;
	out->append = found == EARLIER_OUTPUT ? place->output : NULL;
	out->new_checkpoint = options->checkpoint;
}
