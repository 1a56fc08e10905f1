// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Ids as text: hexadecimal digits, UUIDs, decimal numbers.
 */
#include <string.h>

#include "idtext.h"

void sendcp_hex_format(const u8 *bytes, size_t size, char *text)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < size; i++) {
		text[2 * i] = digits[bytes[i] >> 4];
		text[2 * i + 1] = digits[bytes[i] & 15];
	}
	text[2 * size] = '\0';
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

bool sendcp_hex_parse(const char *text, u8 *bytes, size_t size)
{
	if (strlen(text) != 2 * size)
		return false;
	for (size_t i = 0; i < size; i++) {
		int high = hex_digit(text[2 * i]);
		int low = hex_digit(text[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		bytes[i] = (u8)(high << 4 | low);
	}
	return true;
}

/* Positions after the first four of the five groups of a UUID's 32 digits. */
static bool uuid_dash_at(size_t position)
{
	return position == 8 || position == 13 || position == 18 || position == 23;
}

void sendcp_uuid_text(const u8 uuid[16], char text[UUID_TEXT_SIZE])
{
	char digits[33];
	size_t from = 0;

	sendcp_hex_format(uuid, 16, digits);
	for (size_t i = 0; i < UUID_TEXT_SIZE - 1; i++)
		text[i] = (char)(uuid_dash_at(i) ? '-' : digits[from++]);
	text[UUID_TEXT_SIZE - 1] = '\0';
}

bool sendcp_uuid_from_text(const char *text, u8 uuid[16])
{
	char digits[33];
	size_t to = 0;

	if (strlen(text) == 32)
		return sendcp_hex_parse(text, uuid, 16);
	if (strlen(text) != UUID_TEXT_SIZE - 1)
		return false;
	for (size_t i = 0; i < UUID_TEXT_SIZE - 1; i++) {
		if (uuid_dash_at(i) != (text[i] == '-'))
			return false;
		if (!uuid_dash_at(i))
			digits[to++] = text[i];
	}
	digits[to] = '\0';
	return sendcp_hex_parse(digits, uuid, 16);
}

bool sendcp_uuid_is_null(const u8 uuid[16])
{
	static const u8 null[16];

	return !memcmp(uuid, null, sizeof(null));
}

bool sendcp_parse_digits(const char *text, u64 *value, const char **end)
{
	u64 sum = 0;
	const char *p = text;

	for (; *p >= '0' && *p <= '9'; p++) {
		if (__builtin_mul_overflow(sum, 10, &sum) ||
		    __builtin_add_overflow(sum, (u64)(*p - '0'), &sum))
			return false;
	}
	*value = sum;
	*end = p;
	return p != text;
}

bool sendcp_parse_u64(const char *text, u64 *value)
{
	const char *end;

	return sendcp_parse_digits(text, value, &end) && !*end;
}
