// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Proving by what files hold that a stream that is there is the one that would be made.
 */
#include <errno.h>
#include <stdlib.h>

#include "resume/append/match.h"
#include "resume/point.h"
#include "util/alloc.h"
#include "util/message.h"
#include "util/signals.h"

/* So much of the stream's end is regenerated, contents and all. */
#define PROVEN_SPAN (64ULL << 20)

static int report(struct match *match, const struct journal_batch *batch,
		  const struct transfer_result *result)
{
	if (result->status == TRANSFER_DIFFERS)
		return error_line("%s holds other file contents than would be sent, between bytes "
				  "%llu and %llu of the stream: left as it is",
				  match->name, batch->output_offset, journal_batch_end(batch));
	match->stopped = result->status == TRANSFER_STOPPED;
	if (match->stopped)
		return -1;
	return error_engine(result->what, &result->error);
}

/* The first one's beginning may have been dropped; there is enough then. */
static int prove_batch(struct match *match, const struct journal_contents *contents, size_t index)
{
	const struct journal_batch *batch = &contents->batches[index];
	struct transfer_result result;
	struct resume_point point;
	u8 *data;
	int ret;

	if (!batch->length || !resume_point_batch(contents, index, &point))
		return 0;
	data = xmalloc((size_t)batch->length + RESUME_PROOF_ROOM);
	ret = resume_point_make(&point, match->job, signals_cancel(), data, &result);
	free(data);
	return ret ? report(match, batch, &result) : 0;
}

int match_prove(struct match *match, const struct journal_contents *contents)
{
	u64 made = journal_made(contents);

	for (size_t i = contents->count; i--;) {
		const struct journal_batch *batch = &contents->batches[i];

		if (made - journal_batch_end(batch) >= PROVEN_SPAN)
			break;
		if (prove_batch(match, contents, i))
			return -1;
	}
	return 0;
}
