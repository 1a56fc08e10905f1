/* SPDX-License-Identifier: GPL-2.0-or-later WITH Linux-syscall-note */
/*
 * /dev/sendcp: a btrfs send that can stop anywhere and be resumed from there.
 *
 * A call hands in a checkpoint (none: begin) and gets stream bytes and the checkpoint after them.
 * Nothing else ties two calls together: another process may resume, after a reboot, on another
 * kernel, and from a checkpoint that the command line made without this module.
 *
 * All fields have fixed widths and the same places for 32-bit callers; numbers are in the caller's
 * byte order, user addresses are stored as __u64. The stream and the checkpoint are little-endian
 * byte strings.
 */
#ifndef _UAPI_SENDCP_H
#define _UAPI_SENDCP_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define SENDCP_DEVICE "/dev/sendcp"

/* Raised when a field's meaning changes; new fields and flags come without that. */
#define SENDCP_ABI_VERSION 1

/* Kinds of stream; the first three and COMPRESSED as BTRFS_SEND_FLAG_* of that name. */
#define SENDCP_NO_FILE_DATA	0x00000001u
#define SENDCP_OMIT_HEADER	0x00000002u
#define SENDCP_OMIT_END		0x00000004u
/* Compressed extents as they are on the disk (ENCODED_WRITE); needs protocol 2. */
#define SENDCP_COMPRESSED	0x00000010u
/*
 * Contents that cannot be read, since no mirror has the right ones, are replaced by zeros, or by
 * nothing, and marked: an UPDATE_EXTENT with the attributes XATTR_NAME "sendcp.data_error" and
 * XATTR_DATA "zero" or "skip". At most one of the two; part of a checkpoint.
 */
#define SENDCP_DATA_ZERO	0x00000200u
#define SENDCP_DATA_SKIP	0x00000400u

/* How it is cut into calls; not part of a checkpoint, may differ from call to call. */
/* Return after each command. */
#define SENDCP_ONE_COMMAND	0x00010000u
/*
 * A WRITE that does not fit is broken in two. The stream then depends on the buffers' sizes, but
 * what a receiver makes of it does not. SENDCP_IOC_SEND only.
 */
#define SENDCP_SPLIT_WRITES	0x00020000u
/*
 * Revalidate the subvolumes before this call returns, however long ago that was done last: for a
 * call whose checkpoint is going to be kept for good.
 */
#define SENDCP_REVALIDATE	0x00040000u

#define SENDCP_FLAGS_ALL	(SENDCP_NO_FILE_DATA | SENDCP_OMIT_HEADER | SENDCP_OMIT_END | \
				 SENDCP_COMPRESSED | SENDCP_DATA_ZERO | SENDCP_DATA_SKIP | \
				 SENDCP_ONE_COMMAND | SENDCP_SPLIT_WRITES | SENDCP_REVALIDATE)

/* Limits; more is E2BIG, except for the buffer: of a larger one only the beginning is used. */
#define SENDCP_DEVICES_MAX	1024u
#define SENDCP_CLONES_MAX	65536u
#define SENDCP_CHECKPOINT_MAX	(64u << 20)
#define SENDCP_BUFFER_MAX	(16u << 20)

/*
 * Why a call failed, for people. Written only when the call returns -1, and only if the failure is
 * the stream's and not the call's (EFAULT, a bad fd): reason is empty otherwise.
 */
struct sendcp_failure {
	/* In: sizeof(struct sendcp_failure) as the caller knows it. Out: how much was filled. */
	__u32 size;
	/* The call's errno, positive. */
	__u32 err;
	/* Places; all ones: does not apply. Logical address of a tree block or extent. */
	__u64 bytenr;
	/* Tree id, inode, byte offset in that file. */
	__u64 root;
	__u64 inode;
	__u64 offset;
	/* Index in device_fds. */
	__u64 device;
	/* Name of the reason ("NODE_CSUM"), without the SENDCP_ prefix of sendcp/error.h. */
	char reason[32];
	/* More about it, a path for example. Both end in NUL. */
	char detail[120];
};

#define SENDCP_FAILURE_SIZE_V1 200u

/* The argument of SENDCP_IOC_SEND and SENDCP_IOC_STREAM. */
struct sendcp_send {
	/*
	 * In: sizeof(struct sendcp_send) as the caller knows it. A smaller one than the module's
	 * means zeros after it, a larger one must end in zeros (E2BIG).
	 */
	__u32 size;
	/* In: SENDCP_* flags. Unknown ones: EINVAL. */
	__u32 flags;
	/* In: 1 or 2. Others: EPROTO. */
	__u32 protocol;
	/*
	 * In: the subvolume's root directory, opened for reading. Read-only subvolumes only
	 * (EPERM). EBADF: not an open file; EINVAL: not a subvolume's root, or not on btrfs.
	 */
	__s32 subvolume_fd;
	/* In: the parent's, -1 for a full send. Other filesystem: EXDEV. */
	__s32 parent_fd;
	/*
	 * In: where STREAM writes, opened for writing (EBADF). EINVAL: takes nothing from the
	 * kernel itself, as /dev/null, or only messages shorter than a command. SEND: -1.
	 */
	__s32 output_fd;
	/*
	 * In: user address of device_count fds (__s32): every device of the filesystem, each
	 * opened for reading; missing ones may be left out. ENOTBLK: not a block device; EXDEV:
	 * another filesystem's; EINVAL: none, or one of them twice.
	 */
	__u32 device_count;
	/* In: user address of clone_count fds: clone sources, as with btrfs send -c. */
	__u32 clone_count;
	__u64 device_fds;
	__u64 clone_fds;
	/*
	 * In: SEND: where the stream goes, anonymous private memory (others: EFAULT), any
	 * alignment, no smaller than SENDCP_IOC_INFO says (ENOBUFS when a command does not fit).
	 * STREAM: both 0.
	 */
	__u64 buffer;
	__u64 buffer_size;
	/*
	 * In: the checkpoint to resume from; 0 and 0: begin. EILSEQ: damaged or of another version;
	 * ESTALE: of another subvolume or other options, or the subvolume was changed.
	 */
	__u64 checkpoint;
	__u64 checkpoint_size;
	/*
	 * In: bytes after the checkpoint that are out already, new_skip of the call before. STREAM
	 * only; no more than the next command's length (EINVAL).
	 */
	__u64 skip;
	/* In: capacity for the new checkpoint. EMSGSIZE: too small, see new_checkpoint_size. */
	__u64 new_checkpoint;
	__u64 new_checkpoint_capacity;
	/* In: user address of a struct sendcp_failure, or 0. */
	__u64 error;

	/* Out: how long the new checkpoint is; with EMSGSIZE: how long it would have been. */
	__u64 new_checkpoint_size;
	/* Out: bytes put into the buffer or written to output_fd. */
	__u64 filled;
	/* Out: stream bytes before the new checkpoint (without new_skip). */
	__u64 offset;
	/*
	 * Out: STREAM: how many bytes after the new checkpoint were written, if the call did not
	 * stop right at it. Else 0.
	 */
	__u64 new_skip;
	/* Out: SENDCP_RESULT_*. */
	__u32 result;
	/* 0. */
	__u32 reserved;
};

/* The size of the first version of it; smaller ones are EINVAL. */
#define SENDCP_SEND_SIZE_V1 152u

/* The stream is complete. */
#define SENDCP_RESULT_END	0x1u

struct sendcp_info {
	/*
	 * In: sizeof(struct sendcp_info) as the caller knows it. Out: how much of it the module
	 * filled; the rest becomes zero.
	 */
	__u32 size;
	__u32 abi_version;
	__u32 protocol_min;
	__u32 protocol_max;
	/* Flags known: SENDCP_FLAGS_ALL of the module. */
	__u32 flags;
	/* Smallest buffers that always make progress, for protocol 1 and 2. */
	__u32 buffer_min[2];
	/* The kernel release whose stream is made (618: 6.18), as checkpoints have it. */
	__u32 compat_kernel;
	/* The module's version, NUL-terminated. */
	char version[32];
};

#define SENDCP_INFO_SIZE_V1 64u

/*
 * SEND and STREAM need CAP_SYS_ADMIN in the initial user namespace (EPERM), as BTRFS_IOC_SEND does.
 * One call at a time per open file; a second one waits. The caller has committed
 * the filesystem (BTRFS_IOC_SYNC) since the subvolumes were made, and keeps them from being deleted
 * or made writable. If subvolume, parent or a clone source was all the same, that is ESTALE: it is
 * found within a second or so, with SENDCP_REVALIDATE before the call returns, and in any case
 * before the end of the stream is delivered, for which the filesystem is committed once. All that
 * was made since they were revalidated last is void then. ENODEV with reason DEVICES_CHANGED:
 * devices were removed or replaced; ask the filesystem for them again and repeat the call.
 *
 * They return 0 when anything was made or the stream is complete: a signal or a failure in
 * mid-call gives a short fill, and a failure comes again with the next call; a STREAM all of whose
 * first command was out already may have nothing to write and just move its checkpoint. Otherwise
 * -1 and errno; EINTR: a signal before anything was made. Nothing is ever made twice. A SEND that
 * fails has filled nothing that counts: resume from the old checkpoint. A STREAM that fails has
 * written nothing; only if the memory for the checkpoint was unmapped while it ran, EFAULT, it is
 * not known what is out.
 */

/* Fills the buffer with whole commands. */
#define SENDCP_IOC_SEND		_IO(0xC5, 0x01)
/*
 * Writes to output_fd at its position until the stream is complete, a signal comes or a write
 * fails. May also return early for other reasons: call again until SENDCP_RESULT_END.
 */
#define SENDCP_IOC_STREAM	_IO(0xC5, 0x02)
/* Fills a struct sendcp_info; no capability is needed. */
#define SENDCP_IOC_INFO		_IO(0xC5, 0x03)

#endif
