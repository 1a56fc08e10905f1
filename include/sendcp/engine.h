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

struct scp_engine;

/* Request flags; the first three mean what the kernel's BTRFS_SEND_FLAG_* of that name do. */
#define SCP_SEND_NO_FILE_DATA	0x1u
#define SCP_SEND_OMIT_HEADER	0x2u
#define SCP_SEND_OMIT_END	0x4u
/* Compressed extents as they are on the disk (ENCODED_WRITE); needs protocol 2. */
#define SCP_SEND_COMPRESSED	0x10u
/* A writable subvolume may be sent: for images, to which nothing can write meanwhile. */
#define SCP_SEND_WRITABLE_OK	0x100u

#define SCP_PROTOCOL_MIN 1
#define SCP_PROTOCOL_MAX 2

struct scp_request {
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
size_t scp_buffer_min(u32 protocol);

/* Fill flags. */
/* Return after each command. */
#define SCP_FILL_ONE_COMMAND	0x1u
/* A WRITE that does not fit is split in two; the stream then depends on the buffer's size. */
#define SCP_FILL_SPLIT_WRITES	0x2u
/*
 * Revalidate after this fill, however long ago that was done last. For a fill whose checkpoint
 * becomes durable.
 */
#define SCP_FILL_REVALIDATE	0x4u

struct scp_fill {
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
 * -EUCLEAN, -EIO, -ENOMEM.
 */
int scp_engine_open(struct scp_volume *volume, const struct scp_request *request,
		    struct scp_engine **out, struct scp_error *error);
void scp_engine_close(struct scp_engine *engine);

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
 * the host can tell without reading devices (scp_host_ops.look) it asks after every fill. If that
 * fails nothing of this fill is delivered: ->filled is 0, and -ESTALE with reason SUBVOLUME_GONE,
 * SUBVOLUME_CHANGED or SUBVOLUME_REPLACED: error.root is the subvolume, and all that was filled
 * since it was revalidated last is void; any other errno: it is not known. The engine has then
 * passed what was not delivered: every further call fails in the same way, scp_engine_checkpoint()
 * too, until scp_engine_rearm().
 */
int scp_engine_fill(struct scp_engine *engine, struct scp_fill *fill);

/*
 * Decides the next command without delivering it: a checkpoint taken then settles it, also where it
 * depends on other subvolumes. *@length is how many bytes it has, 0 with *@end when the stream is
 * complete. Revalidates, and fails, as scp_engine_fill() does.
 */
int scp_engine_settle_command(struct scp_engine *engine, u32 *length, bool *end);

/*
 * Passes over the next command as if it had been delivered, without reading file contents. All of
 * it but these goes to @head, *@known bytes; of a command with contents the checksum is 0. *@length
 * is how long the whole command is, 0 if there was none left; *@end: none follows. -ENOBUFS: @head
 * has fewer than scp_buffer_min() bytes; other failures as with scp_engine_fill().
 */
int scp_engine_skip_command(struct scp_engine *engine, void *head, size_t size, u32 *known,
			    u32 *length, bool *end);

/*
 * Revalidates now, whatever was done when: to be called before anything is made durable that relies
 * on what scp_engine_skip_command() gave since (a fill has SCP_FILL_REVALIDATE for that). 0 on a
 * filesystem that is not mounted. Failures as with scp_engine_fill().
 */
int scp_engine_revalidate(struct scp_engine *engine);

/* Has the engine passed bytes that were not delivered, so that only scp_engine_rearm() helps? */
bool scp_engine_is_void(const struct scp_engine *engine);

/*
 * Like scp_engine_fill(), but reads no file data and stores nothing: adds up how long the commands
 * are, at most about @limit bytes of them, into *@size. *@end as above.
 */
int scp_engine_measure(struct scp_engine *engine, u64 limit, u64 *size, bool *end);

/*
 * Serialises where the engine is: a new blob in *@blob, *@size bytes, at most SCP_CHECKPOINT_MAX.
 * It is the caller's, to be given back with scp_free(), in userspace also with free(). Changes
 * nothing in the engine. -ENOMEM, -E2BIG with reason CHECKPOINT_SIZE, or what reading the trees
 * gives; *@blob is NULL then.
 */
int scp_engine_checkpoint(struct scp_engine *engine, void **blob, size_t *size);

/*
 * Makes the engine continue from a checkpoint instead of from the beginning. The engine must have
 * been opened with the same request. -EILSEQ: not a checkpoint, damaged, or of another version;
 * -ESTALE: of another subvolume, of other options, or the subvolume was changed.
 * After a failure the engine is where it was.
 */
int scp_engine_rearm(struct scp_engine *engine, const void *blob, size_t size);

/* Bytes of stream that come before the engine's position. */
u64 scp_engine_offset(const struct scp_engine *engine);

/* Why the last call of this engine failed. Owned by the engine. */
const struct scp_error *scp_engine_error(const struct scp_engine *engine);

#endif
