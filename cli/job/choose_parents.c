// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Choosing a subvolume's parent among the clone sources when -c is given and -p is not.
 *
 * The rule is btrfs send's. Let A be the subvolume that S is a snapshot of: A itself if it is a
 * clone source; else, of the clone sources that are snapshots of A, the one nearest to A in time.
 */
#include <string.h>

#include "job/choose_parents.h"
#include "job/open_source.h"
#include "util/message.h"
#include "util/text.h"

static u64 distance(u64 a, u64 b)
{
	return a > b ? a - b : b - a;
}

/* The clone source number @index of subvolume @subvolume: those named, then those sent before. */
static const struct sendcp_subvolume *candidate(const struct send_job *job, size_t index)
{
	if (index < job->clone_count)
		return &job->clone_sources[index];
	return &job->subvolumes[index - job->clone_count];
}

/* The first of equals counts. NULL: none fits. */
static const struct sendcp_subvolume *best_parent(const struct send_job *job, size_t candidates,
						  const struct sendcp_subvolume *origin)
{
	const struct sendcp_subvolume *best = NULL;

	for (size_t i = 0; i < candidates; i++)
		if (candidate(job, i)->id == origin->id)
			return candidate(job, i);
	for (size_t i = 0; i < candidates; i++) {
		const struct sendcp_subvolume *one = candidate(job, i);

		if (memcmp(one->parent_uuid, origin->uuid, sizeof(origin->uuid)))
			continue;
		if (!best ||
		    distance(one->ctransid, origin->ctransid) <
		    distance(best->ctransid, origin->ctransid))
			best = one;
	}
	return best;
}

static int determine(struct send_job *job, size_t index)
{
	const struct sendcp_subvolume *subvolume = &job->subvolumes[index];
	const struct sendcp_subvolume *best;
	struct sendcp_subvolume origin;
	int ret;

	if (sendcp_uuid_is_null(subvolume->parent_uuid))
		return error_line("parent determination failed for %s: it is not a snapshot of a "
				  "subvolume with a UUID: name the parent with -p",
				  subvolume->spec);
	ret = sendcp_source_find_uuid(job->source, subvolume->parent_uuid, &origin);
	if (ret < 0)
		return error_source(sendcp_source_error(job->source));
	if (ret)
		return error_line("parent determination failed for %s: the subvolume that it "
				  "is a snapshot of is gone",
				  subvolume->spec);
	best = best_parent(job, job->clone_count + index, &origin);
	sendcp_subvolume_release(&origin);
	if (!best)
		return error_line("parent determination failed for %s: no clone source "
				  "is related to it",
				  subvolume->spec);
	job->parents[index] = best->id;
	return 0;
}

int parents_determine(struct send_job *job)
{
	for (size_t i = 0; i < job->count; i++)
		if (determine(job, i))
			return -1;
	return 0;
}
