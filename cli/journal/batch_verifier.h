/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Comparing bytes of a stream with the hashes that a journal knows of its batches.
 */
#ifndef CLI_JOURNAL_BATCH_VERIFIER_H
#define CLI_JOURNAL_BATCH_VERIFIER_H

#include "journal/format.h"

struct batch_verifier {
	const struct journal_contents *contents;
	/* Of the next byte, in the whole output. */
	u64 offset;
	/* The batch that holds it, or the next one; none before it was found wrong. */
	size_t index;
	struct hash hash;
	/* The batch's beginning was seen. */
	bool hashing;
	/* The batch that has other bytes, after which nothing is taken; NULL: none so far. */
	const struct journal_batch *wrong;
	/* End of the last batch found right; 0: none was. */
	u64 proven;
	/* Batches found right. */
	size_t count;
};

/* Does @batch have the bytes @data? */
bool batch_is(const struct journal_batch *batch, const void *data);

/* Bytes from @offset on are to come. batch_verifier_end() afterwards. */
void batch_verifier_begin(struct batch_verifier *verifier, const struct journal_contents *contents,
			  u64 offset);
/* Before any byte: those from @offset on are to come, after all. */
void batch_verifier_seek(struct batch_verifier *verifier, u64 offset);
/* Bytes that no batch is about are passed over. */
void batch_verifier_feed(struct batch_verifier *verifier, const void *data, size_t size);
void batch_verifier_end(struct batch_verifier *verifier);
/*
 * Of bytes that came from 0 on: what is wrong with them, in @buffer, or NULL. @ended: there are no
 * more.
 */
const char *batch_verifier_fault(const struct batch_verifier *verifier, bool ended, char *buffer,
				 size_t size);

#endif
