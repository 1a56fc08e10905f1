/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writing a journal: created or continued, a line at a time, locked against a second run.
 *
 * Functions print their own error line and return -1, or 0. A line that could not be written whole
 * is cut off again, so that the file stays readable after ENOSPC.
 */
#ifndef CLI_JOURNAL_WRITE_H
#define CLI_JOURNAL_WRITE_H

#include "journal/format.h"

/*
 * Batches that cover at least so much of the stream's end are kept; older ones may go. A test
 * program is built with less (test/unit/unit.mk).
 */
#ifndef JOURNAL_KEEP
#define JOURNAL_KEEP (1ULL << 30)
#endif

struct journal;

/*
 * Takes @path's lock for a new journal, and changes nothing yet. A file that is no journal is
 * refused. The contents of an older journal go to @contents, which the caller clears in any case;
 * NULL: it does not matter, and may be damaged.
 */
int journal_claim(const char *path, struct journal_contents *contents, struct journal **out);
/* The claimed file becomes a journal with @contents' header and batches, at once and durably. */
int journal_begin(struct journal *journal, const struct journal_contents *contents);
/* Closes what was claimed and not begun; a file created for it is removed. NULL is taken. */
void journal_abandon(struct journal *journal);
/* The two together, with @header and no batches. An older journal is overwritten. */
int journal_create(const char *path, const struct journal_header *header, struct journal **out);
/*
 * The same with @contents' header and batches, at once: a crash leaves all of them or none. errno
 * says why a call failed.
 */
int journal_create_with(const char *path, const struct journal_contents *contents,
			struct journal **out);
/* Takes @path's lock, reads it into @contents and cuts off a torn end. */
int journal_open(const char *path, struct journal_contents *contents, struct journal **out);
/* Gives up the lock. Lines that were not synced may be lost in a crash. NULL is taken. */
void journal_close(struct journal *journal);
/* The same, and removes the file, or warns that it cannot. */
void journal_remove(struct journal *journal);

/* Why a call failed last, a negative errno. */
int journal_error(const struct journal *journal);
/* Bytes of the stream whose lines journal_put_batch() keeps; for tests. */
void journal_set_keep(struct journal *journal, u64 keep);
/*
 * Of an opened one: it belongs to the caller, and nobody else may write to it, so that what it
 * names may be used without being named by the caller again.
 */
bool journal_trusted(const struct journal *journal);
const char *journal_path(const struct journal *journal);

int journal_put_batch(struct journal *journal, const struct journal_batch *batch);
/* a stream's in a container output up to @place can be read without the rest. */
int journal_mark(struct journal *journal, const struct stream_place *place);
/* An orderly end: a pipe was given all bytes before @place, and no more. */
int journal_delivered(struct journal *journal, const struct stream_place *place);
/* This run begins at @place and writes to @output (absolute path, NULL: stdout). */
int journal_resumed(struct journal *journal, const struct stream_place *place,
		    const char *output);
int journal_complete(struct journal *journal, const struct stream_place *place);
/* The whole stream will have @total bytes. Written once, and again only if it is another number. */
int journal_total(struct journal *journal, u64 total);
/*
 * The file gets @contents' header and batches, and no other lines, at once and durably: the stream
 * is wrapped otherwise from now on.
 */
int journal_set_container(struct journal *journal, const struct journal_contents *contents);
/* Returns when all lines are on the disk. */
int journal_sync(struct journal *journal);

#endif
