// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The queue of decided commands: a byte buffer that is filled at one end and emptied at the other.
 */
#include "encode/queue.h"

#define SCP_QUEUE_GRAIN 4096u
#define SCP_QUEUE_PREFIX sizeof(u32)

void scp_queue_release(struct scp_queue *queue)
{
	scp_free(queue->bytes);
	memset(queue, 0, sizeof(*queue));
}

int scp_queue_reserve(struct scp_queue *queue, size_t size)
{
	size_t used = queue->tail - queue->head;
	size_t capacity = scp_round_up(used + size, SCP_QUEUE_GRAIN);
	u8 *bytes;

	if (queue->capacity - queue->tail >= size)
		return 0;
	if (queue->head) {
		memmove(queue->bytes, queue->bytes + queue->head, used);
		queue->head = 0;
		queue->tail = used;
		if (queue->capacity - used >= size)
			return 0;
	}
	capacity = scp_max(capacity, queue->capacity * 2);
	bytes = scp_realloc(queue->bytes, queue->capacity, capacity);
	if (!bytes)
		return -ENOMEM;
	queue->bytes = bytes;
	queue->capacity = capacity;
	return 0;
}

u8 *scp_queue_first(const struct scp_queue *queue, u32 *length)
{
	memcpy(length, queue->bytes + queue->head, SCP_QUEUE_PREFIX);
	return queue->bytes + queue->head + SCP_QUEUE_PREFIX;
}

bool scp_queue_first_has_payload(const struct scp_queue *queue)
{
	u32 length;

	if (queue->payload.kind == SCP_PAYLOAD_NONE)
		return false;
	scp_queue_first(queue, &length);
	return queue->head + SCP_QUEUE_PREFIX + length == queue->tail;
}

void scp_queue_pop(struct scp_queue *queue)
{
	u32 length;

	scp_queue_first(queue, &length);
	queue->head += SCP_QUEUE_PREFIX + length;
	if (!scp_queue_empty(queue))
		return;
	queue->head = 0;
	queue->tail = 0;
	queue->payload.kind = SCP_PAYLOAD_NONE;
}

int scp_queue_push(struct scp_queue *queue, const void *command, u32 length)
{
	if (scp_queue_reserve(queue, SCP_QUEUE_PREFIX + length))
		return -ENOMEM;
	memcpy(queue->bytes + queue->tail, &length, SCP_QUEUE_PREFIX);
	memcpy(queue->bytes + queue->tail + SCP_QUEUE_PREFIX, command, length);
	queue->tail += SCP_QUEUE_PREFIX + length;
	return 0;
}
