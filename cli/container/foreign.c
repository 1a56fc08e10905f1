// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The first bytes of files that other programs made.
 */
#include <stdbool.h>
#include <string.h>

#include "container/foreign.h"

#define PATTERN_MAX 36

/* Which bytes of a pattern count: all, or all but those that are zero in it. */
enum compare {
	WHOLE,
	WITH_GAPS,
};

struct pattern {
	struct foreign foreign;
	size_t size;
	u8 bytes[PATTERN_MAX];
	enum compare compare;
};

#define GPG { "encrypted with gpg", "gpg -d FILE" }
#define AGE { "encrypted with age", "age -d -i KEY FILE" }
#define TEXT(text) sizeof(text) - 1, text, WHOLE

/* OpenPGP has no magic: a packet with a session key, by its tag, length and version. */
static const struct pattern patterns[] = {
	{ { "compressed with gzip", "gzip -dc FILE" }, 3, "\x1f\x8b\x08", WHOLE },
	{ { "compressed with bzip2", "bzip2 -dc FILE" }, 10, "BZh\0" "1AY&SY", WITH_GAPS },
	{ { "compressed with xz", "xz -dc FILE" }, 6, "\xfd" "7zXZ\0", WHOLE },
	{ { "compressed with lz4", "lz4 -dc FILE" }, 4, "\x04\x22\x4d\x18", WHOLE },
	{ { "a 7z archive", "7z x -so FILE" }, 6, "7z\xbc\xaf\x27\x1c", WHOLE },
	{ AGE, TEXT("age-encryption.org/v1") },
	{ AGE, TEXT("-----BEGIN AGE ENCRYPTED FILE-----") },
	{ GPG, TEXT("-----BEGIN PGP MESSAGE-----") },
	{ GPG, 4, "\x85\0\0\x03", WITH_GAPS },
	{ GPG, 3, "\x84\0\x03", WITH_GAPS },
	{ GPG, 3, "\x8c\0\x04", WITH_GAPS },
	{ GPG, 3, "\xc1\0\x03", WITH_GAPS },
	{ GPG, 3, "\xc3\0\x04", WITH_GAPS },
};

static bool fits(const struct pattern *pattern, const u8 *bytes)
{
	for (size_t i = 0; i < pattern->size; i++)
		if (bytes[i] != pattern->bytes[i] &&
		    (pattern->compare == WHOLE || pattern->bytes[i]))
			return false;
	return true;
}

const struct foreign *foreign_find(const u8 *bytes, size_t size)
{
	for (size_t i = 0; i < ARRAY_SIZE(patterns); i++)
		if (size >= patterns[i].size && fits(&patterns[i], bytes))
			return &patterns[i].foreign;
	return NULL;
}
