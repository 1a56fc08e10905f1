/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Choosing a subvolume's parent among the clone sources when -c is given and -p is not.
 */
#ifndef CLI_JOB_CHOOSE_PARENTS_H
#define CLI_JOB_CHOOSE_PARENTS_H

#include "job/send_job.h"

/* Fills in @job's parents by btrfs send's rule. An error line and -1 if there is none. */
int parents_determine(struct send_job *job);

#endif
