/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Why a call of the engine failed: a negative errno plus a named reason and the place.
 *
 * An errno alone cannot tell an administrator which check failed on which block; this record can.
 * It is filled where the failure is found and carried unchanged to the engine's caller.
 */
#ifndef SENDCP_ERROR_H
#define SENDCP_ERROR_H

#include <sendcp/platform.h>

/* R(name, errno, text): the text completes "sendcp: WHERE: ..." and stays on one line. */
#define SENDCP_REASONS(R) \
	R(NONE, 0, "no error") \
	R(NO_MEMORY, ENOMEM, "out of memory") \
	R(INTERRUPTED, EINTR, "interrupted") \
	R(NOT_BTRFS, EINVAL, "not a btrfs filesystem (no superblock magic)") \
	R(SUPER_CSUM, EUCLEAN, "superblock checksum does not match") \
	R(SUPER_FIELDS, EUCLEAN, "superblock has impossible values") \
	R(SUPER_NONE, EUCLEAN, "no valid superblock copy") \
	R(SUPER_BUSY, EOPNOTSUPP, "an fsid change, conversion or metadata dump is in progress") \
	R(CSUM_TYPE, EOPNOTSUPP, "unknown or unavailable checksum algorithm") \
	R(FEATURE, EOPNOTSUPP, "incompatible feature that sendcp cannot read") \
	R(DEVICE_FOREIGN, EINVAL, "device belongs to another filesystem") \
	R(DEVICE_TWICE, EINVAL, "the same device was given twice") \
	R(DEVICE_MISSING, ENODEV, "device is missing and its data has no other copy") \
	R(DEVICE_READ, EIO, "read error and no other copy") \
	R(DEVICES_CHANGED, ENODEV, "a device was removed or replaced while it was read") \
	R(CHUNK_FORMAT, EUCLEAN, "chunk map is corrupt") \
	R(CHUNK_UNMAPPED, EUCLEAN, "no chunk maps this address") \
	R(NODE_CSUM, EUCLEAN, "tree block checksum does not match and no copy is good") \
	R(NODE_FSID, EUCLEAN, "tree block belongs to another filesystem") \
	R(NODE_BYTENR, EUCLEAN, "tree block carries another address") \
	R(NODE_GENERATION, EUCLEAN, "tree block has another generation than its pointer") \
	R(NODE_LEVEL, EUCLEAN, "tree block has the wrong level") \
	R(NODE_FIRST_KEY, EUCLEAN, "tree block does not begin with its parent's key") \
	R(NODE_ITEMS, EUCLEAN, "tree block items are out of bounds or out of order") \
	R(ITEM_FORMAT, EUCLEAN, "tree item is malformed") \
	R(ITEM_MISSING, EUCLEAN, "tree item is missing") \
	R(TREE_MISSING, ENOENT, "tree does not exist") \
	R(DATA_CSUM, EIO, "data checksum does not match and no copy is good") \
	R(DATA_READ, EIO, "file data cannot be read") \
	R(DATA_DECOMPRESS, EIO, "compressed data is corrupt") \
	R(MOVED_TOO_OFTEN, EAGAIN, "blocks keep moving under the reader (balance running?)") \
	R(SUBVOLUME_MISSING, ENOENT, "subvolume does not exist") \
	R(SUBVOLUME_NAMELESS, ENOENT, "subvolume has no name (top-level or deleted)") \
	R(SUBVOLUME_WRITABLE, EPERM, "subvolume is not read-only") \
	R(SUBVOLUME_CHANGED, ESTALE, "subvolume was changed") \
	R(SUBVOLUME_REPLACED, ESTALE, "subvolume was replaced by another") \
	R(SUBVOLUME_GONE, ESTALE, "subvolume was deleted") \
	R(REVALIDATE, EIO, "cannot find out whether the subvolume was changed") \
	R(FILESYSTEM_OTHER, ESTALE, "another filesystem than the checkpoint's") \
	R(FILESYSTEM_CHANGED, ESTALE, "filesystem was changed while it was read as an image: " \
	  "unmount it, or send from where it is mounted") \
	R(PROTOCOL, EPROTO, "protocol is not supported") \
	R(FLAGS, EINVAL, "flags contradict each other or the protocol") \
	R(PATH_LENGTH, ENAMETOOLONG, "path is longer than 4095 bytes") \
	R(COMMAND_SIZE, EOVERFLOW, "command is larger than the protocol allows") \
	R(BUFFER_SIZE, ENOBUFS, "buffer is smaller than the next command") \
	R(INODE_TYPE, EOPNOTSUPP, "inode has an unknown type") \
	R(SYMLINK_FORMAT, EUCLEAN, "symlink target is malformed") \
	R(XATTR_SIZE, E2BIG, "extended attribute is too large") \
	R(INCONSISTENT, EIO, "subvolume is inconsistent") \
	R(CHECKPOINT_FORMAT, EILSEQ, "checkpoint is malformed") \
	R(CHECKPOINT_VERSION, EILSEQ, "checkpoint was made by another version of sendcp") \
	R(CHECKPOINT_REQUEST, ESTALE, "checkpoint was made with other options") \
	R(CHECKPOINT_POSITION, ESTALE, "checkpoint's position is not in this subvolume") \
	R(CHECKPOINT_SIZE, E2BIG, "checkpoint would be larger than 64 MiB") \
	R(MODULE, EIO, "the kernel module failed")

enum sendcp_reason {
#define SENDCP_REASON_ENUM(name, err, text) SENDCP_ERR_##name,
	SENDCP_REASONS(SENDCP_REASON_ENUM)
#undef SENDCP_REASON_ENUM
	SENDCP_REASON_COUNT
};

/* All ones in a place below: "does not apply". */
#define SENDCP_NOWHERE (~0ULL)

struct sendcp_error {
	enum sendcp_reason reason;
	/* Negative errno; usually the reason's own, a read error keeps the device's. */
	int err;
	/* Logical address of the tree block or extent. */
	u64 bytenr;
	/* Objectid of the tree (subvolume id for file trees). */
	u64 root;
	/* Inode number and byte offset in that file. */
	u64 inode;
	u64 offset;
	/* Index of the device in the host's list. */
	u64 device;
	/* More about it: a feature's name, a path. Empty if nothing. NUL-terminated. */
	char detail[120];
};

/* The reason's own negative errno (0 for SENDCP_ERR_NONE). */
int sendcp_reason_errno(enum sendcp_reason reason);

/* The reason's text, static storage. Never NULL. */
const char *sendcp_reason_text(enum sendcp_reason reason);

/* Empties @error: reason SENDCP_ERR_NONE, all places SENDCP_NOWHERE. */
void sendcp_error_clear(struct sendcp_error *error);

/*
 * Writes one line without newline, "tree 257 block 30539776: TEXT (detail)", into @buffer of @size
 * bytes, always NUL-terminated, cut if it does not fit. Returns its argument @buffer.
 */
char *sendcp_error_format(const struct sendcp_error *error, char *buffer, size_t size);

/*
 * The same for a failure that was survived, as sendcp_host_ops.warn gets it. If another copy of a
 * block or sector was read, the line says that in place of words that say the opposite.
 */
char *sendcp_warning_format(const struct sendcp_error *what, char *buffer, size_t size);

#endif
