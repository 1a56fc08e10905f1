// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * sendcp resume: a stream from where it was broken off.
 *
 * Nothing is written before it is sure that what is there is what was sent.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "append/append.h"
#include "command.h"
#include "fileio.h"
#include "message.h"
#include "resume_run.h"
#include "signals.h"

/* Absolute, because the sidecar will name it for the next run. */
static int find_output(struct resume *resume)
{
	const char *path = resume->options->output;

	if (!path)
		path = resume->sidecar.output;
	if (!path)
		return output_stdout(&resume->output);
	resume->output_path = absolute_path(path);
	if (resume->output_path)
		return 0;
	return error_line("cannot find out where %s is: %s", path, strerror(errno));
}

static bool is_file(const char *path)
{
	struct stat st;

	return path && (stat(path, &st) ? errno == ENOENT : S_ISREG(st.st_mode));
}

/* A file that is not named by the user, and as long as what was sent. */
static bool file_complete(const struct resume *resume)
{
	const struct sidecar *sidecar = &resume->sidecar;
	struct stat st;

	return !resume->options->output && !stat(resume->output_path, &st) &&
	       (u64)st.st_size == sidecar->complete_size;
}

/*
 * Where it goes on, if that can be told without a look at a file. Returns 1 if everything has
 * been sent.
 */
static int find_point(struct resume *resume)
{
	const struct options *options = resume->options;
	const struct sidecar *sidecar = &resume->sidecar;
	bool file = is_file(resume->output_path);
	int ret;

	if (options->at_given) {
		ret = resume_point_at(sidecar, options->at, &resume->point);
		return ret > 0 && file ? 0 : ret;
	}
	if (sidecar->complete && (file ? file_complete(resume) : !options->output))
		return 1;
	return file ? 0 : resume_point_handed(sidecar, &resume->point);
}

/* The file that the last run wrote, which this stream may start over. */
static bool own_file(const struct resume *resume)
{
	return resume->sidecar.output && !strcmp(resume->sidecar.output, resume->output_path);
}

/* --at counts from the file's beginning, so a shorter one would get a hole. */
static int check_length(const struct resume *resume)
{
	struct stat st;

	if (fstat(resume->output.fd, &st))
		return error_line("cannot look at %s: %s", resume->output_path, strerror(errno));
	if ((u64)st.st_size >= resume->point.at.file_offset)
		return 0;
	return error_line("%s has only %llu bytes; to get what follows byte %llu alone, write it "
			  "to standard output", resume->output_path, (u64)st.st_size,
			  resume->point.at.file_offset);
}

static int open_output(struct resume *resume)
{
	struct output *output = &resume->output;

	if (!resume->output_path)
		return 0;
	if (output_open(output, resume->output_path))
		return -1;
	if (!output->file)
		return 0;
	if (resume->options->at_given)
		return check_length(resume);
	return resume_point_file(&resume->sidecar, output, own_file(resume), &resume->point);
}

static int resume_subject(struct resume *resume)
{
	if (resume_open_subject(resume) || open_output(resume))
		return EXIT_FAILED;
	return resume_go_on(resume);
}

/* Everything has been sent, though the sidecar may not say so yet. */
static int already_complete(struct resume *resume)
{
	const struct sidecar *sidecar = &resume->sidecar;
	struct sidecar_place total = {
		.output_offset = sidecar_made(sidecar),
		.file_offset = sidecar_made(sidecar),
	};

	info_line("the stream is complete: all %llu bytes were sent", total.output_offset);
	if (sidecar->complete)
		return EXIT_DONE;
	if (journal_complete(resume->journal, &total) || journal_sync(resume->journal))
		return EXIT_FAILED;
	return EXIT_DONE;
}

static int resume_journal(struct resume *resume)
{
	int code = EXIT_FAILED;
	int ret;

	if (find_output(resume))
		return EXIT_FAILED;
	ret = find_point(resume);
	if (ret > 0)
		code = already_complete(resume);
	else if (!ret)
		code = resume_subject(resume);
	return code;
}

int command_resume(const struct options *options)
{
	struct resume resume = { .options = options, .output = { .fd = -1 } };

	signals_install();
	if (options->append)
		return append_file(options);
	if (journal_open(options->checkpoint, &resume.sidecar, &resume.journal))
		return EXIT_FAILED;
	return resume_close(&resume, resume_journal(&resume));
}
