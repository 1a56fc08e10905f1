/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The lines of a sidecar as text, with sum and newline, malloc'ed; NULL without memory.
 */
#ifndef CLI_JOURNAL_LINES_H
#define CLI_JOURNAL_LINES_H

#include "journal/format.h"

char *sidecar_header_line(const struct sidecar_header *header, size_t *length);
/* The first member of an archive: the header's line with a hint how to get the plain stream. */
char *sidecar_manifest_line(const struct sidecar_header *header, size_t *length);
char *sidecar_batch_line(const struct sidecar_batch *batch, size_t *length);
/* A line of @type about @place, of a stream that is wrapped or not. @output may be NULL. */
char *sidecar_place_line(const char *type, const struct sidecar_place *place, bool wrapped,
			 const char *output, size_t *length);
/* The "complete" line in an archive: without the archive's end, which is not known yet. */
char *sidecar_complete_line(u64 output_offset, size_t *length);

#endif
