// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A stream's bytes against a journal's hashes. Old batches may have been thinned out: bytes before
 * the first are not compared.
 */
#include <string.h>

#include "journal/verify_journal.h"
#include "util/message.h"

int verify_journal_open(struct verify_journal *verify, const char *path)
{
	memset(verify, 0, sizeof(*verify));
	if (journal_read_path(path, &verify->contents))
		return -1;
	verify->hash = XXH3_createState();
	if (verify->hash) {
		XXH3_128bits_reset(verify->hash);
		return 0;
	}
	journal_clear(&verify->contents);
	return error_line("out of memory");
}

void verify_journal_close(struct verify_journal *verify)
{
	XXH3_freeState(verify->hash);
	journal_clear(&verify->contents);
}

static void batch_ends(struct verify_journal *verify, const struct journal_batch *batch)
{
	XXH128_canonical_t made;

	XXH128_canonicalFromHash(&made, XXH3_128bits_digest(verify->hash));
	if (!verify->wrong && memcmp(made.digest, batch->hash, JOURNAL_HASH_SIZE))
		verify->wrong = batch;
	XXH3_128bits_reset(verify->hash);
	verify->next++;
}

/* Batches are gapless, so each begins where the one before it ended. */
static size_t take(struct verify_journal *verify, const u8 *bytes, size_t size)
{
	const struct journal_batch *batch = &verify->contents.batches[verify->next];
	bool before = verify->offset < batch->output_offset;
	u64 end = before ? batch->output_offset : journal_batch_end(batch);

	size = sendcp_min(size, end - verify->offset);
	if (!before)
		XXH3_128bits_update(verify->hash, bytes, size);
	verify->offset += size;
	if (!before && verify->offset == end)
		batch_ends(verify, batch);
	return size;
}

void verify_journal_bytes(void *context, const u8 *bytes, size_t size)
{
	struct verify_journal *verify = context;

	while (size && verify->next < verify->contents.count) {
		size_t taken = take(verify, bytes, size);

		bytes += taken;
		size -= taken;
	}
	verify->offset += size;
}

/* Batches without bytes, at the very end, are no bytes that lack. */
static u64 told_end(const struct verify_journal *verify)
{
	size_t count = verify->contents.count;

	return count ? journal_batch_end(&verify->contents.batches[count - 1]) : 0;
}

const char *verify_journal_fault(const struct verify_journal *verify, bool ended, char *buffer,
				 size_t size)
{
	const struct journal_batch *wrong = verify->wrong;
	u64 end = told_end(verify);

	if (wrong)
		snprintf(buffer, size, "bytes %llu to %llu do not match the checkpoint file",
			 wrong->output_offset, journal_batch_end(wrong));
	else if (ended && end > verify->offset)
		snprintf(buffer, size, "it ends at byte %llu, the checkpoint file has %llu bytes",
			 verify->offset, end);
	else if (ended && verify->contents.complete && end < verify->offset)
		snprintf(buffer, size, "it has %llu bytes, the complete stream of the checkpoint "
			 "file %llu", verify->offset, end);
	else
		return NULL;
	return buffer;
}
