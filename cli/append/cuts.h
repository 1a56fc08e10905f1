/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Places where a file of frames can be cut, and the contents since the last one that is proven.
 *
 * Cuts wait until what is before them is proven; memory is bounded by how far proof lies behind.
 */
#ifndef CLI_APPEND_CUTS_H
#define CLI_APPEND_CUTS_H

#include <xxhash.h>

#include "append/blocks.h"

struct cuts {
	/* The last that is proven. */
	struct blocks_cut base;
	/* Those behind it, in order: from ->first on. */
	struct blocks_cut *waiting;
	size_t first;
	size_t count;
	size_t room;
	/* Contents behind the base, from ->skip on. */
	u8 *rest;
	size_t skip;
	size_t size;
	size_t rest_room;
	/* Of the base's frame, up to the base. */
	XXH64_state_t *sum;
};

/* Functions return 0 or -ENOMEM. */
int cuts_begin(struct cuts *cuts);
void cuts_end(struct cuts *cuts);
int cuts_contents(struct cuts *cuts, const void *data, size_t size);
int cuts_add(struct cuts *cuts, const struct blocks_cut *cut);
/* Contents before @proven are right. */
void cuts_proven(struct cuts *cuts, u64 proven);

#endif
