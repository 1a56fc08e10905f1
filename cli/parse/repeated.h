/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Subvolumes that are twice in an input: a receiver cannot create the second one.
 */
#ifndef CLI_PARSE_REPEATED_H
#define CLI_PARSE_REPEATED_H

#include "parse/reader.h"

struct repeated {
	/* Subvolumes that came again; the first of them, malloc'ed, and where its command is. */
	u64 count;
	char *name;
	u64 offset;
	/* Names that came. */
	char **names;
	size_t name_count;
	size_t capacity;
};

/* Each command in turn. */
void repeated_look(struct repeated *repeated, const struct stream_command *command);
void repeated_clear(struct repeated *repeated);

#endif
