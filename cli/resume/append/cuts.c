// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Places where a file of frames can be cut, and the contents since the last one that is proven.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "resume/append/cuts.h"

int cuts_begin(struct cuts *cuts)
{
	*cuts = (struct cuts){
		.sum = XXH64_createState(),
		.waiting = malloc(CUTS_MAX * sizeof(*cuts->waiting)),
	};
	if (!cuts->sum || !cuts->waiting)
		return -ENOMEM;
	XXH64_reset(cuts->sum, 0);
	return 0;
}

void cuts_end(struct cuts *cuts)
{
	XXH64_freeState(cuts->sum);
	free(cuts->waiting);
	free(cuts->rest);
	memset(cuts, 0, sizeof(*cuts));
}

/* Moving to the front waits until that is worth it. */
static void compact(struct cuts *cuts)
{
	if (!cuts->skip || cuts->skip < cuts->size / 2)
		return;
	memmove(cuts->rest, cuts->rest + cuts->skip, cuts->size - cuts->skip);
	cuts->size -= cuts->skip;
	cuts->skip = 0;
}

int cuts_contents(struct cuts *cuts, const void *data, size_t size)
{
	compact(cuts);
	if (size > cuts->rest_capacity - cuts->size) {
		size_t capacity = sendcp_max(cuts->size + size, 2 * cuts->rest_capacity);
		u8 *grown = realloc(cuts->rest, capacity);

		if (!grown)
			return -ENOMEM;
		cuts->rest = grown;
		cuts->rest_capacity = capacity;
	}
	memcpy(cuts->rest + cuts->size, data, size);
	cuts->size += size;
	return 0;
}

/* Of two neighbours the later one stays, so that the last one does. */
static void thin_out(struct cuts *cuts)
{
	size_t kept = 0;

	for (size_t i = cuts->first + 1; i < cuts->count; i += 2)
		cuts->waiting[kept++] = cuts->waiting[i];
	cuts->first = 0;
	cuts->count = kept;
}

/*
 * Between two places with the same contents the first keeps least; only the end of a frame is
 * better.
 */
void cuts_add(struct cuts *cuts, const struct blocks_cut *cut)
{
	bool waiting = cuts->first < cuts->count;
	const struct blocks_cut *last = waiting ? &cuts->waiting[cuts->count - 1] : &cuts->base;

	if (cut->plain == last->plain && cut->close != BLOCKS_CLOSED)
		return;
	if (!waiting)
		cuts->first = cuts->count = 0;
	else if (cut->plain == last->plain)
		cuts->count--;
	else if (cuts->count == CUTS_MAX)
		thin_out(cuts);
	cuts->waiting[cuts->count++] = *cut;
}

/* The sum is that of the cut's frame, which may begin after the base. */
static void move_base(struct cuts *cuts, const struct blocks_cut *cut)
{
	u64 from = cuts->base.plain;

	if (cut->frame_file != cuts->base.frame_file) {
		XXH64_reset(cuts->sum, 0);
		from = cut->frame_plain;
	}
	XXH64_update(cuts->sum, cuts->rest + cuts->skip + (size_t)(from - cuts->base.plain),
		     (size_t)(cut->plain - from));
	cuts->skip += (size_t)(cut->plain - cuts->base.plain);
	cuts->base = *cut;
}

void cuts_proven(struct cuts *cuts, u64 proven)
{
	while (cuts->first < cuts->count && cuts->waiting[cuts->first].plain <= proven)
		move_base(cuts, &cuts->waiting[cuts->first++]);
}
