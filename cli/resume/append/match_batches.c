// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Batches for a journal, made of a stream that passes by.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "journal/write.h"
#include "resume/append/match_batches.h"
#include "util/alloc.h"
#include "util/message.h"

void match_batches_begin(struct match_batches *batches, struct journal_contents *contents, u32 size)
{
	journal_drop_front(contents, contents->count);
	replaced_clear(&contents->replaced);
	*batches = (struct match_batches){ .contents = contents, .size = size };
	hash_init(&batches->hash);
}

void match_batches_end(struct match_batches *batches)
{
	hash_clear(&batches->hash);
	replaced_clear(&batches->open.replaced);
}

void match_batches_command(struct match_batches *batches, const void *bytes, u32 size)
{
	hash_add(&batches->hash, bytes, size);
	replaced_scan(&batches->open.replaced, batches->open.subvolume, bytes, size);
	batches->open.length += size;
}

bool match_batches_full(const struct match_batches *batches, u32 size)
{
	return batches->open.length && batches->open.length + (u64)size > batches->size;
}

/* A journal would drop the old ones too. */
static void thin(struct journal_contents *contents)
{
	const struct journal_batch *batches = contents->batches;
	size_t old = 0;

	if (journal_made(contents) - batches[0].output_offset < 2 * JOURNAL_KEEP)
		return;
	while (journal_made(contents) - journal_batch_end(&batches[old + 1]) >= JOURNAL_KEEP)
		old++;
	journal_drop_front(contents, old);
}

/* The next batch follows where this one ends. */
static void open_next(struct match_batches *batches, const struct journal_batch *batch)
{
	batches->open = (struct journal_batch){
		.subvolume = batch->subvolume + batch->end,
		.stream_offset = batch->end ? 0 : batch->stream_offset + batch->length,
		.output_offset = journal_batch_end(batch),
	};
	hash_restart(&batches->hash);
}

int match_batches_close(struct match_batches *batches, struct sendcp_engine *engine, bool last)
{
	struct journal_batch batch = batches->open;
	int ret;

	if (!batch.length && !last)
		return 0;
	batch.end = last;
	hash_result(&batches->hash, batch.hash);
	ret = sendcp_engine_checkpoint(engine, &batch.checkpoint, &batch.checkpoint_size);
	if (ret) {
		free(batch.checkpoint);
		return error_line("cannot take a checkpoint: %s", strerror(-ret));
	}
	journal_add_batch(batches->contents, &batch);
	open_next(batches, &batch);
	thin(batches->contents);
	return 0;
}
