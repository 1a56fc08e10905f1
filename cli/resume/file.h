/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Resuming in a regular file: its contents have to be proven before a byte of them is given up.
 */
#ifndef CLI_RESUME_FILE_H
#define CLI_RESUME_FILE_H

#include "resume/run.h"

/* No mark is proven: the contents of frames have to be scanned, as with --append. */
#define RESUME_FILE_FRAMES 2

/*
 * Opens ->output_path, finds ->point, and opens the job if it is needed. Returns 0; 1 if the
 * file holds the whole stream and nothing else; RESUME_FILE_FRAMES; or -1 with an error line.
 */
int resume_file_open(struct resume *resume);

/*
 * The whole stream is in the first @end bytes of the file @file, which has @size: the rest must be
 * nothing but zeros, as a crash leaves them, or at most @own bytes. 0, or -1 with an error line.
 */
int resume_file_check_tail(const struct output *file, u64 end, u64 size, u64 own);

#endif
