/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The streams that can be resumed, as text.
 */
#ifndef CLI_COMMANDS_LIST_H
#define CLI_COMMANDS_LIST_H

#include <stdio.h>

/* Prints them to @to. Returns their number, or -1 with an error line. */
int list_streams(FILE *to);

#endif
