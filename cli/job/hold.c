// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The subvolumes sent, their parents and clone sources are held as long as the run lasts.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "backend/hold.h"
#include "job/send_job.h"
#include "job/open_source.h"
#include "util/message.h"
#include "util/signals.h"

/* Without a hold the run is what it was: whether anything was changed is checked at its end. */
static int go_without(const char *why)
{
	verbose_line(1, "the subvolumes are not protected (%s): if one is deleted, this run fails",
		     why);
	return 0;
}

static const char *reason(int err)
{
	return err == EBUSY ? "a balance or a deduplication is running" : strerror(err);
}

/* They were looked at before they were held. */
static int look_again(const struct sendcp_subvolume *list, size_t count)
{
	struct sendcp_source_error error;

	for (size_t i = 0; i < count; i++)
		if (sendcp_subvolume_unchanged(&list[i], &error))
			return error_source(&error);
	return 0;
}

int send_job_hold(struct send_job *job)
{
	const char *off = getenv("SENDCP_NO_HOLD");
	int ret;

	if (!strcmp(sendcp_source_kind(job->source), "image"))
		return 0;
	if (off && *off)
		return go_without("SENDCP_NO_HOLD is set");
	ret = sendcp_hold_take(job->subvolumes[0].fd, job->source_ids,
			       job->clone_count + job->count, signals_cancel(), &job->hold);
	if (ret)
		return go_without(reason(-ret));
	if (look_again(job->subvolumes, job->count))
		return -1;
	return look_again(job->clone_sources, job->clone_count);
}
