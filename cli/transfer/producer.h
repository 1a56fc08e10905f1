/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The thread that makes batches: a sender after the other, each batch with its checkpoint.
 */
#ifndef CLI_TRANSFER_PRODUCER_H
#define CLI_TRANSFER_PRODUCER_H

#include <pthread.h>

#include "backend/sender.h"
#include "transfer/pipeline.h"
#include "transfer/transfer_run.h"

struct producer {
	const struct transfer *run;
	struct pipeline *pipeline;
	pthread_t thread;
	struct sender *sender;
	/* Of the next batch. */
	u64 output_offset;
	/* Bytes of batches since the last one that is made durable. */
	u64 undurable;
	/* Set when the thread has ended: 0 everything was made, -EINTR stopped, else failed. */
	int err;
	struct sendcp_error error;
	size_t subvolume;
};

/* Begins to fill @pipeline. Negative errno if there can be no thread. */
int producer_start(struct producer *producer, const struct transfer *run,
		   struct pipeline *pipeline);
/*
 * Waits for the thread's end. If @run is cancelled, a call that the thread was about to begin then
 * is interrupted again and again.
 */
void producer_join(struct producer *producer);

#endif
