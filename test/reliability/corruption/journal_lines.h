/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Lines of JSON with their sums, in a checkpoint file or an archive: changed in one place, and the
 * sum made right again.
 */
#ifndef TEST_CORRUPTION_JOURNAL_LINES_H
#define TEST_CORRUPTION_JOURNAL_LINES_H

#include "command.h"

#define LINES_MAX 16u

struct lines {
	u32 count;
	struct {
		size_t start;
		/* Without what the sum is not about: itself, and the end of the line. */
		size_t length;
		u32 members;
	} lines[LINES_MAX];
};

void lines_find(struct lines *lines, const struct content *content);

/* All bytes that sums are about. */
u64 lines_bytes(const struct lines *lines);
void lines_change_byte(const struct lines *lines, struct content *content, u64 byte, u32 pattern);

/* All members of all lines, each with all values that it gets; and with none. */
u64 lines_fields(const struct lines *lines);
/* False: it has that value already. */
bool lines_change_field(const struct lines *lines, const struct content *whole, u64 number,
			struct content *changed);

bool lines_in_first(const struct lines *lines, u64 number);

void lines_describe(const struct lines *lines, const struct content *whole, u64 number, bool field,
		    char text[CASE_TEXT]);

#endif
