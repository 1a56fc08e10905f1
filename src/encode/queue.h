/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Commands that are decided but not delivered yet.
 *
 * Each is stored as it will be in the stream, except for file contents: those are named, and read
 * while the command is delivered, straight into the caller's buffer. Only the last command of the
 * queue can have contents to be read, since data is decided one command at a time.
 */
#ifndef SENDCP_ENCODE_QUEUE_H
#define SENDCP_ENCODE_QUEUE_H

#include <sendcp/platform.h>

/* Stored in checkpoints: append only. */
enum sendcp_payload_kind {
	SENDCP_PAYLOAD_NONE = 0,
	/* Contents of the current inode at offset. */
	SENDCP_PAYLOAD_FILE = 1,
	/* The encoded bytes of the current inode's extent whose item is at file offset `offset`. */
	SENDCP_PAYLOAD_ENCODED = 2,
	SENDCP_PAYLOAD_ZEROS = 3,
	SENDCP_PAYLOAD_COUNT
};

struct sendcp_payload {
	enum sendcp_payload_kind kind;
	u32 length;
	u64 offset;
};

struct sendcp_queue {
	/* Commands from `head` to `tail`, each a u32 length in host order and that many bytes. */
	u8 *bytes;
	size_t head;
	size_t tail;
	size_t capacity;
	/* Belongs to the last command. */
	struct sendcp_payload payload;
};

static inline bool sendcp_queue_empty(const struct sendcp_queue *queue)
{
	return queue->head == queue->tail;
}

void sendcp_queue_release(struct sendcp_queue *queue);
/*
 * Makes the queue large enough for @size more bytes after tail; moves its contents to the front if
 * that is enough.
 */
int sendcp_queue_reserve(struct sendcp_queue *queue, size_t size);
/* The first command and its length without contents; the queue must not be empty. */
u8 *sendcp_queue_first(const struct sendcp_queue *queue, u32 *length);
/* Is the first command the one that has contents to be read? */
bool sendcp_queue_first_has_payload(const struct sendcp_queue *queue);
void sendcp_queue_pop(struct sendcp_queue *queue);
/* Appends an encoded command. -ENOMEM. */
int sendcp_queue_push(struct sendcp_queue *queue, const void *command, u32 length);

#endif
