/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The mark of a range whose contents could not be read (sendcp/stream.h), in commands of a stream.
 */
#ifndef CLI_PARSE_MARK_H
#define CLI_PARSE_MARK_H

#include "parse/reader.h"

enum stream_mark {
	/* Another command, or an UPDATE_EXTENT of --no-data. */
	MARK_NONE,
	/* There are zeros in the range, or nothing was written to it. */
	MARK_ZERO,
	MARK_SKIP,
	/* It has attributes that no mark has. */
	MARK_WRONG,
};

enum stream_mark stream_mark(const struct stream_command *command);

#endif
