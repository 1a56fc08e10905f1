// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Places where a file of frames can be cut, and the contents since the last one that is proven.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "append/cuts.h"

int cuts_begin(struct cuts *cuts)
{
	*cuts = (struct cuts){ .sum = XXH64_createState() };
	if (!cuts->sum)
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
	if (size > cuts->rest_room - cuts->size) {
		size_t room = scp_max(cuts->size + size, 2 * cuts->rest_room);
		u8 *grown = realloc(cuts->rest, room);

		if (!grown)
			return -ENOMEM;
		cuts->rest = grown;
		cuts->rest_room = room;
	}
	memcpy(cuts->rest + cuts->size, data, size);
	cuts->size += size;
	return 0;
}

int cuts_add(struct cuts *cuts, const struct blocks_cut *cut)
{
	if (cuts->first && cuts->first == cuts->count)
		cuts->first = cuts->count = 0;
	if (cuts->count == cuts->room) {
		size_t room = cuts->room ? 2 * cuts->room : 64;
		struct blocks_cut *grown = reallocarray(cuts->waiting, room, sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		cuts->waiting = grown;
		cuts->room = room;
	}
	cuts->waiting[cuts->count++] = *cut;
	return 0;
}

/* A frame's end is a cut too, so the next one begins at the base. */
static void move_base(struct cuts *cuts, const struct blocks_cut *cut)
{
	size_t length = (size_t)(cut->plain - cuts->base.plain);

	if (cut->frame_file != cuts->base.frame_file)
		XXH64_reset(cuts->sum, 0);
	XXH64_update(cuts->sum, cuts->rest + cuts->skip, length);
	cuts->skip += length;
	cuts->base = *cut;
}

void cuts_proven(struct cuts *cuts, u64 proven)
{
	while (cuts->first < cuts->count && cuts->waiting[cuts->first].plain <= proven)
		move_base(cuts, &cuts->waiting[cuts->first++]);
}
