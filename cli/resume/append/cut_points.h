/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Places where a file of frames can be cut, and the contents since the last one that is proven.
 *
 * Cuts wait until what is before them is proven. For any file no more than CUT_POINTS_MAX of them
 * wait, and the contents kept are those since the last cut that is proven: a batch's, the distance
 * between two cuts, and a frame that can be cut nowhere, which is no larger than 128 MiB.
 */
#ifndef CLI_RESUME_APPEND_CUT_POINTS_H
#define CLI_RESUME_APPEND_CUT_POINTS_H

#include <xxhash.h>

#include "resume/append/blocks.h"

/* With more waiting, every other one is dropped: the bytes after a cut can be written again. */
#define CUT_POINTS_MAX 4096u

struct cut_points {
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

/* cut_points_end() afterwards. */
void cut_points_begin(struct cut_points *points);
void cut_points_end(struct cut_points *points);
/* The next contents. */
void cut_points_contents(struct cut_points *points, const void *data, size_t size);
/* The next cut, which follows all contents so far. */
void cut_points_add(struct cut_points *points, const struct blocks_cut *cut);
/* Contents before @proven are right. */
void cut_points_proven(struct cut_points *points, u64 proven);

#endif
