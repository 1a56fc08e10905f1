/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A command in words: as btrfs receive --dump prints it, or as a line of JSON.
 *
 * Commands have been through stream_check_attributes().
 */
#ifndef CLI_PARSE_DUMP_H
#define CLI_PARSE_DUMP_H

#include <stdio.h>

#include "parse/reader.h"

/* Carried over from earlier commands to the lines of later ones. */
struct stream_dump {
	/* Of the subvolume; begins as "". */
	u8 name[256];
	size_t name_length;
};

/* Headers and END have no line. */
void stream_dump_text(struct stream_dump *dump, const struct stream_command *command, FILE *to);
/* Exits without memory. */
void stream_dump_json(const struct stream_command *command, FILE *to);

#endif
