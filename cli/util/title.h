/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The command line that ps(1) and /proc/PID/cmdline show, for --title.
 */
#ifndef CLI_UTIL_TITLE_H
#define CLI_UTIL_TITLE_H

/*
 * Returns a copy of @argv, which must not be used any more: titles are written over it, and options
 * point into the copy. Exits without memory.
 */
char **title_take(int argc, char **argv);
/* Moves the environment away, so that a title may be longer than the command line was. */
void title_begin(void);
/* Cut if it is longer than what there is. Only one thread at a time. */
void title_set(const char *title);

#endif
