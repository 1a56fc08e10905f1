/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Progress of the stream: a bar on a terminal, or JSON lines, on stderr.
 *
 * The total is known exactly: a second engine measures the stream meanwhile, in a thread and on a
 * source of its own. All functions take NULL: no progress wanted.
 */
#ifndef CLI_TRANSFER_PROGRESS_H
#define CLI_TRANSFER_PROGRESS_H

#include "job/options.h"

struct progress;
struct send_job;
struct transfer_start;

/* NULL if @options want none. @job and @start must stay until progress_end(). */
struct progress *progress_begin(const struct options *options, const struct send_job *job,
				const struct transfer_start *start);
/* So many bytes of the whole output are out. */
void progress_set(struct progress *progress, u64 bytes);
/* The length of the whole output; 0: not known yet, or not measured. */
u64 progress_total(const struct progress *progress);
/* Takes the bar away, so that a line of text can be printed. */
void progress_clear(struct progress *progress);
/* Shows the last state, and frees. */
void progress_end(struct progress *progress);

#endif
