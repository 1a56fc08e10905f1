/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The replaced ranges of a stream that is verified: listed as they come, so that any number of them
 * takes no memory.
 */
#ifndef CLI_COMMANDS_VERIFY_MARKS_H
#define CLI_COMMANDS_VERIFY_MARKS_H

#include "journal/replaced.h"
#include "parse/reader.h"

struct verify_marks {
	/* The name of the file that has the stream; NULL: nothing is printed. */
	const char *file;
	/* For numbers, and for JSON. */
	struct replaced_list list;
	/* The subvolume that commands are of, and its name. */
	u32 subvolume;
	char *name;
	/* The range that the next one may be adjacent to; ->path NULL: none. */
	struct replaced_range open;
};

/* For each command, once it is known to be right. */
void verify_marks_look(struct verify_marks *marks, const struct stream_command *command);
/* After the last one. */
void verify_marks_end(struct verify_marks *marks);
void verify_marks_clear(struct verify_marks *marks);

#endif
