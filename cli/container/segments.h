/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The members of an archive, checked: their order, and their lines against their contents.
 */
#ifndef CLI_CONTAINER_SEGMENTS_H
#define CLI_CONTAINER_SEGMENTS_H

#include "container/unwrap.h"
#include "util/hash.h"

enum segments_state {
	SEGMENTS_WANT_MANIFEST,
	SEGMENTS_WANT_STREAM,
	SEGMENTS_WANT_CHECKPOINT,
	SEGMENTS_COMPLETE,
};

struct segments {
	enum segments_state state;
	/* The one that is being read or was read last, from 1. */
	u64 number;
	/* Of the plain stream: where it begins, and how long it is so far. */
	u64 offset;
	u64 length;
	struct hash hash;
	struct unwrap_ending *ending;
};

/* The kind of the next member, by its name. */
enum segments_member {
	SEGMENTS_STREAM,
	SEGMENTS_LINE,
	/* Not in its place, or none of ours: the ending says which. */
	SEGMENTS_WRONG,
};

void segments_init(struct segments *segments, struct unwrap_ending *ending);
void segments_clear(struct segments *segments);

enum segments_member segments_begin(struct segments *segments, const char *name);
/* Bytes of a stream member; its end. */
void segments_data(struct segments *segments, const void *data, size_t size);
void segments_stream_end(struct segments *segments);
/*
 * The member that segments_begin() called a line, all of it. Fills in @member (whose object the
 * caller puts); false: it is wrong, which the ending says.
 */
bool segments_line(struct segments *segments, const char *text, size_t size,
		   struct unwrap_member *member);

#endif
