// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * sendcp resume --append FILE: opening what is there.
 */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "container/foreign.h"
#include "container/unwrap.h"
#include "job/conflicts.h"
#include "resume/append/append.h"
#include "resume/append/scan.h"
#include "resume/file.h"
#include "transfer/transfer_result.h"
#include "util/alloc.h"
#include "util/fileio.h"
#include "util/message.h"

/* The longest end of an archive: a line, and the format's own end, up to a tape's record. */
#define ARCHIVE_END_MAX (64u << 10)

/* Nothing can be appended to what another program compressed or encrypted, except zstd's frames. */
static int check_foreign(const char *path, int fd)
{
	const struct foreign *foreign;
	u8 head[FOREIGN_HEAD];
	ssize_t got = read_up_to(fd, head, sizeof(head), 0);

	foreign = got > 0 ? foreign_find(head, (size_t)got) : NULL;
	if (!foreign)
		return 0;
	return error_line("%s is %s: left as it is. Unpack what there is of it, and resume in "
			  "that: %s >PLAIN; sendcp resume --append PLAIN", path, foreign->how,
			  foreign->command);
}

int append_open(struct resume *resume, const char *path)
{
	struct stat st;

	if (stat(path, &st))
		return error_line("cannot stat %s: %s", path, strerror(errno));
	if (!S_ISREG(st.st_mode))
		return error_line("%s is not a regular file", path);
	resume->output_path = absolute_path(path);
	if (!resume->output_path)
		return error_line("cannot resolve the path %s: %s", path, strerror(errno));
	if (conflicts_resume(NULL, resume->options, resume->output_path) ||
	    output_open(&resume->output, resume->output_path, false))
		return -1;
	return check_foreign(path, resume->output.fd);
}

/*
 * The remaining bytes are the rest of the frame that the stream ends in, or the beginning of one
 * that has no contents yet: a compressor was writing it when it was killed.
 */
static bool ends_in_frame(const struct file_scan *scan)
{
	const struct blocks_result *blocks = &scan->blocks;
	u8 magic[4];

	if (blocks->cut.close != BLOCKS_CLOSED)
		return true;
	return scan->size - blocks->cut.file >= sizeof(magic) &&
	       !read_at(scan->fd, magic, sizeof(magic), blocks->cut.file) &&
	       unwrap_zstd_begun(magic, sizeof(magic)) && scan->plain == blocks->cut.plain;
}

bool append_is_whole_archive(const struct resume *resume, const struct file_scan *scan)
{
	return scan->container.archive && scan->whole &&
	       scan->plain == journal_made(&resume->contents);
}

/*
 * A stream that is complete stays as it is; bytes after it are not ours to cut off, except for
 * those that can be nothing else than the rest of the frame or archive that the stream ends in.
 */
int append_check_follows(const struct resume *resume, const struct file_scan *scan)
{
	u64 own = 0;

	if (append_is_whole_archive(resume, scan))
		return 0;
	if (scan->followed)
		return resume_file_check_tail(&resume->output, scan->followed, scan->size, 0);
	if (scan->container.level && scan->plain > journal_made(&resume->contents))
		return error_line("%s: the stream is complete after %llu bytes, and something else "
				  "follows: left as it is", scan->name,
				  journal_made(&resume->contents));
	if (scan->container.archive)
		own = ARCHIVE_END_MAX;
	else if (scan->container.level && ends_in_frame(scan))
		own = scan->size;
	return resume_file_check_tail(&resume->output, scan->at.file_offset, scan->size, own);
}

char *append_journal_path(const struct options *options)
{
	if (options->new_checkpoint)
		return xstrdup(options->new_checkpoint);
	return xasprintf("%s.cp", options->append);
}

int append_refused(const struct resume *resume)
{
	if (resume->options->continued)
		error_line("to discard %s and start over, add --restart", resume->output_path);
	return EXIT_FAILED;
}

int append_try_again(const struct resume *resume)
{
	error_line("interrupted; run the same command again: %s was not changed",
		   resume->output_path);
	return EXIT_BROKEN_OFF;
}

int append_stopped(const struct resume *resume)
{
	transfer_report_stop();
	return resume->journal ? append_broken_off(resume) : append_try_again(resume);
}

/* Anyone can have written the lines in an archive: so the user has to name the subvolumes. */
static int append_alone(struct resume *resume)
{
	int ret;

	if (!resume->options->argument_count) {
		error_line("%s: give --checkpoint FILE.cp, or SUBVOL and the options of the send",
			   resume->output_path);
		return EXIT_FAILED;
	}
	ret = append_is_archive(resume);
	if (ret)
		return ret < 0 ? EXIT_FAILED : append_archive(resume);
	return append_without_journal(resume);
}

int append_file(const struct options *options)
{
	struct resume resume = { .options = options, .output = { .fd = -1 } };
	int code = EXIT_FAILED;

	if (!options->checkpoint) {
		if (!append_open(&resume, options->append))
			code = append_alone(&resume);
		return resume_close(&resume, code);
	}
	if (journal_open(options->checkpoint, &resume.contents, &resume.journal))
		return EXIT_FAILED;
	if (!resume_check_trust(&resume) && !append_open(&resume, options->append))
		code = append_with_journal(&resume);
	return resume_close(&resume, code);
}
