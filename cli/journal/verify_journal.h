/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A stream's bytes against the hashes that a journal has of its batches.
 */
#ifndef CLI_JOURNAL_VERIFY_JOURNAL_H
#define CLI_JOURNAL_VERIFY_JOURNAL_H

#include <xxhash.h>

#include "journal/format.h"

struct verify_journal {
	struct journal_contents contents;
	XXH3_state_t *hash;
	/* Bytes of the stream seen so far; the batch they are in, or that comes next. */
	u64 offset;
	size_t next;
	/* The first whose hash is not its bytes'; NULL: none so far. */
	const struct journal_batch *wrong;
};

/* An error line and -1 if the journal cannot be read. */
int verify_journal_open(struct verify_journal *verify, const char *path);
void verify_journal_close(struct verify_journal *verify);
/* The next bytes of the stream. A stream_tap_fn. */
void verify_journal_bytes(void *context, const u8 *bytes, size_t size);
/* Describes the fault in @buffer; NULL: none. @ended: there are no more bytes. */
const char *verify_journal_fault(const struct verify_journal *verify, bool ended, char *buffer,
				 size_t size);

#endif
