/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Standard error: lines of text, and at a terminal's last line a bar that is written over.
 *
 * A line is one write(2), under a lock, so lines of two threads never mix, and no line begins
 * on a bar's line. Nothing is allocated.
 */
#ifndef CLI_UTIL_TERMINAL_H
#define CLI_UTIL_TERMINAL_H

#include <stdbool.h>
#include <stddef.h>

/* Columns of the terminal that standard error is, as it is now; 80 if it does not say. */
unsigned int terminal_width(void);

/* Whole lines, with their newlines. The bar is taken away before. */
void terminal_print(const char *lines, size_t size);

/* Shows @bar, shorter than the terminal is wide, in the place of the last one. */
void terminal_show(const char *bar);
/* Takes the bar away, and shows none until it is @allowed again. */
void terminal_allow(bool allowed);
/* Leaves the bar where it is: what follows begins on a line of its own. */
void terminal_keep(void);

/* The last lines: what other threads print from now on is dropped. */
void terminal_close(const char *lines, size_t size);

#endif
