// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Comparing bytes of a stream with the hashes that a journal knows of its batches.
 */
#include <stdio.h>
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

bool batch_is(const struct journal_batch *batch, const void *data)
{
	u8 hash[HASH_SIZE];

	hash_of(data, batch->length, hash);
	return !memcmp(hash, batch->hash, sizeof(hash));
}

void batch_verifier_begin(struct batch_verifier *verifier, const struct journal_contents *contents,
			  u64 offset)
{
	*verifier = (struct batch_verifier){
		.contents = contents,
		.offset = offset,
		.index = find_batch(contents, offset),
	};
	hash_init(&verifier->hash);
}

void batch_verifier_seek(struct batch_verifier *verifier, u64 offset)
{
	verifier->offset = offset;
	verifier->index = find_batch(verifier->contents, offset);
}

void batch_verifier_end(struct batch_verifier *verifier)
{
	hash_clear(&verifier->hash);
}

static void compare(struct batch_verifier *verifier, const struct journal_batch *batch)
{
	u8 hash[HASH_SIZE];

	hash_result(&verifier->hash, hash);
	verifier->hashing = false;
	if (memcmp(hash, batch->hash, sizeof(hash))) {
		verifier->wrong = batch;
		return;
	}
	verifier->count++;
	verifier->proven = journal_batch_end(batch);
}

/* The next bytes that are all of one batch, or of none. */
static size_t feed_part(struct batch_verifier *verifier, const void *data, size_t size)
{
	const struct journal_batch *batch = &verifier->contents->batches[verifier->index];
	u64 limit = journal_batch_end(batch) - verifier->offset;

	if (verifier->offset < batch->output_offset) {
		limit = batch->output_offset - verifier->offset;
	} else if (verifier->offset == batch->output_offset) {
		hash_restart(&verifier->hash);
		verifier->hashing = true;
	}
	size = (size_t)sendcp_min(size, limit);
	if (verifier->hashing)
		hash_add(&verifier->hash, data, size);
	return size;
}

/* A subvolume's last batch may have no bytes. */
static void pass_ended(struct batch_verifier *verifier)
{
	const struct journal_contents *contents = verifier->contents;

	while (verifier->index < contents->count &&
	       journal_batch_end(&contents->batches[verifier->index]) <= verifier->offset) {
		if (verifier->hashing)
			compare(verifier, &contents->batches[verifier->index]);
		if (verifier->wrong)
			break;
		verifier->index++;
	}
}

void batch_verifier_feed(struct batch_verifier *verifier, const void *data, size_t size)
{
	while (size && !verifier->wrong && verifier->index < verifier->contents->count) {
		size_t part = feed_part(verifier, data, size);

		data = (const u8 *)data + part;
		size -= part;
		verifier->offset += part;
		pass_ended(verifier);
	}
	if (!verifier->wrong)
		verifier->offset += size;
}

const char *batch_verifier_fault(const struct batch_verifier *verifier, bool ended, char *buffer,
				 size_t size)
{
	const struct journal_batch *wrong = verifier->wrong;
	u64 end = journal_made(verifier->contents);

	if (wrong)
		snprintf(buffer, size, "bytes %llu to %llu do not match the checkpoint file",
			 wrong->output_offset, journal_batch_end(wrong));
	else if (ended && end > verifier->offset)
		snprintf(buffer, size, "it ends at byte %llu, the checkpoint file has %llu bytes",
			 verifier->offset, end);
	else if (ended && verifier->contents->complete && end < verifier->offset)
		snprintf(buffer, size, "it has %llu bytes, the complete stream of the checkpoint "
			 "file %llu", verifier->offset, end);
	else
		return NULL;
	return buffer;
}
