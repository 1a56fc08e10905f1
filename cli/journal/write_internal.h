/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Shared by the journal's writing (write.c) and thinning (thin.c).
 */
#ifndef CLI_JOURNAL_WRITE_INTERNAL_H
#define CLI_JOURNAL_WRITE_INTERNAL_H

#include "journal/write.h"

/* Offset of a batch's line in the file, and the bytes of the output it is about. */
struct journal_line {
	u64 file_offset;
	u64 output_offset;
	u64 output_end;
	u32 subvolume;
	/* Marked in the batch. */
	struct replaced_list replaced;
};

struct journal {
	int fd;
	char *path;
	/* The name that it was opened by, if that is a link which leads to @path. */
	char *link;
	/* Bytes of whole lines; the file's length unless a write failed. */
	u64 size;
	/* Nothing was written since the last sync. */
	bool synced;
	/* It was not there when it was claimed. */
	bool created;
	/* Another run has its lock. */
	bool in_use;
	/* It belongs to the caller, and nobody else may write to it. */
	bool trusted;
	/* The first line's, with its newline. */
	size_t header_length;
	u64 keep;
	/* Places in its lines are counted in the file, too. */
	bool in_container;
	/* Batches that count, oldest first. */
	struct journal_line *lines;
	size_t count;
	size_t capacity;
	/* What was replaced in batches whose lines are dropped. */
	struct replaced_list replaced;
	/* Thinning is tried again when the lines cover more than this. */
	u64 thin_above;
	/* The latest "resumed" line, which thinning writes anew; NULL: none in this run. */
	char *resumed;
	size_t resumed_length;
	/* What the latest "total" line says, likewise; 0: there is none. */
	u64 total;
	/* Why a call failed last, a negative errno. */
	int err;
};

/* Prints what errno says about @doing the journal; returns -1. */
int journal_failed(struct journal *journal, const char *doing);
int journal_no_memory(struct journal *journal);

/* Sets the members that depend on the stream's wrapping and interval. */
void journal_adapt(struct journal *journal, const struct journal_header *header);

int journal_index_add(struct journal *journal, u64 file_offset, const struct journal_batch *batch);
int journal_index_load(struct journal *journal, const struct journal_contents *contents);

/* Removes what a crash left of a file that was to take the name. */
void journal_drop_temporary(struct journal *journal);

/* Drops old lines if many can go. Failing to do so is no failure of the journal. */
int journal_thin(struct journal *journal);
/* Writes @line to @fd at @at. 0, or -1 with errno; EMSGSIZE: it could not be read back. */
int journal_write_line(int fd, const char *line, size_t length, u64 at);

#endif
