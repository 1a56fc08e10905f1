/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A filesystem's devices: superblocks, chunk map, and reading by logical address from any mirror.
 *
 * Layer: above format/, below tree/. Nothing here reads a tree: fs/ fills what comes from one.
 */
#ifndef SENDCP_VOLUME_VOLUME_H
#define SENDCP_VOLUME_VOLUME_H

#include <sendcp/error.h>
#include <sendcp/host.h>
#include <sendcp/ondisk.h>
#include <sendcp/volume.h>

/* Most stripes of a chunk: more than any device list the kernel can make has. */
#define SENDCP_MAX_STRIPES 1024u
#define SENDCP_MAX_FSIDS 16u

struct sendcp_chunk_stripe {
	u64 devid;
	u64 offset;
	u8 dev_uuid[SENDCP_UUID_SIZE];
	/* Index of the host's device, or SENDCP_NO_DEVICE. */
	u32 device;
};

#define SENDCP_NO_DEVICE (~0u)

/* One CHUNK_ITEM, validated. */
struct sendcp_chunk {
	u64 start;
	u64 length;
	u64 type;
	u16 num_stripes;
	u16 sub_stripes;
	struct sendcp_chunk_stripe *stripes;
};

/* Sorted by start, not overlapping. */
struct sendcp_chunk_map {
	struct sendcp_chunk *chunks;
	u32 count;
	u32 capacity;
};

struct sendcp_device {
	u64 devid;
	u8 uuid[SENDCP_UUID_SIZE];
	/*
	 * The fsid that its superblock gives for tree blocks: a seed has another one than the
	 * volume.
	 */
	u8 fsid[SENDCP_UUID_SIZE];
	/* Generation of its newest valid superblock. */
	u64 generation;
	bool present;
	/* It missed commits: its mirrors are the last to be tried. */
	bool stale;
};

/* The root block of a tree. */
struct sendcp_root_pointer {
	u64 bytenr;
	u64 generation;
	u8 level;
};

/* Do they point to the same block? */
static inline bool sendcp_root_is(const struct sendcp_root_pointer *a,
				  const struct sendcp_root_pointer *b)
{
	return a->bytenr == b->bytenr && a->generation == b->generation;
}

struct sendcp_node_cache;

struct sendcp_volume {
	const struct sendcp_host *host;
	/* The last failure; layers above read it here. */
	struct sendcp_error error;
	/* The newest superblock. */
	u64 generation;
	/* The log tree, with the data synced since the last commit; 0: there is none. */
	u64 log_root;
	u64 chunk_root_generation;
	u64 incompat;
	u32 nodesize;
	u32 sectorsize;
	u16 csum_type;
	u8 csum_size;
	u8 fsid[SENDCP_UUID_SIZE];
	/* Fsids that tree blocks may have: own (or metadata_uuid), then seeds'. */
	u8 node_fsids[SENDCP_MAX_FSIDS][SENDCP_UUID_SIZE];
	u32 node_fsid_count;
	struct sendcp_root_pointer root_tree;
	struct sendcp_root_pointer chunk_tree;
	struct sendcp_device *devices;
	/* A device of ours has no superblock of this filesystem any more. */
	bool devices_changed;
	/* Bytes already read are being secured: the host is not asked whether to stop. */
	bool securing;
	struct sendcp_chunk_map chunks;
	struct sendcp_node_cache *cache;
	struct sendcp_stats stats;
};

/* Where something failed; see struct sendcp_error. 0: does not apply. */
struct sendcp_place {
	u64 bytenr;
	u64 root;
	u64 inode;
	/* Counts if there is an inode; SENDCP_NOWHERE: not at one place in it. */
	u64 offset;
};

/* Fills volume->error and returns the negative errno for @reason (or @err if not 0). */
int sendcp_fail(struct sendcp_volume *volume, enum sendcp_reason reason, int err,
		const struct sendcp_place *place);
/* The same without places; @detail may be NULL. */
int sendcp_fail_detail(struct sendcp_volume *volume, enum sendcp_reason reason, const char *detail);

/*
 * Does failure @err end a call at once? No other mirror and no newer commit helps against having
 * been interrupted or having no memory.
 */
static inline bool sendcp_is_final(int err)
{
	return err == -EINTR || err == -ENOMEM;
}

/*
 * Number of mirrors of the bytes at @logical: plain ones, then those that are reconstructed from
 * parity. Or a negative errno (-EUCLEAN: unmapped).
 */
int sendcp_volume_mirrors(struct sendcp_volume *volume, u64 logical);

/*
 * Bytes from @logical, at most @length, that are contiguous in one stripe of one chunk, so that
 * one sendcp_volume_read_mirror() can serve them. 0 if unmapped.
 */
u32 sendcp_volume_contiguous(struct sendcp_volume *volume, u64 logical, u32 length);

/*
 * Does each device that was there when the volume was opened still give its superblock? 0; or why
 * it does not, -EINTR, -ENOMEM.
 */
int sendcp_volume_answers(struct sendcp_volume *volume);

/*
 * Reads @length bytes at @logical from mirror @mirror_num (from 0) into @buffer
 * (sendcp_alloc_aligned). The range may cross stripes, not the chunk's end. -ENODEV: that mirror's
 * device is missing; -EIO and others: as the device said; -EUCLEAN: unmapped. Does not verify
 * anything.
 */
int sendcp_volume_read_mirror(struct sendcp_volume *volume, u64 logical, u32 length, int mirror_num,
			      void *buffer);

/* True if @fsid may be in a tree block of this volume. */
bool sendcp_volume_owns_fsid(const struct sendcp_volume *volume, const u8 *fsid);

#endif
