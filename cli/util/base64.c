// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Base64 (RFC 4648, with padding), the form of checkpoints in the journal.
 */
#include <stdlib.h>
#include <string.h>

#include "util/alloc.h"
#include "util/text.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

char *base64_encode(const void *data, size_t size)
{
	const u8 *in = data;
	char *text = malloc((size + 2) / 3 * 4 + 1);
	char *to = text;

	if (!text)
		return NULL;
	for (size_t i = 0; i < size; i += 3) {
		u32 word = (u32)in[i] << 16;

		if (i + 1 < size)
			word |= (u32)in[i + 1] << 8;
		if (i + 2 < size)
			word |= in[i + 2];
		*to++ = alphabet[word >> 18];
		*to++ = alphabet[word >> 12 & 63];
		*to++ = (char)(i + 1 < size ? alphabet[word >> 6 & 63] : '=');
		*to++ = (char)(i + 2 < size ? alphabet[word & 63] : '=');
	}
	*to = '\0';
	return text;
}

/* Not a digit: -1. A journal has megabytes of them, so this is done without a search. */
static int digit_value(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == '+')
		return 62;
	return c == '/' ? 63 : -1;
}

/*
 * Decodes four characters of which the last @pad are padding. Bits that no byte takes up must be
 * zero: one value has one text.
 */
static bool decode_group(const char *text, unsigned int pad, u8 out[3])
{
	u32 word = 0;

	for (unsigned int i = 0; i < 4; i++) {
		int value = i < 4 - pad ? digit_value(text[i]) : 0;

		if (value < 0)
			return false;
		word = word << 6 | (u32)value;
	}
	out[0] = (u8)(word >> 16);
	out[1] = (u8)(word >> 8);
	out[2] = (u8)word;
	return (pad < 1 || !out[2]) && (pad < 2 || !out[1]);
}

/* The number of padding characters in the last group; @length is that of whole groups. */
static unsigned int padding(const char *text, size_t length)
{
	if (!length || text[length - 1] != '=')
		return 0;
	return text[length - 2] == '=' ? 2 : 1;
}

void *base64_decode(const char *text, size_t *size)
{
	size_t length = strlen(text);
	unsigned int pad;
	u8 *out;

	if (length % 4)
		return NULL;
	pad = padding(text, length);
	out = xmalloc(length / 4 * 3 + 1);
	for (size_t i = 0; i < length; i += 4) {
		if (!decode_group(text + i, i + 4 == length ? pad : 0, out + i / 4 * 3)) {
			free(out);
			return NULL;
		}
	}
	*size = length / 4 * 3 - pad;
	return out;
}
