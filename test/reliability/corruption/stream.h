/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A stream that an engine makes of damaged input: bounded, and judged as a receiver would.
 */
#ifndef TEST_CORRUPTION_STREAM_H
#define TEST_CORRUPTION_STREAM_H

#include <sendcp/engine.h>

#include "cases.h"

/* A changed inode may be exabytes long: no more is made. */
#define STREAM_MAX (1u << 20)
#define STREAM_BUFFER (256u << 10)

struct stream {
	u8 bytes[STREAM_MAX + STREAM_BUFFER];
	size_t size;
};

/* Appends what @engine makes, to the end or STREAM_MAX; returns what its last fill did. */
int stream_fill(struct stream *stream, struct sendcp_engine *engine);
/* Is all of it commands that receivers know and may obey? One that was bounded may lack its end. */
bool stream_well_formed(const struct stream *stream, char why[CASE_TEXT]);

#endif
