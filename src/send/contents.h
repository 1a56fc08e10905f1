/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Contents of the current inode, and those of them that cannot be read.
 *
 * If the request says so, damaged contents are replaced and marked in the stream. Damaged is what a
 * later try will not read either: a wrong checksum in all mirrors that are there, corrupt
 * compressed data, a medium that gives no mirror of it. A device that is gone, and damaged
 * metadata, are failures.
 */
#ifndef SENDCP_SEND_CONTENTS_H
#define SENDCP_SEND_CONTENTS_H

#include "send/engine_private.h"

static inline bool sendcp_replaces_damage(const struct sendcp_engine *engine)
{
	return (engine->flags & (SENDCP_SEND_DATA_ZERO | SENDCP_SEND_DATA_SKIP)) &&
	       !(engine->flags & SENDCP_SEND_NO_FILE_DATA);
}

/* [@offset, + @length), no more than a WRITE has. A failure is not explained yet. */
int sendcp_contents_read(struct sendcp_engine *engine, u64 offset, u32 length, u8 *to);

/* Is volume->error, of a read that failed, damage that the request says to replace? */
bool sendcp_is_replaced(const struct sendcp_engine *engine);

/* The beginning of a range: all of it can be read, or nothing. */
struct sendcp_examined {
	u32 length;
	bool damaged;
};

/*
 * Where reading [@offset, + @length) to @to failed in a way that may be damage: which part of it
 * can be read, sector by sector. What can be read is at @to. Any failure that is not damage is
 * returned, wherever in the range it is: the result must not depend on what passes.
 */
int sendcp_contents_examine(struct sendcp_engine *engine, u64 offset, u32 length, u8 *to,
			    struct sendcp_examined *examined);

/*
 * 1: [@offset, @end) can be read; 0: there is damage in it; negative errno. For what was sent
 * before and is to be cloned from there.
 */
int sendcp_contents_are_readable(struct sendcp_engine *engine, u64 offset, u64 end);

#endif
