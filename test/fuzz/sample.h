/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A small stream of random bytes as sendcp keeps it: batches in any container, made by the code
 * that writes them, and the journal about them.
 */
#ifndef TEST_FUZZ_SAMPLE_H
#define TEST_FUZZ_SAMPLE_H

#include <sendcp/platform.h>

#include "container/sink.h"
#include "journal/container_spec.h"

#define SAMPLE_BATCHES 6u
#define SAMPLE_BATCH_MAX 1500u
#define SAMPLE_ROOM (64u << 10)

struct sample {
	/* The first member. */
	struct sink sink;
	u8 file[SAMPLE_ROOM];
	size_t file_size;
	char journal[SAMPLE_ROOM];
	size_t journal_size;
};

/* Any error ends the program. */
void sample_make(struct sample *sample, const struct container_spec *container,
		 unsigned int *random);

#endif
