// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * sendcp resume --append FILE: opening what is there.
 */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "append/append.h"
#include "conflicts.h"
#include "fileio.h"
#include "message.h"
#include "outcome.h"

int append_open(struct resume *resume, const char *path)
{
	struct stat st;

	if (stat(path, &st))
		return error_line("cannot look at %s: %s", path, strerror(errno));
	if (!S_ISREG(st.st_mode))
		return error_line("%s is not a regular file", path);
	resume->output_path = absolute_path(path);
	if (!resume->output_path)
		return error_line("cannot find out where %s is: %s", path, strerror(errno));
	if (conflicts_resume(NULL, resume->options, resume->output_path))
		return -1;
	return output_open(&resume->output, resume->output_path);
}

int append_try_again(const struct resume *resume)
{
	error_line("broken off, go on with the same command: %s is as it was", resume->output_path);
	return EXIT_BROKEN_OFF;
}

int append_stopped(const struct resume *resume)
{
	outcome_report_stop();
	return resume->journal ? append_broken_off(resume) : append_try_again(resume);
}

static int append_alone(struct resume *resume)
{
	int ret = append_is_archive(resume);

	if (ret)
		return ret < 0 ? EXIT_FAILED : append_archive(resume);
	if (resume->options->argument_count)
		return append_without_sidecar(resume);
	error_line("%s does not tell what it is of: give --checkpoint FILE.cp, or SUBVOL as it was "
		   "given to the send", resume->output_path);
	return EXIT_FAILED;
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
	if (journal_open(options->checkpoint, &resume.sidecar, &resume.journal))
		return EXIT_FAILED;
	if (!append_open(&resume, options->append))
		code = append_with_sidecar(&resume);
	return resume_close(&resume, code);
}
