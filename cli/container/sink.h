/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Something that takes bytes: a layer of a wrapping, or what is below all of them.
 */
#ifndef CLI_CONTAINER_SINK_H
#define CLI_CONTAINER_SINK_H

#include <stddef.h>

struct sink {
	/* All of @data, or a negative errno; then nothing more can be given to it. */
	int (*write)(struct sink *sink, const void *data, size_t size);
};

#endif
