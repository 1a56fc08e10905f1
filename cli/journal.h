/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writing a sidecar: created or gone on with, a line at a time, locked against a second run.
 *
 * Functions print their own error line and return -1, or 0. A line that could not be written whole
 * is cut off again, so that the file stays readable after ENOSPC.
 */
#ifndef CLI_JOURNAL_H
#define CLI_JOURNAL_H

#include "sidecar.h"

/* Batches that cover at least so much of the stream's end are kept; older ones may go. */
#define JOURNAL_KEEP (1ULL << 30)

struct journal;

/*
 * Takes @path's lock and makes it an empty sidecar with @header, durably. A file that is no sidecar
 * is not overwritten.
 */
int journal_create(const char *path, const struct sidecar_header *header, struct journal **out);
/* Takes @path's lock, reads it into @contents and cuts off a torn end. */
int journal_open(const char *path, struct sidecar *contents, struct journal **out);
/* Gives up the lock. What was not synced may be lost in a crash. NULL is taken. */
void journal_close(struct journal *journal);
/* The same, and removes the file. */
int journal_remove(struct journal *journal);

/* How much journal_batch() keeps; for tests. */
void journal_set_keep(struct journal *journal, u64 keep);
const char *journal_path(const struct journal *journal);

int journal_batch(struct journal *journal, const struct sidecar_batch *batch);
/* An orderly end: the reader was given the @offset first bytes. */
int journal_handed(struct journal *journal, u64 offset);
/* This run goes on at @offset and writes to @output (absolute path, NULL: stdout). */
int journal_resumed(struct journal *journal, u64 offset, const char *output);
int journal_complete(struct journal *journal, u64 offset);
/* Returns when all lines are on the disk. */
int journal_sync(struct journal *journal);

#endif
