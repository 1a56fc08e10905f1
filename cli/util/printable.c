// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Characters that a terminal shows and does not obey.
 */
#include "util/printable.h"

static bool is_control(unsigned long code)
{
	return code < 0x20 || (code >= 0x7f && code < 0xa0);
}

/* Length by the first byte; its bits of the code go to *@code. 0: none begins so. */
static size_t begin(unsigned char first, unsigned long *code)
{
	if (first < 0x80) {
		*code = first;
		return 1;
	}
	if (first >= 0xc2 && first < 0xe0) {
		*code = first & 0x1f;
		return 2;
	}
	if (first >= 0xe0 && first < 0xf0) {
		*code = first & 0x0f;
		return 3;
	}
	*code = first & 0x07;
	return first >= 0xf0 && first < 0xf5 ? 4 : 0;
}

size_t printable_length(const char *text)
{
	static const unsigned long least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	unsigned long code;
	size_t length = begin((unsigned char)text[0], &code);

	for (size_t i = 1; i < length; i++) {
		unsigned char next = (unsigned char)text[i];

		if ((next & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (next & 0x3f);
	}
	if (!length || is_control(code) || code < least[length] || code > 0x10ffff ||
	    (code >= 0xd800 && code < 0xe000))
		return 0;
	return length;
}

bool is_printable(const char *text)
{
	size_t length;

	for (; *text; text += length) {
		length = printable_length(text);
		if (!length)
			return false;
	}
	return true;
}

void fputs_printable(const char *text, FILE *to)
{
	while (*text) {
		size_t length = printable_length(text);

		if (length)
			fwrite(text, 1, length, to);
		else
			putc('?', to);
		text += length ? length : 1;
	}
}

void fputs_json(const char *json, FILE *to)
{
	for (; *json; json++) {
		unsigned char c = (unsigned char)json[0], next = (unsigned char)json[1];

		if (c == 0x7f) {
			fputs("\\u007f", to);
		} else if (c == 0xc2 && next >= 0x80 && next < 0xa0) {
			fprintf(to, "\\u00%02x", next);
			json++;
		} else {
			putc(c, to);
		}
	}
}
