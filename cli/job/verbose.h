/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The lines of -v about a run.
 */
#ifndef CLI_JOB_VERBOSE_H
#define CLI_JOB_VERBOSE_H

#include "job/send_job.h"

/* The subvolumes, and the source they are read from. */
void verbose_source(const struct send_job *job);
/* The amount of reading that was done. */
void verbose_statistics(const struct send_job *job);

#endif
