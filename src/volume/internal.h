/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Shared by the files of volume/, and with tree/ and fs/, which read through them.
 */
#ifndef SENDCP_VOLUME_INTERNAL_H
#define SENDCP_VOLUME_INTERNAL_H

#include "volume/volume.h"

/* fail.c: like sendcp_fail(), placed at a device of the host's list. */
int sendcp_fail_device(struct sendcp_volume *volume, enum sendcp_reason reason, int err, u64 device,
		       u64 bytenr);
/* Reports volume->error, which was survived, to the host as a warning. */
void sendcp_volume_warn(struct sendcp_volume *volume);

/* superblock.c */
extern const u64 sendcp_super_offsets[SENDCP_SUPER_COPIES];
/* Digest size of checksum @type; 0: no such type. */
u8 sendcp_csum_size(u16 type);
/* SENDCP_ERR_NONE if @super may be believed. @bytenr is what its own offset field must say. */
enum sendcp_reason sendcp_super_check(const struct sendcp_disk_super *super, u64 bytenr);
/* Copies @device's newest valid superblock to @out. Fails with the device as place. */
int sendcp_super_read(struct sendcp_volume *volume, u32 device, struct sendcp_disk_super *out);

/* The fsid in tree blocks and DEV_ITEMs. */
const u8 *sendcp_super_metadata_uuid(const struct sendcp_disk_super *super);

/* The superblocks of all devices. */
struct sendcp_super_set {
	/* One per device of the host, in aligned memory. */
	struct sendcp_disk_super *supers;
	size_t size;
	/* valid[i]: supers[i] was read; if not, why[i] says why. */
	bool *valid;
	struct sendcp_error *why;
	/* Device with the newest superblock of the filesystem itself (not a seed's). */
	u32 best;
};

int sendcp_super_set_read(struct sendcp_volume *volume, struct sendcp_super_set *set);
/*
 * The same for the devices of an open volume, by as few reads as can be: the first copy of each,
 * all at once, and other copies only where that is bad. That misses no commit: the kernel completes
 * none without having written the first copy of one device at least. Devices that all have no
 * superblock are no failure here.
 */
int sendcp_super_set_reread(struct sendcp_volume *volume, struct sendcp_super_set *set);
void sendcp_super_set_release(struct sendcp_super_set *set);

/* zoned.c */
/*
 * Looks for the newest superblock in the log zones a zoned device has instead of fixed copies.
 * *@found and @best come in with what the fixed places gave and go out with the newest of all. Only
 * -EINTR and -ENOMEM are failures.
 */
int sendcp_super_read_log(struct sendcp_volume *volume, u32 device, struct sendcp_disk_super *best,
			  bool *found);

/* features.c */
/* -EOPNOTSUPP if reading @super's filesystem needs something that is not known here. */
int sendcp_super_readable(struct sendcp_volume *volume, const struct sendcp_disk_super *super);

/* devices.c */
/* Decides which filesystem the devices make and fills volume->devices. */
int sendcp_devices_group(struct sendcp_volume *volume, struct sendcp_super_set *set);
/* Adds to what tree blocks may carry as fsid, the own one first. -EUCLEAN if they are too many. */
int sendcp_fsid_allow(struct sendcp_volume *volume, const u8 *fsid);
/*
 * On a mounted filesystem: sets set->best to the newest superblock of the same filesystem, ignoring
 * all others, and ->devices_changed. If there is none any more, DEVICES_CHANGED, or why the devices
 * cannot be read.
 */
int sendcp_devices_newest(struct sendcp_volume *volume, struct sendcp_super_set *set);
/* Takes over the generations of what sendcp_devices_newest() accepted. */
void sendcp_devices_update(struct sendcp_volume *volume, const struct sendcp_super_set *set);
/* Index of the device, or SENDCP_NO_DEVICE. */
u32 sendcp_device_find(const struct sendcp_volume *volume, u64 devid, const u8 *uuid);

/* chunks.c */
void sendcp_chunk_map_release(struct sendcp_chunk_map *map);
/* Parses CHUNK_ITEM @item of @size bytes at least and adds it to @map. */
int sendcp_chunk_map_add(struct sendcp_volume *volume, struct sendcp_chunk_map *map, u64 start,
			 const void *item, u32 size);
/* Fills @map with the SYSTEM chunks that a superblock carries. */
int sendcp_chunk_map_bootstrap(struct sendcp_volume *volume, const struct sendcp_disk_super *super,
			       struct sendcp_chunk_map *map);
const struct sendcp_chunk *sendcp_chunk_find(const struct sendcp_volume *volume, u64 logical);

/* stripes.c */
/* The place of an address in its chunk. */
struct sendcp_location {
	/* Byte offset in a stripe's extent, the same on every device of the row. */
	u64 stripe_offset;
	/* Stripe index of the first plain mirror. */
	u32 stripe_index;
	/* RAID5/6: data columns of a row, the address's own one, and the stripe of column 0. */
	u32 data_stripes;
	u32 data_index;
	u32 first_stripe;
};

/* The bytes a mirror is made from; RAID5/6: the columns that are read for it. */
enum sendcp_mirror_kind {
	SENDCP_MIRROR_PLAIN,
	/* From the other data columns and P. */
	SENDCP_MIRROR_P,
	/* From the other data columns and Q. */
	SENDCP_MIRROR_Q,
	/* From P, Q and the data columns without a second one, presumed bad. */
	SENDCP_MIRROR_PQ,
};

struct sendcp_mirror {
	enum sendcp_mirror_kind kind;
	/* PLAIN: stripe index. */
	u32 stripe;
	/* PQ: the second data column left out. */
	u32 omitted;
};

static inline bool sendcp_chunk_is_raid56(const struct sendcp_chunk *chunk)
{
	return chunk->type & (SENDCP_CHUNK_RAID5 | SENDCP_CHUNK_RAID6);
}

void sendcp_chunk_locate(const struct sendcp_chunk *chunk, u64 logical,
			 struct sendcp_location *where);
/* Bytes from @logical, at most @length, that every mirror serves with one read per device. */
u32 sendcp_chunk_contiguous(const struct sendcp_chunk *chunk, u64 logical, u32 length);
/* Number of mirrors, reconstructions included. */
u32 sendcp_chunk_mirrors(const struct sendcp_chunk *chunk);
/* Mirror number @number in the order of the disk format: plain ones first. */
void sendcp_chunk_mirror(const struct sendcp_chunk *chunk, const struct sendcp_location *where,
			 u32 number, struct sendcp_mirror *mirror);
/* RAID5/6: stripe index of @column; P follows the data columns, then Q. */
u32 sendcp_chunk_column_stripe(const struct sendcp_chunk *chunk,
			       const struct sendcp_location *where, u32 column);
/* RAID5/6: is @column read for @mirror? */
bool sendcp_mirror_needs(const struct sendcp_mirror *mirror, const struct sendcp_location *where,
			 u32 column);
/* The @mirror_num-th one when those that need stale or missing devices come last. */
void sendcp_chunk_choose(const struct sendcp_volume *volume, const struct sendcp_chunk *chunk,
			 const struct sendcp_location *where, u32 mirror_num,
			 struct sendcp_mirror *mirror);

/* raid56.c: makes @length bytes (in one row) as @mirror says, which is not plain. */
int sendcp_raid56_rebuild(struct sendcp_volume *volume, const struct sendcp_chunk *chunk,
			  const struct sendcp_location *where, const struct sendcp_mirror *mirror,
			  u32 length, void *buffer);

/* io.c */
/* All reads from devices go through here. 0: results are in @ios; -EINTR and others: nothing is. */
int sendcp_device_read(struct sendcp_volume *volume, struct sendcp_io *ios, unsigned int count);
/* Fills @io for stripe @stripe of @chunk; -ENODEV if its device is not there. */
int sendcp_stripe_io(struct sendcp_volume *volume, const struct sendcp_chunk *chunk, u32 stripe,
		     u64 stripe_offset, u32 length, void *buffer, struct sendcp_io *io);
/* The failure of @io, whose result is not 0. */
int sendcp_fail_io(struct sendcp_volume *volume, const struct sendcp_io *io);
/* @io for the preferred mirror of a whole range, if that is one plain read; else an error. */
int sendcp_volume_plain_io(struct sendcp_volume *volume, u64 logical, u32 length, void *buffer,
			   struct sendcp_io *io);

#endif
