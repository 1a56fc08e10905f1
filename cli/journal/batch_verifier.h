/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Comparing bytes of a stream, as they come, with the hashes that a journal knows of its batches.
 */
#ifndef CLI_JOURNAL_BATCH_VERIFIER_H
#define CLI_JOURNAL_BATCH_VERIFIER_H

#include <xxhash.h>

#include "journal/format.h"

struct batch_verifier {
	const struct journal_contents *contents;
	/* Of the next byte, in the whole output. */
	u64 offset;
	/* The batch that holds it, or the next one. */
	size_t index;
	XXH3_state_t *hash;
	/* The batch's beginning was seen. */
	bool hashing;
	/* A batch has other bytes: nothing is taken from there on. */
	bool wrong;
	/* End of the last batch found right; 0: none was. */
	u64 proven;
	/* Batches found right, and where the first of them begins. */
	size_t count;
	u64 first;
};

/* Bytes from @offset on are to come. Negative errno; batch_verifier_end() in any case. */
int batch_verifier_begin(struct batch_verifier *proof, const struct journal_contents *contents,
			 u64 offset);
/* Before any byte: those from @offset on are to come, after all. */
void batch_verifier_seek(struct batch_verifier *proof, u64 offset);
/* Bytes that no batch is about are passed over. */
void batch_verifier_feed(struct batch_verifier *proof, const void *data, size_t size);
void batch_verifier_end(struct batch_verifier *proof);

#endif
