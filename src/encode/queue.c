// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The queue of decided commands: a byte buffer that is filled at one end and emptied at the other.
 */
#include "encode/queue.h"

#define SENDCP_QUEUE_GRAIN 4096u
#define SENDCP_QUEUE_PREFIX sizeof(u32)

void sendcp_queue_release(struct sendcp_queue *queue)
{
	sendcp_free(queue->bytes);
	memset(queue, 0, sizeof(*queue));
}

int sendcp_queue_reserve(struct sendcp_queue *queue, size_t size)
{
	size_t used = queue->tail - queue->head;
	size_t capacity = sendcp_round_up(used + size, SENDCP_QUEUE_GRAIN);
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
	capacity = sendcp_max(capacity, queue->capacity * 2);
	bytes = sendcp_realloc(queue->bytes, queue->capacity, capacity);
	if (!bytes)
		return -ENOMEM;
	queue->bytes = bytes;
	queue->capacity = capacity;
	return 0;
}

u8 *sendcp_queue_first(const struct sendcp_queue *queue, u32 *length)
{
	memcpy(length, queue->bytes + queue->head, SENDCP_QUEUE_PREFIX);
	return queue->bytes + queue->head + SENDCP_QUEUE_PREFIX;
}

bool sendcp_queue_first_has_payload(const struct sendcp_queue *queue)
{
	u32 length;

	if (queue->payload.kind == SENDCP_PAYLOAD_NONE)
		return false;
	sendcp_queue_first(queue, &length);
	return queue->head + SENDCP_QUEUE_PREFIX + length == queue->tail;
}

void sendcp_queue_pop(struct sendcp_queue *queue)
{
	u32 length;

	sendcp_queue_first(queue, &length);
	queue->head += SENDCP_QUEUE_PREFIX + length;
	if (!sendcp_queue_empty(queue))
		return;
	queue->head = 0;
	queue->tail = 0;
	queue->payload.kind = SENDCP_PAYLOAD_NONE;
}

int sendcp_queue_push(struct sendcp_queue *queue, const void *command, u32 length)
{
	if (sendcp_queue_reserve(queue, SENDCP_QUEUE_PREFIX + length))
		return -ENOMEM;
	memcpy(queue->bytes + queue->tail, &length, SENDCP_QUEUE_PREFIX);
	memcpy(queue->bytes + queue->tail + SENDCP_QUEUE_PREFIX, command, length);
	queue->tail += SENDCP_QUEUE_PREFIX + length;
	return 0;
}
