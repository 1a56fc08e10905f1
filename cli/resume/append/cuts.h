/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Places where a file of frames can be cut, and the contents since the last one that is proven.
 *
 * Cuts wait until what is before them is proven. For any file no more than CUTS_MAX of them wait,
 * and the contents kept are those since the last cut that is proven: a batch's, the distance
 * between two cuts, and a frame that can be cut nowhere, which is no larger than 128 MiB.
 */
#ifndef CLI_RESUME_APPEND_CUTS_H
#define CLI_RESUME_APPEND_CUTS_H

#include <xxhash.h>

#include "resume/append/blocks.h"

/* With more waiting, every other one is dropped: the bytes after a cut can be written again. */
#define CUTS_MAX 4096u

struct cuts {
	/* The last that is proven. */
	struct blocks_cut base;
	/* Those after it, in order: from ->first on. */
	struct blocks_cut *waiting;
	size_t first;
	size_t count;
	/* Contents after the base, from ->skip on. */
	u8 *rest;
	size_t skip;
	size_t size;
	size_t rest_capacity;
	/* Of the base's frame, up to the base. */
	XXH64_state_t *sum;
};

/* 0 or -ENOMEM; cuts_end() in any case. */
int cuts_begin(struct cuts *cuts);
void cuts_end(struct cuts *cuts);
/* The next contents. 0 or -ENOMEM. */
int cuts_contents(struct cuts *cuts, const void *data, size_t size);
/* The next cut, which follows all contents so far. */
void cuts_add(struct cuts *cuts, const struct blocks_cut *cut);
/* Contents before @proven are right. */
void cuts_proven(struct cuts *cuts, u64 proven);

#endif
