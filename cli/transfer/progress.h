/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Progress of a transfer, noted for printer.h to show.
 *
 * The total is known exactly: a second engine measures the stream meanwhile, in a thread and on a
 * source of its own, if it is shown, or as soon as SIGUSR1 asks for it.
 */
#ifndef CLI_TRANSFER_PROGRESS_H
#define CLI_TRANSFER_PROGRESS_H

#include <sendcp/platform.h>

struct options;
struct progress;
struct send_job;
struct transfer_start;

/* @job and @start must stay until progress_end(). */
struct progress *progress_begin(const struct options *options, const struct send_job *job,
				const struct transfer_start *start);
/* This run's first byte of the whole output: where it was resumed. */
void progress_from(struct progress *progress, u64 first);
/* So many bytes of the whole output are out. All of these take NULL. */
void progress_set(struct progress *progress, u64 bytes);
/* The stream is now that of @subvolume. */
void progress_subvolume(struct progress *progress, const char *subvolume);
/* From here on the total is measured, in any thread. */
void progress_want_total(void);
/* The length of the whole output; 0: not known yet, or not measured. */
u64 progress_total(const struct progress *progress);
/* Shows the last state, and frees. */
void progress_end(struct progress *progress);

#endif
