/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ids as text: hexadecimal digits, UUIDs, decimal numbers. Nothing here allocates.
 */
#ifndef USER_IDTEXT_H
#define USER_IDTEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <sendcp/platform.h>

#define UUID_TEXT_SIZE 37

/* @text gets 2 * @size digits and a NUL. */
void sendcp_hex_format(const u8 *bytes, size_t size, char *text);
/* Exactly 2 * @size hexadecimal digits and nothing else. */
bool sendcp_hex_parse(const char *text, u8 *bytes, size_t size);

void sendcp_uuid_text(const u8 uuid[16], char text[UUID_TEXT_SIZE]);
/* With dashes where sendcp_uuid_text() has them, or without any. */
bool sendcp_uuid_from_text(const char *text, u8 uuid[16]);
bool sendcp_uuid_is_null(const u8 uuid[16]);

/*
 * Reads decimal digits up to the first other character, which *@end then points at. False: there
 * are none, or their value does not fit.
 */
bool sendcp_parse_digits(const char *text, u64 *value, const char **end);
/* Decimal digits only; false for anything else and for what does not fit. */
bool sendcp_parse_u64(const char *text, u64 *value);

#endif
