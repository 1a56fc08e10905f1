/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files that must not be one and the same under different names: those that are read and those that
 * are written.
 *
 * Asked before anything is opened for writing. Functions print their own error line and return -1,
 * or 0.
 */
#ifndef CLI_JOB_CONFLICTS_H
#define CLI_JOB_CONFLICTS_H

#include "job/send_job.h"

/*
 * Refuses to write the output (@output, NULL: standard output) or the journal (@journal, NULL:
 * there is none) over what @job is read from (NULL: not known yet) or over each other, or to a
 * block device that is in use. Neither of the files need be there. Warns of those that are in a
 * subvolume that is sent.
 */
int conflicts_check(const struct send_job *job, const char *output, const char *journal);
/* The same for send; the journal is FILE.cp beside -f FILE if no other is named. */
int conflicts_send(const struct send_job *job, const struct options *options);
/* The same for resume, which writes to @output. */
int conflicts_resume(const struct send_job *job, const struct options *options,
		     const char *output);
/* Those that are written alone, with each other. @output NULL: standard output. */
int conflicts_files(const char *output, const char *journal);
/* For what copies @input, a stream ("-": standard input), to standard output: it would not end. */
int conflicts_copy(const char *input);

#endif
