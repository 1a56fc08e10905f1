// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Values as text: hexadecimal, UUIDs, sizes, shell words.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/alloc.h"
#include "util/text.h"

void hex_format(const u8 *bytes, size_t size, char *text)
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

bool hex_parse(const char *text, u8 *bytes, size_t size)
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

void uuid_text(const u8 uuid[16], char text[UUID_TEXT_SIZE])
{
	char digits[33];
	size_t from = 0;

	hex_format(uuid, 16, digits);
	for (size_t i = 0; i < UUID_TEXT_SIZE - 1; i++)
		text[i] = uuid_dash_at(i) ? '-' : digits[from++];
	text[UUID_TEXT_SIZE - 1] = '\0';
}

bool uuid_from_text(const char *text, u8 uuid[16])
{
	char digits[33];
	size_t to = 0;

	if (strlen(text) != UUID_TEXT_SIZE - 1)
		return false;
	for (size_t i = 0; i < UUID_TEXT_SIZE - 1; i++) {
		if (uuid_dash_at(i) != (text[i] == '-'))
			return false;
		if (!uuid_dash_at(i))
			digits[to++] = text[i];
	}
	digits[to] = '\0';
	return hex_parse(digits, uuid, 16);
}

bool uuid_is_null(const u8 uuid[16])
{
	static const u8 null[16];

	return !memcmp(uuid, null, sizeof(null));
}

/* Reads digits up to the first other character, which *@end then points at. */
static bool parse_digits(const char *text, u64 *value, const char **end)
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

bool parse_u64(const char *text, u64 *value)
{
	const char *end;

	return parse_digits(text, value, &end) && !*end;
}

bool parse_size(const char *text, u64 *value)
{
	static const char suffixes[] = "KMGTkmgt";
	const char *end, *suffix;
	unsigned int shift;

	if (!parse_digits(text, value, &end))
		return false;
	if (!*end)
		return true;
	suffix = strchr(suffixes, *end);
	if (!suffix || end[1])
		return false;
	shift = 10 * (unsigned int)((suffix - suffixes) % 4 + 1);
	if (*value > ~0ULL >> shift)
		return false;
	*value <<= shift;
	return true;
}

char *size_text(double bytes, char *buffer, size_t size)
{
	static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };
	unsigned int unit = 0;

	while (bytes >= 1024 && unit + 1 < ARRAY_SIZE(units)) {
		bytes /= 1024;
		unit++;
	}
	snprintf(buffer, size, unit ? "%.1f %s" : "%.0f %s", bytes, units[unit]);
	return buffer;
}

/* Lines for people show control characters as '?', so they must not be in a command as they are. */
static bool has_control(const char *word)
{
	for (; *word; word++)
		if ((unsigned char)*word < 0x20 || *word == 0x7f)
			return true;
	return false;
}

/* "$(printf '...')": any shell knows that. Newlines at a word's end are lost. */
static char *quote_printf(const char *word)
{
	/* Each byte becomes at most four characters. */
	char *out = xcalloc(strlen(word) + 24, 4);
	char *to = stpcpy(out, "\"$(printf '");

	for (; *word; word++) {
		unsigned char c = (unsigned char)*word;

		if (c < 0x20 || c == 0x7f || c == '\'' || c == '\\')
			to += sprintf(to, "\\%03o", c);
		else if (c == '%')
			to = stpcpy(to, "%%");
		else
			*to++ = (char)c;
	}
	strcpy(to, "')\"");
	return out;
}

char *shell_quote(const char *word)
{
	static const char harmless[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				       "0123456789_-./,:+@%";
	char *out, *to;

	if (*word && strspn(word, harmless) == strlen(word))
		return xstrdup(word);
	if (has_control(word))
		return quote_printf(word);
	/* Each quote becomes four characters: '\'' */
	out = xcalloc(strlen(word) + 1, 4);
	to = out;
	*to++ = '\'';
	for (; *word; word++) {
		if (*word == '\'')
			to = stpcpy(to, "'\\''");
		else
			*to++ = *word;
	}
	strcpy(to, "'");
	return out;
}
