/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Values as text: base64, sizes, shell words; and what idtext.h has.
 */
#ifndef CLI_UTIL_TEXT_H
#define CLI_UTIL_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <sendcp/platform.h>

#include "idtext.h"

/* malloc'ed and NUL-terminated, NULL without memory. */
char *base64_encode(const void *data, size_t size);
/*
 * malloc'ed bytes, their number in *@size. NULL for anything but canonical base64 with padding.
 * Exits without memory.
 */
void *base64_decode(const char *text, size_t *size);

/* "1:02:03" into @buffer; returns @buffer. */
char *clock_text(double seconds, char *buffer, size_t size);
/* "8.4 s" below a minute, else the same. */
char *duration_text(double seconds, char *buffer, size_t size);

/* As sendcp_parse_u64(), with an optional suffix K, M, G or T (powers of 1024). */
bool parse_size(const char *text, u64 *value);

/* Seconds: a number with an optional suffix s, m, h or d. */
bool parse_duration(const char *text, u64 *seconds);

/* "1.5 GiB" into @buffer; returns @buffer. */
char *size_text(double bytes, char *buffer, size_t size);

/*
 * @word as a shell takes it: itself if harmless, else in single quotes; with control characters or
 * bytes that are not UTF-8, in ASCII, as "$(printf '...')" or $'...'. Exits without memory.
 */
char *shell_quote(const char *word);

#endif
