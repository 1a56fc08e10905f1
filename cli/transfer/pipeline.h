/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Buffers going round between the thread that fills them and the one that writes them out.
 *
 *	pipeline_take_free()     free -> producer
 *	pipeline_put_filled()    producer -> filled
 *	pipeline_take_filled()   filled -> writer
 *	pipeline_put_free()      writer -> free
 *
 * Filled batches come out in the order they went in.
 */
#ifndef CLI_TRANSFER_PIPELINE_H
#define CLI_TRANSFER_PIPELINE_H

#include <stdbool.h>
#include <stddef.h>
#include <sendcp/platform.h>

struct batch {
	u8 *data;
	/* Capacity of data, and the bytes used. */
	size_t size;
	size_t length;
	u32 subvolume;
	/* The subvolume's stream is complete after it. */
	bool end;
	/*
	 * All data up to its end is made durable before more is sent: the producer has seen that
	 * the subvolume was unchanged after it was read.
	 */
	bool durable;
	u64 stream_offset;
	u64 output_offset;
	/* Resumes after the batch; NULL if none is kept. producer.c replaces it with each fill. */
	void *checkpoint;
	size_t checkpoint_size;
	struct batch *next;
};

struct pipeline;

/* @count buffers of @size bytes. NULL without memory. */
struct pipeline *pipeline_create(size_t count, size_t size);
/* No thread may use it any more. */
void pipeline_free(struct pipeline *pipeline);

/* Waits for an empty buffer. NULL: the writer has stopped. */
struct batch *pipeline_take_free(struct pipeline *pipeline);
void pipeline_put_filled(struct pipeline *pipeline, struct batch *batch);
/* The producer is done; the filled buffers are still taken. */
void pipeline_finish(struct pipeline *pipeline);

/* Waits for a filled buffer. NULL: the producer is done and all were taken. */
struct batch *pipeline_take_filled(struct pipeline *pipeline);
void pipeline_put_free(struct pipeline *pipeline, struct batch *batch);
/* The writer takes no more. */
void pipeline_stop(struct pipeline *pipeline);

#endif
