/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sendcp resume --append FILE: a stream that any interrupted program left in a file is resumed.
 */
#ifndef CLI_RESUME_APPEND_APPEND_H
#define CLI_RESUME_APPEND_APPEND_H

#include "job/options.h"
#include "resume/run.h"

struct file_scan;

/* Returns the exit code. */
int append_file(const struct options *options);

/* Common to both ways: the output is FILE. -1 with an error line. */
int append_open(struct resume *resume, const char *path);

/* The journal of the run that was interrupted is there. Returns the exit code. */
int append_with_journal(struct resume *resume);
/* There is none, but FILE is an archive, which has its lines. Returns the exit code. */
int append_archive(struct resume *resume);
/* 1 if it is an archive, 0, or -1 with an error line. */
int append_is_archive(const struct resume *resume);
/* There is none: FILE's commands are compared with what would be made. */
int append_without_journal(struct resume *resume);

/*
 * The stream is complete in what the scan found: is all that follows it of no value? 0, or -1
 * with an error line.
 */
int append_check_follows(const struct resume *resume, const struct file_scan *scan);

/* All of the stream is in an archive that ends as it should: the file is not to be changed. */
bool append_is_whole_archive(const struct resume *resume, const struct file_scan *scan);

/* Where a journal for FILE begins if it has none; malloc'ed. */
char *append_journal_path(const struct options *options);
/* FILE is not the stream, an error line said; a send says how to discard it. EXIT_FAILED. */
int append_refused(const struct resume *resume);
/* A signal came while FILE was looked at, and nothing was changed. Returns the exit code. */
int append_stopped(const struct resume *resume);
/* Without a journal, and nothing was changed: says so. Returns the exit code. */
int append_try_again(const struct resume *resume);
/*
 * Nothing is lost, but the journal has no line yet of the place to resume at. Returns the exit
 * code.
 */
int append_broken_off(const struct resume *resume);

#endif
