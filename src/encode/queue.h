/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Commands that are decided but not delivered yet.
 *
 * Each is stored as it will be in the stream, except for file contents: those are named, and read
 * while the command is delivered, straight into the caller's buffer. Only the last command of the
 * queue can have contents to be read, since data is decided one command at a time.
 */
#ifndef SCP_ENCODE_QUEUE_H
#define SCP_ENCODE_QUEUE_H

#include <sendcp/platform.h>

/* Stored in checkpoints: append only. */
enum scp_payload_kind {
	SCP_PAYLOAD_NONE = 0,
	/* Contents of the current inode at offset. */
	SCP_PAYLOAD_FILE = 1,
	/* The encoded bytes of the current inode's extent whose item is at file offset `offset`. */
	SCP_PAYLOAD_ENCODED = 2,
	SCP_PAYLOAD_ZEROS = 3,
	SCP_PAYLOAD_COUNT
};

struct scp_payload {
	enum scp_payload_kind kind;
	u32 length;
	u64 offset;
};

struct scp_queue {
	/* Commands from `head` to `tail`, each a u32 length in host order and that many bytes. */
	u8 *bytes;
	size_t head;
	size_t tail;
	size_t capacity;
	/* Belongs to the last command. */
	struct scp_payload payload;
};

static inline bool scp_queue_empty(const struct scp_queue *queue)
{
	return queue->head == queue->tail;
}

void scp_queue_release(struct scp_queue *queue);
/*
 * Makes the queue large enough for @size more bytes after tail; moves its contents to the front if
 * that is enough.
 */
int scp_queue_reserve(struct scp_queue *queue, size_t size);
/* The first command and its length without contents; the queue must not be empty. */
u8 *scp_queue_first(const struct scp_queue *queue, u32 *length);
/* Is the first command the one that has contents to be read? */
bool scp_queue_first_has_payload(const struct scp_queue *queue);
void scp_queue_pop(struct scp_queue *queue);
/* Appends an encoded command. -ENOMEM. */
int scp_queue_push(struct scp_queue *queue, const void *command, u32 length);

#endif
