// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Buffers going round between the thread that fills them and the one that writes them out.
 */
#include <pthread.h>
#include <stdlib.h>

#include "transfer/pipeline.h"

struct queue {
	struct batch *first;
	struct batch **last;
};

struct pipeline {
	pthread_mutex_t lock;
	/* Any change of what is below. Two threads at most wait, each for its own queue. */
	pthread_cond_t changed;
	struct queue free;
	struct queue filled;
	bool finished;
	bool stopped;
	struct batch *batches;
	size_t count;
};

static void queue_init(struct queue *queue)
{
	queue->first = NULL;
	queue->last = &queue->first;
}

static void queue_put(struct queue *queue, struct batch *batch)
{
	batch->next = NULL;
	*queue->last = batch;
	queue->last = &batch->next;
}

static struct batch *queue_take(struct queue *queue)
{
	struct batch *batch = queue->first;

	if (!batch)
		return NULL;
	queue->first = batch->next;
	if (!queue->first)
		queue->last = &queue->first;
	return batch;
}

/* Page-aligned, so that a host may read devices straight into it. */
static int batch_init(struct batch *batch, size_t size)
{
	void *data;

	if (posix_memalign(&data, 4096, size))
		return -1;
	batch->data = data;
	batch->size = size;
	return 0;
}

struct pipeline *pipeline_create(size_t count, size_t size)
{
	struct pipeline *pipeline = calloc(1, sizeof(*pipeline));

	if (!pipeline)
		return NULL;
	pthread_mutex_init(&pipeline->lock, NULL);
	pthread_cond_init(&pipeline->changed, NULL);
	queue_init(&pipeline->free);
	queue_init(&pipeline->filled);
	pipeline->batches = calloc(count, sizeof(*pipeline->batches));
	if (!pipeline->batches)
		goto fail;
	for (; pipeline->count < count; pipeline->count++) {
		struct batch *batch = &pipeline->batches[pipeline->count];

		if (batch_init(batch, size))
			goto fail;
		queue_put(&pipeline->free, batch);
	}
	return pipeline;
fail:
	pipeline_free(pipeline);
	return NULL;
}

void pipeline_free(struct pipeline *pipeline)
{
	if (!pipeline)
		return;
	for (size_t i = 0; i < pipeline->count; i++) {
		free(pipeline->batches[i].data);
		free(pipeline->batches[i].checkpoint);
	}
	free(pipeline->batches);
	pthread_cond_destroy(&pipeline->changed);
	pthread_mutex_destroy(&pipeline->lock);
	free(pipeline);
}

struct batch *pipeline_take_free(struct pipeline *pipeline)
{
	struct batch *batch = NULL;

	pthread_mutex_lock(&pipeline->lock);
	while (!pipeline->stopped && !(batch = queue_take(&pipeline->free)))
		pthread_cond_wait(&pipeline->changed, &pipeline->lock);
	pthread_mutex_unlock(&pipeline->lock);
	return batch;
}

struct batch *pipeline_take_filled(struct pipeline *pipeline)
{
	struct batch *batch;

	pthread_mutex_lock(&pipeline->lock);
	while (!(batch = queue_take(&pipeline->filled)) && !pipeline->finished)
		pthread_cond_wait(&pipeline->changed, &pipeline->lock);
	pthread_mutex_unlock(&pipeline->lock);
	return batch;
}

static void put(struct pipeline *pipeline, struct queue *queue, struct batch *batch)
{
	pthread_mutex_lock(&pipeline->lock);
	queue_put(queue, batch);
	pthread_cond_broadcast(&pipeline->changed);
	pthread_mutex_unlock(&pipeline->lock);
}

void pipeline_put_filled(struct pipeline *pipeline, struct batch *batch)
{
	put(pipeline, &pipeline->filled, batch);
}

void pipeline_put_free(struct pipeline *pipeline, struct batch *batch)
{
	put(pipeline, &pipeline->free, batch);
}

static void raise_flag(struct pipeline *pipeline, bool *flag)
{
	pthread_mutex_lock(&pipeline->lock);
	*flag = true;
	pthread_cond_broadcast(&pipeline->changed);
	pthread_mutex_unlock(&pipeline->lock);
}

void pipeline_finish(struct pipeline *pipeline)
{
	raise_flag(pipeline, &pipeline->finished);
}

void pipeline_stop(struct pipeline *pipeline)
{
	raise_flag(pipeline, &pipeline->stopped);
}
