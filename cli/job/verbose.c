// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The lines of -v about a run.
 */
#include "job/verbose.h"
#include "util/message.h"
#include "util/text.h"

static void verbose_subvolume(const struct sendcp_subvolume *subvolume)
{
	char uuid[UUID_TEXT_SIZE];

	sendcp_uuid_text(subvolume->uuid, uuid);
	verbose_line(1, "subvolume %s: id %llu, uuid %s, transaction %llu", subvolume->spec,
		     subvolume->id, uuid, subvolume->ctransid);
}

void verbose_source(const struct send_job *job)
{
	char uuid[UUID_TEXT_SIZE];

	sendcp_uuid_text(sendcp_source_fsid(job->source), uuid);
	verbose_line(1, "filesystem %s, backend %s, protocol %u", uuid,
		     sendcp_source_kind(job->source), job->protocol);
	for (size_t i = 0; i < job->count; i++)
		verbose_subvolume(&job->subvolumes[i]);
}

void verbose_statistics(const struct send_job *job)
{
	struct sendcp_stats stats;

	/* The module's reads are not known here. */
	if (sendcp_source_module(job->source))
		return;
	sendcp_volume_stats(sendcp_source_volume(job->source), &stats);
	verbose_line(1, "tree blocks: %llu looked up, %llu read; %llu bad mirrors replaced; trees "
		     "looked up again %llu times", stats.node_lookups, stats.node_reads,
		     stats.repairs, stats.refreshes);
}
