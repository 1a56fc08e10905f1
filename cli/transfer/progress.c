// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Progress of the stream: a bar on a terminal, or JSON lines, on stderr.
 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "transfer/measure.h"
#include "transfer/progress.h"
#include "util/alloc.h"
#include "util/json_line.h"
#include "util/message.h"
#include "util/signals.h"
#include "util/text.h"

#define BAR_WIDTH 24
#define TERMINAL_PERIOD_NS 250000000L
#define LINE_PERIOD_NS 1000000000L
/* Weight of the latest period in the rate shown. */
#define RATE_WEIGHT 0.2

struct progress {
	const struct send_job *job;
	const struct transfer_start *start;
	bool json;
	bool terminal;
	u64 bytes;
	/* Not 0 as soon as it is known. */
	u64 total;

	pthread_t measurer;
	bool measuring;
	struct sendcp_cancel stop_measuring;

	pthread_t printer;
	bool printing;
	pthread_mutex_t lock;
	pthread_cond_t ended_changed;
	bool ended;

	/* Of the printer alone. */
	u64 last_bytes;
	struct timespec last_time;
	double rate;
};

static double seconds_between(const struct timespec *from, const struct timespec *to)
{
	return (double)(to->tv_sec - from->tv_sec) + (double)(to->tv_nsec - from->tv_nsec) / 1e9;
}

static u64 get(const u64 *value)
{
	return __atomic_load_n(value, __ATOMIC_RELAXED);
}

/* Smoothed, so that the time left does not jump. */
static void update_rate(struct progress *progress, u64 bytes)
{
	struct timespec now;
	double seconds, rate;

	clock_gettime(CLOCK_MONOTONIC, &now);
	seconds = seconds_between(&progress->last_time, &now);
	if (seconds < 0.05)
		return;
	rate = (double)(bytes - progress->last_bytes) / seconds;
	progress->rate = progress->rate > 0 ?
			 progress->rate + RATE_WEIGHT * (rate - progress->rate) : rate;
	progress->last_bytes = bytes;
	progress->last_time = now;
}

/* Negative: unknown. */
static double seconds_left(const struct progress *progress, u64 bytes, u64 total)
{
	if (!total || progress->rate < 1)
		return -1;
	return total > bytes ? (double)(total - bytes) / progress->rate : 0;
}

static void print_json(struct progress *progress, u64 bytes, u64 total)
{
	struct json_object *object = json_object_new_object();
	double left = seconds_left(progress, bytes, total);

	json_put_u64(object, "bytes", bytes);
	json_object_object_add(object, "total", total ? json_object_new_uint64(total) : NULL);
	json_put_u64(object, "bytes_per_second", (u64)progress->rate);
	json_object_object_add(object, "seconds_left",
			       left < 0 ? NULL : json_object_new_uint64((u64)left));
	dprintf(STDERR_FILENO, "%s\n",
		json_object_to_json_string_ext(object, JSON_C_TO_STRING_PLAIN));
	json_object_put(object);
}

/* "1:02:03"; empty when unknown or beyond sense. */
static void format_left(double left, char *text, size_t size)
{
	unsigned long long whole = left < 0 || left > 1e8 ? 0 : (unsigned long long)left;

	if (left < 0 || left > 1e8)
		*text = '\0';
	else
		snprintf(text, size, "  ETA %llu:%02llu:%02llu", whole / 3600, whole / 60 % 60,
			 whole % 60);
}

static void format_total(u64 bytes, u64 total, char *text, size_t size)
{
	char bar[BAR_WIDTH + 1], amount[32];
	double share = bytes < total ? (double)bytes / (double)total : 1;
	int filled = (int)(share * BAR_WIDTH);

	for (int i = 0; i < BAR_WIDTH; i++)
		bar[i] = i < filled ? '#' : '-';
	bar[BAR_WIDTH] = '\0';
	snprintf(text, size, " of %s  [%s] %3d%%", size_text((double)total, amount, sizeof(amount)),
		 bar, (int)(share * 100));
}

static void print_bar(struct progress *progress, u64 bytes, u64 total)
{
	char done[32], speed[32], of[96] = "", left[48];

	if (total)
		format_total(bytes, total, of, sizeof(of));
	format_left(seconds_left(progress, bytes, total), left, sizeof(left));
	dprintf(STDERR_FILENO, "%s%s%s  %s/s%s%s", progress->terminal ? "\r\033[K" : "",
		size_text((double)bytes, done, sizeof(done)), of,
		size_text(progress->rate, speed, sizeof(speed)), left,
		progress->terminal ? "" : "\n");
}

static void print(struct progress *progress)
{
	u64 bytes = get(&progress->bytes);
	u64 total = get(&progress->total);

	update_rate(progress, bytes);
	if (progress->json)
		print_json(progress, bytes, total);
	else
		print_bar(progress, bytes, total);
}

static void add_period(struct timespec *when, long nanoseconds)
{
	when->tv_nsec += nanoseconds;
	when->tv_sec += when->tv_nsec / 1000000000L;
	when->tv_nsec %= 1000000000L;
}

static void *print_often(void *argument)
{
	struct progress *progress = argument;
	long period = progress->terminal ? TERMINAL_PERIOD_NS : LINE_PERIOD_NS;
	struct timespec next;

	pthread_mutex_lock(&progress->lock);
	while (!progress->ended) {
		clock_gettime(CLOCK_REALTIME, &next);
		add_period(&next, period);
		if (pthread_cond_timedwait(&progress->ended_changed, &progress->lock, &next) ==
		    ETIMEDOUT)
			print(progress);
	}
	pthread_mutex_unlock(&progress->lock);
	return NULL;
}

/* A total that cannot be had is no failure of the send. */
static void *measure(void *argument)
{
	struct progress *progress = argument;
	struct transfer_result result;
	struct sendcp_source *source;
	u64 total;

	if (sendcp_source_reopen(progress->job->source, &source, NULL))
		return NULL;
	sendcp_source_set_interrupt(source, &progress->stop_measuring);
	if (!measure_output(progress->job, source, progress->start,
			    &progress->stop_measuring, &total, &result))
		__atomic_store_n(&progress->total, total, __ATOMIC_RELAXED);
	sendcp_source_close(source);
	return NULL;
}

static bool wanted(const struct options *options)
{
	if (options->progress == PROGRESS_AUTO)
		return isatty(STDERR_FILENO) && options->verbosity >= 0;
	return options->progress != PROGRESS_NEVER;
}

struct progress *progress_begin(const struct options *options, const struct send_job *job,
				const struct transfer_start *start)
{
	struct progress *progress;

	if (!wanted(options))
		return NULL;
	progress = xcalloc(1, sizeof(*progress));
	progress->job = job;
	progress->start = start;
	progress->json = options->progress == PROGRESS_JSON;
	progress->terminal = !progress->json && isatty(STDERR_FILENO);
	progress->bytes = start->output_offset;
	progress->last_bytes = progress->bytes;
	clock_gettime(CLOCK_MONOTONIC, &progress->last_time);
	pthread_mutex_init(&progress->lock, NULL);
	pthread_cond_init(&progress->ended_changed, NULL);
	progress->measuring = !signals_thread(&progress->measurer, measure, progress);
	progress->printing = !signals_thread(&progress->printer, print_often, progress);
	return progress;
}

void progress_set(struct progress *progress, u64 bytes)
{
	if (progress)
		__atomic_store_n(&progress->bytes, bytes, __ATOMIC_RELAXED);
}

u64 progress_total(const struct progress *progress)
{
	return progress ? __atomic_load_n(&progress->total, __ATOMIC_RELAXED) : 0;
}

void progress_clear(struct progress *progress)
{
	if (!progress || !progress->terminal)
		return;
	pthread_mutex_lock(&progress->lock);
	dprintf(STDERR_FILENO, "\r\033[K");
	pthread_mutex_unlock(&progress->lock);
}

/* The measuring engine looks at its cancel now and then; the printer is woken. */
static void end_threads(struct progress *progress)
{
	sendcp_cancel_set(&progress->stop_measuring);
	pthread_mutex_lock(&progress->lock);
	progress->ended = true;
	pthread_cond_broadcast(&progress->ended_changed);
	pthread_mutex_unlock(&progress->lock);
	if (progress->printing)
		pthread_join(progress->printer, NULL);
	if (progress->measuring)
		pthread_join(progress->measurer, NULL);
}

void progress_end(struct progress *progress)
{
	if (!progress)
		return;
	end_threads(progress);
	print(progress);
	if (progress->terminal)
		dprintf(STDERR_FILENO, "\n");
	pthread_cond_destroy(&progress->ended_changed);
	pthread_mutex_destroy(&progress->lock);
	free(progress);
}
