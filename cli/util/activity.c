// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the program is doing, and how far it is.
 */
#include <pthread.h>
#include <stdio.h>

#include "util/activity.h"
#include "util/terminal.h"

/* ->bytes and ->total are set often, without the lock. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct activity current;

static void store(u64 *place, u64 value)
{
	__atomic_store_n(place, value, __ATOMIC_RELAXED);
}

static u64 load(const u64 *place)
{
	return __atomic_load_n(place, __ATOMIC_RELAXED);
}

static void set_subject(const char *subject)
{
	snprintf(current.subject, sizeof(current.subject), "%s", subject);
}

void activity_begin(enum activity_kind kind, const char *subject, u64 first, u64 total)
{
	pthread_mutex_lock(&lock);
	__atomic_store_n(&current.kind, kind, __ATOMIC_RELAXED);
	current.stream = kind == ACTIVITY_SENDING;
	set_subject(subject);
	current.number++;
	clock_gettime(CLOCK_MONOTONIC, &current.begun);
	current.first = first;
	store(&current.bytes, first);
	store(&current.total, total);
	pthread_mutex_unlock(&lock);
	terminal_allow(true);
}

void activity_subject(const char *subject)
{
	pthread_mutex_lock(&lock);
	set_subject(subject);
	pthread_mutex_unlock(&lock);
}

void activity_from(u64 first)
{
	pthread_mutex_lock(&lock);
	current.first = first;
	store(&current.bytes, first);
	pthread_mutex_unlock(&lock);
}

void activity_set(u64 bytes)
{
	store(&current.bytes, bytes);
}

void activity_read(u64 bytes)
{
	if (__atomic_load_n(&current.kind, __ATOMIC_RELAXED) == ACTIVITY_READING)
		store(&current.bytes, bytes);
}

void activity_set_total(u64 total)
{
	store(&current.total, total);
}

void activity_finish(void)
{
	pthread_mutex_lock(&lock);
	if (current.number)
		__atomic_store_n(&current.kind, ACTIVITY_FINISHING, __ATOMIC_RELAXED);
	pthread_mutex_unlock(&lock);
}

void activity_end(void)
{
	activity_finish();
	terminal_allow(false);
}

void activity_get(struct activity *activity)
{
	pthread_mutex_lock(&lock);
	activity->kind = current.kind;
	activity->stream = current.stream;
	snprintf(activity->subject, sizeof(activity->subject), "%s", current.subject);
	activity->number = current.number;
	activity->begun = current.begun;
	activity->first = current.first;
	activity->bytes = load(&current.bytes);
	activity->total = load(&current.total);
	pthread_mutex_unlock(&lock);
}

double seconds_since(const struct timespec *then)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)(now.tv_sec - then->tv_sec) + (double)(now.tv_nsec - then->tv_nsec) / 1e9;
}
