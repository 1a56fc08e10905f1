// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Values as text: sizes, durations, shell words.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/alloc.h"
#include "util/text.h"

bool parse_size(const char *text, u64 *value)
{
	static const char suffixes[] = "KMGTkmgt";
	const char *end, *suffix;
	unsigned int shift;

	if (!sendcp_parse_digits(text, value, &end))
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

bool parse_duration(const char *text, u64 *seconds)
{
	static const char suffixes[] = "smhd";
	static const u64 units[] = { 1, 60, 3600, 86400 };
	const char *end, *suffix;

	if (!sendcp_parse_digits(text, seconds, &end))
		return false;
	if (!*end)
		return true;
	suffix = strchr(suffixes, *end);
	if (!suffix || end[1] || *seconds > ~0ULL / units[suffix - suffixes])
		return false;
	*seconds *= units[suffix - suffixes];
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
