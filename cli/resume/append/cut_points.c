// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Places where a file of frames can be cut, and the contents since the last one that is proven.
 */
#include <stdlib.h>
#include <string.h>

#include "resume/append/cut_points.h"
#include "util/alloc.h"

void cut_points_begin(struct cut_points *points)
{
	*points = (struct cut_points){
		.sum = xobject(XXH64_createState()),
		.waiting = xmalloc(CUT_POINTS_MAX * sizeof(*points->waiting)),
	};
	XXH64_reset(points->sum, 0);
}

void cut_points_end(struct cut_points *points)
{
	XXH64_freeState(points->sum);
	free(points->waiting);
	free(points->rest);
	memset(points, 0, sizeof(*points));
}

/* Moving to the front waits until that is worth it. */
static void compact(struct cut_points *points)
{
	if (!points->skip || points->skip < points->size / 2)
		return;
	memmove(points->rest, points->rest + points->skip, points->size - points->skip);
	points->size -= points->skip;
	points->skip = 0;
}

void cut_points_contents(struct cut_points *points, const void *data, size_t size)
{
	compact(points);
	points->rest = xgrow(points->rest, &points->rest_capacity, points->size + size, 1);
	memcpy(points->rest + points->size, data, size);
	points->size += size;
}

/* Of two neighbours the later one stays, so that the last one does. */
static void thin_out(struct cut_points *points)
{
	size_t kept = 0;

	for (size_t i = points->first + 1; i < points->count; i += 2)
		points->waiting[kept++] = points->waiting[i];
	points->first = 0;
	points->count = kept;
}

/*
 * Between two places with the same contents the first keeps least; only the end of a frame is
 * better.
 */
void cut_points_add(struct cut_points *points, const struct blocks_cut *cut)
{
	bool waiting = points->first < points->count;
	const struct blocks_cut *last = waiting ? &points->waiting[points->count - 1] :
		&points->base;

	if (cut->plain == last->plain && cut->close != BLOCKS_CLOSED)
		return;
	if (!waiting)
		points->first = points->count = 0;
	else if (cut->plain == last->plain)
		points->count--;
	else if (points->count == CUT_POINTS_MAX)
		thin_out(points);
	points->waiting[points->count++] = *cut;
}

/* The sum is that of the cut's frame, which may begin after the base. */
static void move_base(struct cut_points *points, const struct blocks_cut *cut)
{
	u64 from = points->base.plain;

	if (cut->frame_file != points->base.frame_file) {
		XXH64_reset(points->sum, 0);
		from = cut->frame_plain;
	}
	/* Before the first contents there is no memory that they are in. */
	if (cut->plain > from)
		XXH64_update(points->sum,
			     points->rest + points->skip + (size_t)(from - points->base.plain),
			     (size_t)(cut->plain - from));
	points->skip += (size_t)(cut->plain - points->base.plain);
	points->base = *cut;
}

void cut_points_proven(struct cut_points *points, u64 proven)
{
	while (points->first < points->count && points->waiting[points->first].plain <= proven)
		move_base(points, &points->waiting[points->first++]);
}
