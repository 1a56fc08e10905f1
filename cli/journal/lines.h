/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The lines of a journal as text, with sum and newline, malloc'ed; NULL without memory.
 */
#ifndef CLI_JOURNAL_LINES_H
#define CLI_JOURNAL_LINES_H

#include "journal/format.h"

char *journal_header_line(const struct journal_header *header, size_t *length);
/* The first member of an archive: the header's line with a hint how to get the plain stream. */
char *journal_manifest_line(const struct journal_header *header, size_t *length);
char *journal_batch_line(const struct journal_batch *batch, size_t *length);
/* A line of @type about @place, of a stream that is wrapped or not. @output may be NULL. */
char *journal_place_line(const char *type, const struct stream_place *place, bool in_container,
			 const char *output, size_t *length);
/* Ranges that were replaced in batches whose lines are dropped. */
char *journal_replaced_line(const struct replaced_list *list, size_t *length);
/* The "complete" line in an archive: without the archive's end, which is not known yet. */
char *journal_complete_line(u64 output_offset, size_t *length);

#endif
