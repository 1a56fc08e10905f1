/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Says which contents are replaced in a complete stream, and chooses the exit code.
 */
#ifndef CLI_TRANSFER_REPLACED_REPORT_H
#define CLI_TRANSFER_REPLACED_REPORT_H

#include "journal/format.h"

/* Lines about ranges that a run prints. */
#define REPLACED_LISTED 100

/*
 * Of a complete stream: EXIT_DONE if nothing is replaced; else error lines, and EXIT_REPLACED.
 * @file has the stream (NULL: a pipe), @journal stays (NULL: it goes).
 */
int replaced_report(const struct replaced_list *list, const struct identity_list *subvolumes,
		    const char *file, const char *journal);
/* Of a stream that was interrupted: how much so far. */
void replaced_report_so_far(const struct replaced_list *list);

/* The name of the file that @range is of, malloc'ed: below the path of its subvolume. */
char *replaced_name(const struct replaced_range *range, const struct identity_list *subvolumes);

#endif
