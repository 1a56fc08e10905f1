// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Values as text: sizes, durations, shell words.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/alloc.h"
#include "util/printable.h"
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

/* Is it to be escaped in what printf(1) or $'...' takes, in the middle of single quotes? */
static bool needs_escape(unsigned char c)
{
	return c < 0x20 || c >= 0x7f || c == '\'' || c == '\\';
}

/*
 * "$(printf '...')": any shell knows that, but newlines at a word's end would be lost. So for these
 * $'...', which bash, ksh, zsh and the POSIX of 2024 know.
 */
static char *quote_escaped(const char *word)
{
	size_t length = strlen(word);
	bool newline = length && word[length - 1] == '\n';
	/* Each byte becomes at most four characters. */
	char *out = xcalloc(length + 24, 4);
	char *to = stpcpy(out, newline ? "$'" : "\"$(printf '");

	for (size_t i = 0; i < length; i++) {
		/* What begins with it would be an option of printf. */
		if (needs_escape((unsigned char)word[i]) || (!i && word[i] == '-'))
			to += sprintf(to, "\\%03o", (unsigned char)word[i]);
		else if (word[i] == '%' && !newline)
			to = stpcpy(to, "%%");
		else
			*to++ = word[i];
	}
	stpcpy(to, newline ? "'" : "')\"");
	return out;
}

char *shell_quote(const char *word)
{
	static const char harmless[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				       "0123456789_-./,:+@%";
	char *out, *to;

	if (*word && strspn(word, harmless) == strlen(word))
		return xstrdup(word);
	/* Lines for people show '?' for these, so they must not be in a command as they are. */
	if (!is_printable(word))
		return quote_escaped(word);
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
	*to++ = '\'';
	*to = '\0';
	return out;
}
