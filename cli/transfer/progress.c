// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Progress of a transfer.
 */
#include <pthread.h>
#include <stdlib.h>

#include "transfer/measure.h"
#include "transfer/printer.h"
#include "transfer/progress.h"
#include "util/activity.h"
#include "util/alloc.h"
#include "util/signals.h"

/* Somebody wants the total; measuring takes reading all metadata, so it is not done for nobody. */
static pthread_mutex_t want_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t want_changed = PTHREAD_COND_INITIALIZER;
static bool wanted;

struct progress {
	const struct send_job *job;
	const struct transfer_start *start;
	/* Not 0 as soon as it is known. */
	u64 total;

	pthread_t measurer;
	bool measuring;
	struct sendcp_cancel stop_measuring;
};

void progress_want_total(void)
{
	pthread_mutex_lock(&want_lock);
	wanted = true;
	pthread_cond_broadcast(&want_changed);
	pthread_mutex_unlock(&want_lock);
}

/* False: the transfer has ended without. */
static bool await_want(const struct progress *progress)
{
	bool ret;

	pthread_mutex_lock(&want_lock);
	while (!wanted && !sendcp_cancelled(&progress->stop_measuring))
		pthread_cond_wait(&want_changed, &want_lock);
	ret = wanted;
	pthread_mutex_unlock(&want_lock);
	return ret;
}

/* A total that cannot be had is no failure of the send. */
static void *measure(void *argument)
{
	struct progress *progress = argument;
	struct transfer_result result;
	struct sendcp_source *source;
	u64 total;

	if (!await_want(progress) ||
	    sendcp_source_reopen(progress->job->source, &source, NULL))
		return NULL;
	sendcp_source_set_interrupt(source, &progress->stop_measuring);
	if (!measure_output(progress->job, source, progress->start,
			    &progress->stop_measuring, &total, &result)) {
		__atomic_store_n(&progress->total, total, __ATOMIC_RELAXED);
		activity_set_total(total);
	}
	sendcp_source_close(source);
	return NULL;
}

struct progress *progress_begin(const struct options *options, const struct send_job *job,
				const struct transfer_start *start)
{
	struct progress *progress = xcalloc(1, sizeof(*progress));

	progress->job = job;
	progress->start = start;
	/* After the last one, there may still be something to prove. */
	activity_begin(ACTIVITY_SENDING, start->subvolume < job->count ?
		       job->subvolumes[start->subvolume].spec : "", start->output_offset, 0);
	if (printer_wants_total())
		progress_want_total();
	progress->measuring = !signals_thread(&progress->measurer, measure, progress);
	return progress;
}

void progress_from(struct progress *progress, u64 first)
{
	if (progress)
		activity_from(first);
}

void progress_set(struct progress *progress, u64 bytes)
{
	if (progress)
		activity_set(bytes);
}

void progress_subvolume(struct progress *progress, const char *subvolume)
{
	if (progress)
		activity_subject(subvolume);
}

u64 progress_total(const struct progress *progress)
{
	return progress ? __atomic_load_n(&progress->total, __ATOMIC_RELAXED) : 0;
}

void progress_end(struct progress *progress)
{
	if (!progress)
		return;
	/* The measuring engine looks at its cancel now and then. */
	sendcp_cancel_set(&progress->stop_measuring);
	pthread_mutex_lock(&want_lock);
	pthread_cond_broadcast(&want_changed);
	pthread_mutex_unlock(&want_lock);
	if (progress->measuring)
		pthread_join(progress->measurer, NULL);
	activity_finish();
	printer_settle();
	free(progress);
}
