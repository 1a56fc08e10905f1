/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Values as text: base64, hexadecimal, UUIDs, sizes, shell words.
 */
#ifndef CLI_UTIL_TEXT_H
#define CLI_UTIL_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <sendcp/platform.h>

#define UUID_TEXT_SIZE 37

/* malloc'ed and NUL-terminated, NULL without memory. */
char *base64_encode(const void *data, size_t size);
/*
 * malloc'ed bytes, their number in *@size. NULL for anything but canonical base64 with padding,
 * or without memory.
 */
void *base64_decode(const char *text, size_t *size);

/* @text gets 2 * @size digits and a NUL. */
void hex_format(const u8 *bytes, size_t size, char *text);
/* Exactly 2 * @size hexadecimal digits and nothing else. */
bool hex_parse(const char *text, u8 *bytes, size_t size);

void uuid_text(const u8 uuid[16], char text[UUID_TEXT_SIZE]);
bool uuid_from_text(const char *text, u8 uuid[16]);
bool uuid_is_null(const u8 uuid[16]);

/* Decimal digits only; false for anything else and for what does not fit. */
bool parse_u64(const char *text, u64 *value);
/* The same with an optional suffix K, M, G or T (powers of 1024). */
bool parse_size(const char *text, u64 *value);

/* "1.5 GiB" into @buffer; returns @buffer. */
char *size_text(double bytes, char *buffer, size_t size);

/* @word as a shell takes it: itself if harmless, else in single quotes. Exits without memory. */
char *shell_quote(const char *word);

#endif
