/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What -v says about a run.
 */
#ifndef CLI_JOB_VERBOSE_H
#define CLI_JOB_VERBOSE_H

#include "job/send_job.h"

/* Where and what is read. */
void verbose_source(const struct send_job *job);
/* How much reading it took. */
void verbose_statistics(const struct send_job *job);

#endif
