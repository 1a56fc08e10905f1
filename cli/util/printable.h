/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Names that someone else chose, on a terminal: none may break a line or drive the terminal.
 */
#ifndef CLI_UTIL_PRINTABLE_H
#define CLI_UTIL_PRINTABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/*
 * Bytes of the character that @text begins with, if a terminal just shows it; 0: a control
 * character, or bytes that are not UTF-8.
 */
size_t printable_length(const char *text);
/* All of it is shown as it is. */
bool is_printable(const char *text);
/* With '?' for each byte that is not. */
void fputs_printable(const char *text, FILE *to);
/*
 * JSON text, in which the control characters below 0x20 are escaped: those from 0x7f to 0x9f are
 * escaped, too.
 */
void fputs_json(const char *json, FILE *to);

#endif
