// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Comparing bytes of a stream with the hashes that a journal knows of its batches.
 */
#include <errno.h>
#include <string.h>

#include "journal/batch_verifier.h"

/* The first batch that does not end at or before @offset. */
static size_t find_batch(const struct journal_contents *contents, u64 offset)
{
	size_t low = 0, high = contents->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (journal_batch_end(&contents->batches[middle]) <= offset)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

int batch_verifier_begin(struct batch_verifier *proof, const struct journal_contents *contents,
			 u64 offset)
{
	*proof = (struct batch_verifier){
		.contents = contents,
		.offset = offset,
		.index = find_batch(contents, offset),
		.hash = XXH3_createState(),
	};
	return proof->hash ? 0 : -ENOMEM;
}

void batch_verifier_seek(struct batch_verifier *proof, u64 offset)
{
	proof->offset = offset;
	proof->index = find_batch(proof->contents, offset);
}

void batch_verifier_end(struct batch_verifier *proof)
{
	XXH3_freeState(proof->hash);
	proof->hash = NULL;
}

static void compare(struct batch_verifier *proof, const struct journal_batch *batch)
{
	XXH128_canonical_t canonical;

	XXH128_canonicalFromHash(&canonical, XXH3_128bits_digest(proof->hash));
	proof->hashing = false;
	proof->wrong = memcmp(canonical.digest, batch->hash, sizeof(batch->hash));
	if (proof->wrong)
		return;
	if (!proof->count++)
		proof->first = batch->output_offset;
	proof->proven = journal_batch_end(batch);
}

/* The next bytes that are all of one batch, or of none. */
static size_t take_part(struct batch_verifier *proof, const void *data, size_t size)
{
	const struct journal_batch *batch = &proof->contents->batches[proof->index];
	u64 limit = journal_batch_end(batch) - proof->offset;

	if (proof->offset < batch->output_offset) {
		limit = batch->output_offset - proof->offset;
	} else if (proof->offset == batch->output_offset) {
		proof->hashing = !XXH3_128bits_reset(proof->hash);
	}
	size = (size_t)sendcp_min(size, limit);
	if (proof->hashing)
		XXH3_128bits_update(proof->hash, data, size);
	return size;
}

/* A subvolume's last batch may have no bytes. */
static void pass_ended(struct batch_verifier *proof)
{
	const struct journal_contents *contents = proof->contents;

	while (proof->index < contents->count && !proof->wrong &&
	       journal_batch_end(&contents->batches[proof->index]) <= proof->offset) {
		if (proof->hashing)
			compare(proof, &contents->batches[proof->index]);
		proof->index++;
	}
}

void batch_verifier_feed(struct batch_verifier *proof, const void *data, size_t size)
{
	while (size && !proof->wrong && proof->index < proof->contents->count) {
		size_t part = take_part(proof, data, size);

		data = (const u8 *)data + part;
		size -= part;
		proof->offset += part;
		pass_ended(proof);
	}
	if (!proof->wrong)
		proof->offset += size;
}
