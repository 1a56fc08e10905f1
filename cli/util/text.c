// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Values as text: sizes, shell words.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/alloc.h"
#include "util/text.h"

/* Some 30 years. */
#define CLOCK_MAX 1e9

char *clock_text(double seconds, char *buffer, size_t size)
{
	unsigned long long whole = seconds < 0 ? 0 :
				   (unsigned long long)(seconds < CLOCK_MAX ? seconds : CLOCK_MAX);

	snprintf(buffer, size, "%llu:%02llu:%02llu", whole / 3600, whole / 60 % 60, whole % 60);
	return buffer;
}

char *duration_text(double seconds, char *buffer, size_t size)
{
	if (seconds >= 60)
		return clock_text(seconds, buffer, size);
	snprintf(buffer, size, "%.1f s", seconds);
	return buffer;
}

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
