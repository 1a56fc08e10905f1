/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which clone source is a subvolume's parent when -c is given and -p is not.
 */
#ifndef CLI_PARENTS_H
#define CLI_PARENTS_H

#include "subject.h"

/* Fills in @subject's parents by btrfs send's rule. An error line and -1 if there is none. */
int parents_determine(struct subject *subject);

#endif
