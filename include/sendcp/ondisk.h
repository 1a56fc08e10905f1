/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The btrfs disk format, as far as a reader of committed subvolumes needs it: numbers and layouts.
 *
 * All integers are little-endian and nothing is aligned. Structures mirror bytes on the disk; a
 * pointer to one is only good after the item's length was checked. The facts are the format's own
 * documentation (btrfs.readthedocs.io, "On-disk format") and were checked against images.
 */
#ifndef SENDCP_ONDISK_H
#define SENDCP_ONDISK_H

#include <sendcp/platform.h>

#define SENDCP_SUPER_SIZE		4096u
#define SENDCP_SUPER_MAGIC		0x4D5F53665248425FULL	/* "_BHRfS_M" */
#define SENDCP_SUPER_COPIES	3
#define SENDCP_SUPER_OFFSET_0	0x10000ULL
#define SENDCP_SUPER_OFFSET_1	0x4000000ULL
#define SENDCP_SUPER_OFFSET_2	0x4000000000ULL

#define SENDCP_CSUM_FIELD		32u
#define SENDCP_UUID_SIZE		16u
#define SENDCP_NAME_MAX		255u
#define SENDCP_STRIPE_LEN		65536u
#define SENDCP_MAX_LEVEL		8
#define SENDCP_NODESIZE_MAX	65536u
#define SENDCP_SECTORSIZE_MIN	4096u

/* Checksum types. */
#define SENDCP_CSUM_CRC32C		0
#define SENDCP_CSUM_XXHASH64	1
#define SENDCP_CSUM_SHA256		2
#define SENDCP_CSUM_BLAKE2B	3

/* Superblock flags. */
#define SENDCP_SUPER_SEEDING	(1ULL << 32)
/* Metadata dumps (33, 34), fsid change (35, 36) and conversions (38 to 40) in progress. */
#define SENDCP_SUPER_REFUSED	((3ULL << 33) | (3ULL << 35) | (7ULL << 38))

/* Incompat feature bits. */
#define SENDCP_INCOMPAT_MIXED_BACKREF	(1ULL << 0)
#define SENDCP_INCOMPAT_DEFAULT_SUBVOL	(1ULL << 1)
#define SENDCP_INCOMPAT_MIXED_GROUPS	(1ULL << 2)
#define SENDCP_INCOMPAT_LZO		(1ULL << 3)
#define SENDCP_INCOMPAT_ZSTD		(1ULL << 4)
#define SENDCP_INCOMPAT_BIG_METADATA	(1ULL << 5)
#define SENDCP_INCOMPAT_EXTENDED_IREF	(1ULL << 6)
#define SENDCP_INCOMPAT_RAID56		(1ULL << 7)
#define SENDCP_INCOMPAT_SKINNY_METADATA	(1ULL << 8)
#define SENDCP_INCOMPAT_NO_HOLES		(1ULL << 9)
#define SENDCP_INCOMPAT_METADATA_UUID	(1ULL << 10)
#define SENDCP_INCOMPAT_RAID1C34		(1ULL << 11)
#define SENDCP_INCOMPAT_ZONED		(1ULL << 12)
#define SENDCP_INCOMPAT_EXTENT_TREE_V2	(1ULL << 13)
#define SENDCP_INCOMPAT_RAID_STRIPE_TREE	(1ULL << 14)
#define SENDCP_INCOMPAT_SIMPLE_QUOTA	(1ULL << 16)
#define SENDCP_INCOMPAT_REMAP_TREE		(1ULL << 17)
#define SENDCP_INCOMPAT_READABLE \
	(SENDCP_INCOMPAT_MIXED_BACKREF | SENDCP_INCOMPAT_DEFAULT_SUBVOL | \
	 SENDCP_INCOMPAT_MIXED_GROUPS | SENDCP_INCOMPAT_LZO | SENDCP_INCOMPAT_ZSTD | \
	 SENDCP_INCOMPAT_BIG_METADATA | SENDCP_INCOMPAT_EXTENDED_IREF | SENDCP_INCOMPAT_RAID56 | \
	 SENDCP_INCOMPAT_SKINNY_METADATA | SENDCP_INCOMPAT_NO_HOLES | \
	 SENDCP_INCOMPAT_METADATA_UUID | SENDCP_INCOMPAT_RAID1C34 | SENDCP_INCOMPAT_ZONED | \
	 SENDCP_INCOMPAT_SIMPLE_QUOTA)

/* Objectids. Negative ones are written as the two's complement they are stored as. */
#define SENDCP_ROOT_TREE_ID	1ULL
#define SENDCP_EXTENT_TREE_ID	2ULL
#define SENDCP_CHUNK_TREE_ID	3ULL
#define SENDCP_FS_TREE_ID		5ULL
#define SENDCP_CSUM_TREE_ID	7ULL
#define SENDCP_UUID_TREE_ID	9ULL
#define SENDCP_DEV_ITEMS_ID	1ULL
#define SENDCP_FIRST_FREE_ID	256ULL
#define SENDCP_LAST_FREE_ID	((u64)-256)
#define SENDCP_ROOT_DIR_ID		256ULL
#define SENDCP_FIRST_CHUNK_ID	256ULL
#define SENDCP_ORPHAN_ID		((u64)-5)
#define SENDCP_DATA_RELOC_TREE_ID	((u64)-9)
#define SENDCP_EXTENT_CSUM_ID	((u64)-10)
#define SENDCP_FREE_SPACE_ID	((u64)-11)
#define SENDCP_FREE_INODE_ID	((u64)-12)

/* Subvolumes are the trees of these ids: the top-level one, and those that were created. */
static inline bool sendcp_is_subvolume_id(u64 id)
{
	return id == SENDCP_FS_TREE_ID || (id >= SENDCP_FIRST_FREE_ID && id <= SENDCP_LAST_FREE_ID);
}

/* Key types. */
#define SENDCP_INODE_ITEM		1
#define SENDCP_INODE_REF		12
#define SENDCP_INODE_EXTREF	13
#define SENDCP_XATTR_ITEM		24
#define SENDCP_VERITY_DESC		36
#define SENDCP_ORPHAN_ITEM		48
#define SENDCP_DIR_ITEM		84
#define SENDCP_DIR_INDEX		96
#define SENDCP_EXTENT_DATA		108
#define SENDCP_EXTENT_CSUM		128
#define SENDCP_ROOT_ITEM		132
#define SENDCP_ROOT_BACKREF	144
#define SENDCP_ROOT_REF		156
#define SENDCP_EXTENT_ITEM		168
#define SENDCP_METADATA_ITEM	169
#define SENDCP_EXTENT_OWNER_REF	172
#define SENDCP_TREE_BLOCK_REF	176
#define SENDCP_EXTENT_DATA_REF	178
#define SENDCP_SHARED_BLOCK_REF	182
#define SENDCP_SHARED_DATA_REF	184
#define SENDCP_DEV_ITEM		216
#define SENDCP_CHUNK_ITEM		228
#define SENDCP_UUID_SUBVOL		251
#define SENDCP_UUID_RECEIVED	252

/* Chunk types. */
#define SENDCP_CHUNK_DATA		(1ULL << 0)
#define SENDCP_CHUNK_SYSTEM	(1ULL << 1)
#define SENDCP_CHUNK_METADATA	(1ULL << 2)
#define SENDCP_CHUNK_RAID0		(1ULL << 3)
#define SENDCP_CHUNK_RAID1		(1ULL << 4)
#define SENDCP_CHUNK_DUP		(1ULL << 5)
#define SENDCP_CHUNK_RAID10	(1ULL << 6)
#define SENDCP_CHUNK_RAID5		(1ULL << 7)
#define SENDCP_CHUNK_RAID6		(1ULL << 8)
#define SENDCP_CHUNK_RAID1C3	(1ULL << 9)
#define SENDCP_CHUNK_RAID1C4	(1ULL << 10)
#define SENDCP_CHUNK_REMAPPED	(1ULL << 11)
#define SENDCP_CHUNK_PROFILES	(0xffULL << 3)

/* File extent types and compressions. */
#define SENDCP_EXTENT_INLINE	0
#define SENDCP_EXTENT_REGULAR	1
#define SENDCP_EXTENT_PREALLOC	2
#define SENDCP_COMPRESS_NONE	0
#define SENDCP_COMPRESS_ZLIB	1
#define SENDCP_COMPRESS_LZO	2
#define SENDCP_COMPRESS_ZSTD	3
/* Largest uncompressed size of a compressed extent. */
#define SENDCP_COMPRESSED_MAX	131072u

/* ROOT_ITEM flags. */
#define SENDCP_ROOT_READONLY	(1ULL << 0)
#define SENDCP_ROOT_DEAD		(1ULL << 48)

/* Flags of extent items in the extent tree. */
#define SENDCP_EXTENT_FLAG_DATA		(1ULL << 0)
#define SENDCP_EXTENT_FLAG_TREE_BLOCK	(1ULL << 1)

/* Location type of names that are subvolumes, and bit 7 of a directory entry's type. */
#define SENDCP_FT_ENCRYPTED	0x80u

struct sendcp_disk_key {
	__le64 objectid;
	u8 type;
	__le64 offset;
} __packed;

struct sendcp_disk_time {
	__le64 sec;
	__le32 nsec;
} __packed;

struct sendcp_disk_dev_item {
	__le64 devid;
	__le64 total_bytes;
	__le64 bytes_used;
	__le32 io_align;
	__le32 io_width;
	__le32 sector_size;
	__le64 type;
	__le64 generation;
	__le64 start_offset;
	__le32 dev_group;
	u8 seek_speed;
	u8 bandwidth;
	u8 uuid[SENDCP_UUID_SIZE];
	u8 fsid[SENDCP_UUID_SIZE];
} __packed;

struct sendcp_disk_super {
	u8 csum[SENDCP_CSUM_FIELD];
	u8 fsid[SENDCP_UUID_SIZE];
	__le64 bytenr;
	__le64 flags;
	__le64 magic;
	__le64 generation;
	__le64 root;
	__le64 chunk_root;
	__le64 log_root;
	__le64 unused_transid;
	__le64 total_bytes;
	__le64 bytes_used;
	__le64 root_dir_objectid;
	__le64 num_devices;
	__le32 sectorsize;
	__le32 nodesize;
	__le32 unused_leafsize;
	__le32 stripesize;
	__le32 sys_chunk_array_size;
	__le64 chunk_root_generation;
	__le64 compat_flags;
	__le64 compat_ro_flags;
	__le64 incompat_flags;
	__le16 csum_type;
	u8 root_level;
	u8 chunk_root_level;
	u8 log_root_level;
	struct sendcp_disk_dev_item dev_item;
	u8 label[256];
	__le64 cache_generation;
	__le64 uuid_tree_generation;
	u8 metadata_uuid[SENDCP_UUID_SIZE];
	__le64 nr_global_roots;
	__le64 remap_root;
	__le64 remap_root_generation;
	u8 remap_root_level;
	u8 reserved[199];
	u8 sys_chunk_array[2048];
	u8 backup_roots[4 * 168];
	u8 padding[565];
} __packed;

struct sendcp_disk_stripe {
	__le64 devid;
	__le64 offset;
	u8 dev_uuid[SENDCP_UUID_SIZE];
} __packed;

struct sendcp_disk_chunk {
	__le64 length;
	__le64 owner;
	__le64 stripe_len;
	__le64 type;
	__le32 io_align;
	__le32 io_width;
	__le32 sector_size;
	__le16 num_stripes;
	__le16 sub_stripes;
	struct sendcp_disk_stripe stripes[];
} __packed;

struct sendcp_disk_header {
	u8 csum[SENDCP_CSUM_FIELD];
	u8 fsid[SENDCP_UUID_SIZE];
	__le64 bytenr;
	__le64 flags;
	u8 chunk_tree_uuid[SENDCP_UUID_SIZE];
	__le64 generation;
	__le64 owner;
	__le32 nritems;
	u8 level;
} __packed;

/* Offset is relative to the end of the header. */
struct sendcp_disk_item {
	struct sendcp_disk_key key;
	__le32 offset;
	__le32 size;
} __packed;

struct sendcp_disk_pointer {
	struct sendcp_disk_key key;
	__le64 bytenr;
	__le64 generation;
} __packed;

struct sendcp_disk_inode {
	__le64 generation;
	__le64 transid;
	__le64 size;
	__le64 nbytes;
	__le64 block_group;
	__le32 nlink;
	__le32 uid;
	__le32 gid;
	__le32 mode;
	__le64 rdev;
	__le64 flags;
	__le64 sequence;
	u8 reserved[32];
	struct sendcp_disk_time atime;
	struct sendcp_disk_time ctime;
	struct sendcp_disk_time mtime;
	struct sendcp_disk_time otime;
} __packed;

/* Old ones end before generation_v2. */
struct sendcp_disk_root {
	struct sendcp_disk_inode inode;
	__le64 generation;
	__le64 root_dirid;
	__le64 bytenr;
	__le64 byte_limit;
	__le64 bytes_used;
	__le64 last_snapshot;
	__le64 flags;
	__le32 refs;
	struct sendcp_disk_key drop_progress;
	u8 drop_level;
	u8 level;
	__le64 generation_v2;
	u8 uuid[SENDCP_UUID_SIZE];
	u8 parent_uuid[SENDCP_UUID_SIZE];
	u8 received_uuid[SENDCP_UUID_SIZE];
	__le64 ctransid;
	__le64 otransid;
	__le64 stransid;
	__le64 rtransid;
	struct sendcp_disk_time ctime;
	struct sendcp_disk_time otime;
	struct sendcp_disk_time stime;
	struct sendcp_disk_time rtime;
	u8 reserved[64];
} __packed;

#define SENDCP_DISK_ROOT_OLD_SIZE offsetof(struct sendcp_disk_root, generation_v2)

/* ROOT_REF and ROOT_BACKREF; the name follows. */
struct sendcp_disk_root_ref {
	__le64 dirid;
	__le64 sequence;
	__le16 name_len;
} __packed;

/* One entry of an INODE_REF; the name follows, then the next entry. */
struct sendcp_disk_inode_ref {
	__le64 index;
	__le16 name_len;
} __packed;

struct sendcp_disk_inode_extref {
	__le64 parent;
	__le64 index;
	__le16 name_len;
} __packed;

/* DIR_ITEM, DIR_INDEX and XATTR_ITEM; name, then data follow. */
struct sendcp_disk_dir_item {
	struct sendcp_disk_key location;
	__le64 transid;
	__le16 data_len;
	__le16 name_len;
	u8 type;
} __packed;

/* Inline extents end after type; their payload follows there. */
struct sendcp_disk_extent_data {
	__le64 generation;
	__le64 ram_bytes;
	u8 compression;
	u8 encryption;
	__le16 other_encoding;
	u8 type;
	__le64 disk_bytenr;
	__le64 disk_num_bytes;
	__le64 offset;
	__le64 num_bytes;
} __packed;

#define SENDCP_EXTENT_INLINE_HEADER offsetof(struct sendcp_disk_extent_data, disk_bytenr)

struct sendcp_disk_extent_item {
	__le64 refs;
	__le64 generation;
	__le64 flags;
} __packed;

struct sendcp_disk_extent_data_ref {
	__le64 root;
	__le64 objectid;
	__le64 offset;
	__le32 count;
} __packed;

_Static_assert(sizeof(struct sendcp_disk_super) == SENDCP_SUPER_SIZE, "superblock layout");
_Static_assert(sizeof(struct sendcp_disk_header) == 101, "tree block header layout");
_Static_assert(sizeof(struct sendcp_disk_item) == 25, "leaf item layout");
_Static_assert(sizeof(struct sendcp_disk_pointer) == 33, "node pointer layout");
_Static_assert(sizeof(struct sendcp_disk_inode) == 160, "INODE_ITEM layout");
_Static_assert(sizeof(struct sendcp_disk_root) == 439, "ROOT_ITEM layout");
_Static_assert(sizeof(struct sendcp_disk_extent_data) == 53, "EXTENT_DATA layout");
_Static_assert(sizeof(struct sendcp_disk_chunk) == 48, "CHUNK_ITEM layout");
_Static_assert(sizeof(struct sendcp_disk_dev_item) == 98, "DEV_ITEM layout");

#endif
