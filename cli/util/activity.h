/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the program is doing, and how far it is: set by what works, read by the thread that shows
 * it.
 */
#ifndef CLI_UTIL_ACTIVITY_H
#define CLI_UTIL_ACTIVITY_H

#include <stdbool.h>
#include <time.h>
#include <sendcp/platform.h>

enum activity_kind {
	/* Nothing that could be counted. */
	ACTIVITY_PREPARING,
	/* A file: ->subject. */
	ACTIVITY_READING,
	/* A stream of subvolumes, now of ->subject. */
	ACTIVITY_SENDING,
	/* What was counted has ended, and the numbers stay. */
	ACTIVITY_FINISHING,
};

struct activity {
	enum activity_kind kind;
	/* What is counted is a stream, not a file. */
	bool stream;
	char subject[256];
	/* How many there have been. */
	unsigned int number;
	struct timespec begun;
	/* Where it began, and where it is. */
	u64 first;
	u64 bytes;
	/* 0: not known. */
	u64 total;
};

/* @kind is READING or SENDING. A subject that is too long is cut. */
void activity_begin(enum activity_kind kind, const char *subject, u64 first, u64 total);
void activity_subject(const char *subject);
/* ->first and ->bytes. */
void activity_from(u64 first);
void activity_set(u64 bytes);
/* The same, if a file is being read: there are readers that a transfer uses, too. */
void activity_read(u64 bytes);
void activity_set_total(u64 total);
/* The numbers are final, but it may take a while yet. */
void activity_finish(void);
/* No bar is shown until the next one begins. */
void activity_end(void);

void activity_get(struct activity *activity);
/* Seconds since then, of CLOCK_MONOTONIC. */
double seconds_since(const struct timespec *then);

#endif
