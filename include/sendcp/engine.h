/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The engine: a subvolume's send stream, a buffer at a time, with a checkpoint after every command.
 *
 * One engine makes one subvolume's stream. It is not thread-safe: one caller at a time. Nothing is
 * global, so any number of engines may run beside each other, each with a volume of its own.
 */
#ifndef SENDCP_ENGINE_H
#define SENDCP_ENGINE_H

#include <sendcp/checkpoint.h>
#include <sendcp/error.h>
#include <sendcp/platform.h>
#include <sendcp/volume.h>

struct sendcp_engine;

/* Request flags; the first three mean what the kernel's BTRFS_SEND_FLAG_* of that name do. */
#define SENDCP_SEND_NO_FILE_DATA	0x1u
#define SENDCP_SEND_OMIT_HEADER	0x2u
#define SENDCP_SEND_OMIT_END	0x4u
/* Compressed extents as they are on the disk (ENCODED_WRITE); needs protocol 2. */
#define SENDCP_SEND_COMPRESSED	0x10u
/* A writable subvolume may be sent: for images, to which nothing can write meanwhile. */
#define SENDCP_SEND_WRITABLE_OK	0x100u
/*
 * Contents that cannot be read (wrong checksums, corrupt compressed data, unreadable media) are
 * replaced, by zeros or by nothing at all, and marked: SENDCP_MARK_NAME. At most one of the two.
 */
#define SENDCP_SEND_DATA_ZERO	0x200u
#define SENDCP_SEND_DATA_SKIP	0x400u

#define SENDCP_PROTOCOL_MIN 1
#define SENDCP_PROTOCOL_MAX 2

struct sendcp_request {
	u32 protocol;
	u32 flags;
	/* Root ids. Parent 0: full send. Clone sources beside the subvolume itself; may be NULL. */
	u64 subvolume;
	u64 parent;
	const u64 *clone_sources;
	u32 clone_count;
};

/*
 * No command is larger than this, so a buffer of this size always makes progress. Protocol 1: 64
 * KiB; protocol 2: 144 KiB.
 */
size_t sendcp_buffer_min(u32 protocol);

/* Fill flags. */
/* Return after each command. */
#define SENDCP_FILL_ONE_COMMAND	0x1u
/* A WRITE that does not fit is split in two; the stream then depends on the buffer's size. */
#define SENDCP_FILL_SPLIT_WRITES	0x2u
/*
 * Revalidate after this fill, however long ago that was done last. For a fill whose checkpoint
 * becomes durable.
 */
#define SENDCP_FILL_REVALIDATE	0x4u

struct sendcp_fill {
	/* In: where commands go, and its size in bytes. */
	void *buffer;
	size_t size;
	u32 flags;
	/* Out: bytes made. They are whole commands. */
	size_t filled;
	/* Out: the stream is complete. */
	bool end;
};

/*
 * Prepares to send @request's subvolume from the beginning. @request is copied. The volume must
 * outlive the engine; a mounted one is refreshed first, so that what was committed since it was
 * opened is found. Errors: -ENOENT no such subvolume, -EPERM writable, -EPROTO, -EINVAL flags,
 * -EUCLEAN, -EIO, -ENOMEM, -EINTR; then *@out is NULL and @error, if not NULL, is filled.
 */
int sendcp_engine_open(struct sendcp_volume *volume, const struct sendcp_request *request,
		       struct sendcp_engine **out, struct sendcp_error *error);
/* NULL is allowed. */
void sendcp_engine_close(struct sendcp_engine *engine);

/*
 * Puts as many whole commands as fit into fill->buffer. Returns 0 when something was made or the
 * stream ended; what was made before a failure is returned with 0 and the failure comes with the
 * next call. -EINTR: interrupted before anything was made. -ENOBUFS: not even one command fits.
 * After any other failure the engine stays at the last command made: the checkpoint taken then is
 * good, and the call may be repeated.
 *
 * On a mounted filesystem, subvolume, parent and clone sources must be what they were when the
 * engine was opened: present, read-only, the same UUID and transaction ids. The engine revalidates
 * them after a fill, at most once a second, and always before it says that the stream ended; what
 * the host can tell without reading devices (sendcp_host_ops.look) it asks after every fill. If
 * that fails nothing of this fill is delivered: ->filled is 0, and -ESTALE with reason
 * SUBVOLUME_GONE, SUBVOLUME_CHANGED or SUBVOLUME_REPLACED: error.root is the subvolume, and all
 * that was filled since it was revalidated last is void; any other errno: it is not known. The
 * engine has then passed what was not delivered: every further call fails in the same way,
 * sendcp_engine_checkpoint() too, until sendcp_engine_rearm().
 */
int sendcp_engine_fill(struct sendcp_engine *engine, struct sendcp_fill *fill);

/*
 * Decides the next command without delivering it: a checkpoint taken then settles it, also where it
 * depends on other subvolumes. *@length is how many bytes it has, 0 with *@end when the stream is
 * complete. If damaged contents are replaced, what sendcp_engine_fill() makes of it may be shorter,
 * or longer than few bytes: contents are not read here. Revalidates, and fails, as
 * sendcp_engine_fill() does.
 */
int sendcp_engine_settle_command(struct sendcp_engine *engine, u32 *length, bool *end);

/*
 * Passes over the next command as if it had been delivered, without reading file contents. All of
 * it but these goes to @head, *@known bytes; of a command with contents the checksum is 0. *@length
 * is how long the whole command is, 0 if there was none left; *@end: none follows. -ENOBUFS: @head
 * has fewer than sendcp_buffer_min() bytes; other failures as with sendcp_engine_fill().
 */
int sendcp_engine_skip_command(struct sendcp_engine *engine, void *head, size_t size, u32 *known,
			       u32 *length, bool *end);

/*
 * Revalidates now, whatever was done when: to be called before anything is made durable that relies
 * on what sendcp_engine_skip_command() gave since (a fill has SENDCP_FILL_REVALIDATE for that). 0
 * on a filesystem that is not mounted. Failures as with sendcp_engine_fill().
 */
int sendcp_engine_revalidate(struct sendcp_engine *engine);

/* Has the engine passed bytes that were not delivered, so that only sendcp_engine_rearm() helps? */
bool sendcp_engine_is_void(const struct sendcp_engine *engine);

/*
 * Like sendcp_engine_fill(), but reads no file data and stores nothing: adds up how long the
 * commands are, at most about @limit bytes of them, into *@size. *@end as above.
 */
int sendcp_engine_measure(struct sendcp_engine *engine, u64 limit, u64 *size, bool *end);

/*
 * Serialises where the engine is: a new blob in *@blob, *@size bytes, at most
 * SENDCP_CHECKPOINT_SIZE_MAX. It is the caller's, to be given back with sendcp_free(), in userspace
 * also with free(). Changes nothing in the engine and reads nothing. -ENOMEM, -E2BIG with reason
 * CHECKPOINT_SIZE, or what made the engine void; *@blob is NULL then.
 */
int sendcp_engine_checkpoint(struct sendcp_engine *engine, void **blob, size_t *size);

/*
 * Makes the engine continue from a checkpoint instead of from the beginning. The engine must have
 * been opened with the same request. -EILSEQ: not a checkpoint, damaged, or of another version;
 * -ESTALE: of another subvolume, of other options, or the subvolume was changed; -ENOMEM, -EINTR,
 * or what reading the trees gives. After a failure the engine is where it was.
 */
int sendcp_engine_rearm(struct sendcp_engine *engine, const void *blob, size_t size);

/* Bytes of stream that come before the engine's position. */
u64 sendcp_engine_offset(const struct sendcp_engine *engine);

/* Why the last call that failed did; reason SENDCP_ERR_NONE before. Owned by the engine. */
const struct sendcp_error *sendcp_engine_error(const struct sendcp_engine *engine);

#endif
