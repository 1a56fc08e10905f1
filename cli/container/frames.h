/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Compressing into frames of zstd, each of which can be decompressed without those before it.
 *
 * A file can be cut after any frame and continued there. Functions return 0 or a negative errno.
 */
#ifndef CLI_CONTAINER_FRAMES_H
#define CLI_CONTAINER_FRAMES_H

#include <stdbool.h>

#include "container/sink.h"

struct frames;

/*
 * Bytes of memory that compressing with @level in @workers threads (0: in the caller's) takes at
 * most, from 1 to the highest level.
 */
unsigned long long frames_memory(int level, unsigned int workers);

/* Frames go to @below, which must outlive them. Exits without memory. */
int frames_open(int level, unsigned int workers, struct sink *below, struct frames **out);
void frames_free(struct frames *frames);

/* Takes what is to be compressed. */
struct sink *frames_sink(struct frames *frames);
/* Ends the frame, if anything is in it; all that was given is with @below then. */
int frames_end(struct frames *frames);
/* Memory was what compressing lacked. */
bool frames_starved(const struct frames *frames);

#endif
