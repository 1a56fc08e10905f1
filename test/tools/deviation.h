/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The differences from native streams that are wanted, each with the name it has in
 * docs/deviations.md. None is allowed unless it was named.
 */
#ifndef TEST_DEVIATION_H
#define TEST_DEVIATION_H

#include "stream.h"

/* The commands, of the two, that a deviation accounts for. */
#define TAKE_OURS 1
#define TAKE_NATIVE 2

/* 0, or -1 if there is no such deviation. */
int deviation_allow(const char *name);
/* All names, for the usage. */
const char *deviation_names(void);

/* A command of the native stream was passed: renames show the names that have become stale. */
void deviation_note(const struct command *native);

/* Two commands that differ; either is NULL when its stream is over. 0: no known deviation. */
int deviation_match(const struct command *ours, const struct command *native);

/* May native's stream end in its middle? */
bool deviation_may_stop(void);

#endif
