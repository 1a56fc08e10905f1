/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The encoder of stream commands: one command at a time, attribute by attribute, into a queue.
 *
 * Layer: above format/, below send/. It knows the stream's format but nothing of filesystems: which
 * commands are encoded, and why, is the caller's affair.
 */
#ifndef SENDCP_ENCODE_ENCODE_H
#define SENDCP_ENCODE_ENCODE_H

#include <sendcp/error.h>
#include <sendcp/stream.h>
#include "encode/queue.h"

/* A path relative to the subvolume, without leading slash; empty for its root. No NUL. */
struct sendcp_path {
	u16 len;
	u8 bytes[SENDCP_PATH_MAX];
};

/*
 * The filter of commands that get into the queue: when a long step is run again, those before @from
 * are out already.
 */
struct sendcp_encoder_filter {
	/* Commands are counted and filtered; else all are queued. */
	bool active;
	/* Commands encoded since the counting began, the dropped ones included. */
	u32 made;
	/* Commands before this one are dropped. */
	u32 from;
};

struct sendcp_encoder {
	/* Complete commands; the one being encoded follows the queue's tail until it ends. */
	struct sendcp_queue queue;
	/* Of the whole stream, does not change. */
	u32 protocol;
	/* Bytes of the command being encoded; its first failure, kept until it ends. */
	size_t length;
	int error;
	struct sendcp_encoder_filter filter;
	/* Records @reason wherever @owner keeps such things, and returns its negative errno. */
	int (*fail)(void *owner, enum sendcp_reason reason);
	void *owner;
};

/* Begins a command. One that was begun and not ended is dropped. */
void sendcp_command_begin(struct sendcp_encoder *encoder, enum sendcp_command command);
/* Appends an attribute; the bytes are copied. A failure is returned by the call that ends it. */
void sendcp_put_bytes(struct sendcp_encoder *encoder, enum sendcp_attribute attribute,
		      const void *bytes, size_t length);
/* The same for a number of 64 bits, in the stream's byte order. */
void sendcp_put_u64(struct sendcp_encoder *encoder, enum sendcp_attribute attribute, u64 value);
/* The same for a number of 32 bits. */
void sendcp_put_u32(struct sendcp_encoder *encoder, enum sendcp_attribute attribute, u32 value);
/* The same for seconds and nanoseconds, 12 bytes. */
void sendcp_put_time(struct sendcp_encoder *encoder, enum sendcp_attribute attribute, u64 sec,
		     u32 nsec);
/* The same for a path; the empty path of the subvolume's root is a valid one. */
void sendcp_put_path(struct sendcp_encoder *encoder, enum sendcp_attribute attribute,
		     const struct sendcp_path *path);
/*
 * Ends the command: length and checksum are set, and it is queued unless the filter drops it. 0, or
 * the first failure since sendcp_command_begin(): then nothing was queued.
 */
int sendcp_command_end(struct sendcp_encoder *encoder);
/*
 * Ends the command with the attribute DATA, whose contents are read when it is delivered. It must
 * be the last of the queue until then: see queue.h. Its checksum is not known before.
 */
int sendcp_command_end_payload(struct sendcp_encoder *encoder,
			       const struct sendcp_payload *payload);
/* Ends the command with the attribute DATA and these bytes. */
int sendcp_command_end_data(struct sendcp_encoder *encoder, const void *bytes, u32 length);
/* Queues the stream header as if it were a command. The filter does not see it. */
int sendcp_queue_stream_header(struct sendcp_encoder *encoder);
/* Sets length fields and CRC of a complete command of @length bytes (header included). */
void sendcp_command_seal(u8 *command, u32 length);

#endif
