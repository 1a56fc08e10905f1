/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Compressing into frames of zstd, each of which can be decompressed without those before it.
 *
 * A file can be cut after any frame and continued there. Functions return 0 or a negative errno.
 */
#ifndef CLI_CONTAINER_FRAMES_H
#define CLI_CONTAINER_FRAMES_H

#include "container/sink.h"

struct frames;

/* Frames go to @below, which must outlive them. Exits without memory. */
int frames_open(int level, struct sink *below, struct frames **out);
void frames_free(struct frames *frames);

/* Takes what is to be compressed. */
struct sink *frames_sink(struct frames *frames);
/* Ends the frame, if anything is in it; all that was given is with @below then. */
int frames_end(struct frames *frames);

#endif
