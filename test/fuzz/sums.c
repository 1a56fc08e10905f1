// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Lines of JSON with their checksums put right.
 */
#include <stdio.h>
#include <string.h>
#include <xxhash.h>

#include "sums.h"

#define SUM_PREFIX ",\"sum\":\""
#define SUM_LENGTH (sizeof(SUM_PREFIX) - 1 + 16 + 2)

/* One line; returns the bytes written to @to. What does not end as an object stays as it is. */
static size_t put_line(const char *line, size_t length, char *to)
{
	size_t plain = length;

	if (length > SUM_LENGTH && !memcmp(line + length - SUM_LENGTH, SUM_PREFIX,
					   sizeof(SUM_PREFIX) - 1))
		plain = length - SUM_LENGTH;
	else if (length && line[length - 1] == '}')
		plain = length - 1;
	memcpy(to, line, plain);
	if (plain == length)
		return plain;
	snprintf(to + plain, SUM_LENGTH + 1, SUM_PREFIX "%016llx\"}",
		 (unsigned long long)XXH3_64bits(line, plain));
	return plain + SUM_LENGTH;
}

size_t sums_put_lines(const char *in, size_t size, char *out, size_t max)
{
	const char *end = in + size;
	const char *newline;
	size_t filled = 0;

	while (in < end) {
		newline = memchr(in, '\n', (size_t)(end - in));
		size = newline ? (size_t)(newline - in) : (size_t)(end - in);
		if (filled + size + SUMS_ROOM > max)
			break;
		filled += put_line(in, size, out + filled);
		if (newline)
			out[filled++] = '\n';
		in += size + 1;
	}
	return filled;
}
