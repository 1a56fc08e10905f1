/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The rules that commands obey beyond their framing: order, attributes, values.
 *
 * A broken rule ends the reader (stream_reject()), and false is returned.
 */
#ifndef CLI_PARSE_CHECK_H
#define CLI_PARSE_CHECK_H

#include "parse/reader.h"

struct stream_check {
	/* A header came, and no SUBVOL or SNAPSHOT yet. */
	bool fresh;
	u64 streams;
	u64 subvolumes;
	u64 commands;
};

/* All rules, for the commands of an input one after the other. */
bool stream_check(struct stream_check *check, struct stream_reader *reader,
		  const struct stream_command *command);

/* Each attribute known and of right size; all that the command needs. */
bool stream_check_attributes(struct stream_reader *reader, const struct stream_command *command);
/* Paths and numbers, once the attributes are right. */
bool stream_check_values(struct stream_reader *reader, const struct stream_command *command);

/* stream_reject() with the command's name and place in front; false. */
bool stream_wrong(struct stream_reader *reader, const struct stream_command *command,
		  const char *fmt, ...) __attribute__((format(printf, 3, 4)));

#endif
