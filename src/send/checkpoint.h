/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The checkpoint's form; docs/checkpoint.md describes it field by field.
 */
#ifndef SENDCP_SEND_CHECKPOINT_H
#define SENDCP_SEND_CHECKPOINT_H

#include <sendcp/checkpoint.h>
#include <sendcp/error.h>
#include <sendcp/ondisk.h>

#define SENDCP_CHECKPOINT_MAGIC "SENDCPCP"
#define SENDCP_CHECKPOINT_MAGIC_BYTES { 'S', 'E', 'N', 'D', 'C', 'P', 'C', 'P' }
#define SENDCP_CHECKPOINT_FORMAT_VERSION 2u

struct sendcp_checkpoint_header {
	u8 magic[8];
	__le32 version;
	/* Of the whole blob. */
	__le32 size;
	/* CRC-32C, seed and final inversion ~0, over the blob with this field zero. */
	__le32 crc;
	__le32 compat_kernel;
	__le32 protocol;
	__le32 flags;
	u8 fsid[SENDCP_UUID_SIZE];
	/* Stream bytes before the position. */
	__le64 offset;
	__le32 skip;
	/*
	 * Pins that follow: all clone roots by ascending id, the subvolume among them; after them,
	 * not counted here, the parent's if there is one.
	 */
	__le32 root_count;
	__le64 subvolume;
	__le64 parent;
} __packed;

struct sendcp_checkpoint_pin {
	__le64 id;
	u8 uuid[SENDCP_UUID_SIZE];
	__le64 ctransid;
} __packed;

struct sendcp_checkpoint_state {
	u8 phase;
	u8 result;
	u8 kind;
	/* SENDCP_CHECKPOINT_* bits. */
	u8 bits;
	struct sendcp_disk_key key;
	struct sendcp_disk_key left_key;
	struct sendcp_disk_key right_key;
	struct sendcp_disk_key item;
	__le32 entry;
	__le64 send_progress;
	__le64 ino;
	__le64 next_write_offset;
	__le64 last_extent_end;
} __packed;

#define SENDCP_CHECKPOINT_LEFT_END		0x01u
#define SENDCP_CHECKPOINT_RIGHT_END	0x02u
#define SENDCP_CHECKPOINT_AT_END		0x04u
#define SENDCP_CHECKPOINT_NEW_GEN	0x08u
#define SENDCP_CHECKPOINT_TRUNCATE		0x10u

struct sendcp_checkpoint_range {
	u8 kind;
	u8 then;
	u8 cloning;
	u8 clone_started;
	__le64 offset;
	__le64 end;
	__le64 write_end;
	__le64 clone_root;
	__le64 clone_ino;
	__le64 clone_offset;
	__le64 extent_offset;
	__le64 clone_next;
} __packed;

/* A delayed move; the directories it touches follow, each inode and generation. */
struct sendcp_checkpoint_move {
	__le64 ino;
	__le64 generation;
	__le64 blocked_on;
	__le64 removes_ino;
	__le64 removes_generation;
	/* SENDCP_CHECKPOINT_ORPHANIZED, _QUEUED. */
	u8 bits;
	__le32 touched_count;
} __packed;

#define SENDCP_CHECKPOINT_ORPHANIZED	0x01u
#define SENDCP_CHECKPOINT_QUEUED		0x02u

struct sendcp_checkpoint_payload {
	u8 kind;
	__le32 length;
	__le64 offset;
} __packed;

/* Verifies magic, version, size and checksum. Returns 0 or the reason's negative errno. */
int sendcp_checkpoint_verify(const u8 *blob, size_t size, enum sendcp_reason *reason);
/* Computes the checksum. */
void sendcp_checkpoint_sign(u8 *blob, size_t size);

#endif
