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

#define SCP_SUPER_SIZE		4096u
#define SCP_SUPER_MAGIC		0x4D5F53665248425FULL	/* "_BHRfS_M" */
#define SCP_SUPER_COPIES	3
#define SCP_SUPER_OFFSET_0	0x10000ULL
#define SCP_SUPER_OFFSET_1	0x4000000ULL
#define SCP_SUPER_OFFSET_2	0x4000000000ULL

#define SCP_CSUM_FIELD		32u
#define SCP_UUID_SIZE		16u
#define SCP_NAME_MAX		255u
#define SCP_STRIPE_LEN		65536u
#define SCP_MAX_LEVEL		8
#define SCP_NODESIZE_MAX	65536u
#define SCP_SECTORSIZE_MIN	4096u

/* Checksum types. */
#define SCP_CSUM_CRC32C		0
#define SCP_CSUM_XXHASH64	1
#define SCP_CSUM_SHA256		2
#define SCP_CSUM_BLAKE2B	3

/* Superblock flags. */
#define SCP_SUPER_SEEDING	(1ULL << 32)
/* Metadata dumps (33, 34), fsid change (35, 36) and conversions (38 to 40) in progress. */
#define SCP_SUPER_REFUSED	((3ULL << 33) | (3ULL << 35) | (7ULL << 38))

/* Incompat feature bits. */
#define SCP_INCOMPAT_MIXED_BACKREF	(1ULL << 0)
#define SCP_INCOMPAT_DEFAULT_SUBVOL	(1ULL << 1)
#define SCP_INCOMPAT_MIXED_GROUPS	(1ULL << 2)
#define SCP_INCOMPAT_LZO		(1ULL << 3)
#define SCP_INCOMPAT_ZSTD		(1ULL << 4)
#define SCP_INCOMPAT_BIG_METADATA	(1ULL << 5)
#define SCP_INCOMPAT_EXTENDED_IREF	(1ULL << 6)
#define SCP_INCOMPAT_RAID56		(1ULL << 7)
#define SCP_INCOMPAT_SKINNY_METADATA	(1ULL << 8)
#define SCP_INCOMPAT_NO_HOLES		(1ULL << 9)
#define SCP_INCOMPAT_METADATA_UUID	(1ULL << 10)
#define SCP_INCOMPAT_RAID1C34		(1ULL << 11)
#define SCP_INCOMPAT_ZONED		(1ULL << 12)
#define SCP_INCOMPAT_EXTENT_TREE_V2	(1ULL << 13)
#define SCP_INCOMPAT_RAID_STRIPE_TREE	(1ULL << 14)
#define SCP_INCOMPAT_SIMPLE_QUOTA	(1ULL << 16)
#define SCP_INCOMPAT_REMAP_TREE		(1ULL << 17)
#define SCP_INCOMPAT_READABLE \
	(SCP_INCOMPAT_MIXED_BACKREF | SCP_INCOMPAT_DEFAULT_SUBVOL | SCP_INCOMPAT_MIXED_GROUPS | \
	 SCP_INCOMPAT_LZO | SCP_INCOMPAT_ZSTD | SCP_INCOMPAT_BIG_METADATA | \
	 SCP_INCOMPAT_EXTENDED_IREF | SCP_INCOMPAT_RAID56 | SCP_INCOMPAT_SKINNY_METADATA | \
	 SCP_INCOMPAT_NO_HOLES | SCP_INCOMPAT_METADATA_UUID | SCP_INCOMPAT_RAID1C34 | \
	 SCP_INCOMPAT_ZONED | SCP_INCOMPAT_SIMPLE_QUOTA)

/* Objectids. Negative ones are written as the two's complement they are stored as. */
#define SCP_ROOT_TREE_ID	1ULL
#define SCP_EXTENT_TREE_ID	2ULL
#define SCP_CHUNK_TREE_ID	3ULL
#define SCP_FS_TREE_ID		5ULL
#define SCP_CSUM_TREE_ID	7ULL
#define SCP_UUID_TREE_ID	9ULL
#define SCP_DEV_ITEMS_ID	1ULL
#define SCP_FIRST_FREE_ID	256ULL
#define SCP_LAST_FREE_ID	((u64)-256)
#define SCP_ROOT_DIR_ID		256ULL
#define SCP_FIRST_CHUNK_ID	256ULL
#define SCP_ORPHAN_ID		((u64)-5)
#define SCP_DATA_RELOC_TREE_ID	((u64)-9)
#define SCP_EXTENT_CSUM_ID	((u64)-10)
#define SCP_FREE_SPACE_ID	((u64)-11)
#define SCP_FREE_INODE_ID	((u64)-12)

/* Subvolumes are the trees of these ids: the top-level one, and those that were created. */
static inline bool scp_is_subvolume_id(u64 id)
{
	return id == SCP_FS_TREE_ID || (id >= SCP_FIRST_FREE_ID && id <= SCP_LAST_FREE_ID);
}

/* Key types. */
#define SCP_INODE_ITEM		1
#define SCP_INODE_REF		12
#define SCP_INODE_EXTREF	13
#define SCP_XATTR_ITEM		24
#define SCP_VERITY_DESC		36
#define SCP_ORPHAN_ITEM		48
#define SCP_DIR_ITEM		84
#define SCP_DIR_INDEX		96
#define SCP_EXTENT_DATA		108
#define SCP_EXTENT_CSUM		128
#define SCP_ROOT_ITEM		132
#define SCP_ROOT_BACKREF	144
#define SCP_ROOT_REF		156
#define SCP_EXTENT_ITEM		168
#define SCP_METADATA_ITEM	169
#define SCP_EXTENT_OWNER_REF	172
#define SCP_TREE_BLOCK_REF	176
#define SCP_EXTENT_DATA_REF	178
#define SCP_SHARED_BLOCK_REF	182
#define SCP_SHARED_DATA_REF	184
#define SCP_DEV_ITEM		216
#define SCP_CHUNK_ITEM		228
#define SCP_UUID_SUBVOL		251
#define SCP_UUID_RECEIVED	252

/* Chunk types. */
#define SCP_CHUNK_DATA		(1ULL << 0)
#define SCP_CHUNK_SYSTEM	(1ULL << 1)
#define SCP_CHUNK_METADATA	(1ULL << 2)
#define SCP_CHUNK_RAID0		(1ULL << 3)
#define SCP_CHUNK_RAID1		(1ULL << 4)
#define SCP_CHUNK_DUP		(1ULL << 5)
#define SCP_CHUNK_RAID10	(1ULL << 6)
#define SCP_CHUNK_RAID5		(1ULL << 7)
#define SCP_CHUNK_RAID6		(1ULL << 8)
#define SCP_CHUNK_RAID1C3	(1ULL << 9)
#define SCP_CHUNK_RAID1C4	(1ULL << 10)
#define SCP_CHUNK_REMAPPED	(1ULL << 11)
#define SCP_CHUNK_PROFILES	(0xffULL << 3)

/* File extent types and compressions. */
#define SCP_EXTENT_INLINE	0
#define SCP_EXTENT_REGULAR	1
#define SCP_EXTENT_PREALLOC	2
#define SCP_COMPRESS_NONE	0
#define SCP_COMPRESS_ZLIB	1
#define SCP_COMPRESS_LZO	2
#define SCP_COMPRESS_ZSTD	3
/* Largest uncompressed size of a compressed extent. */
#define SCP_COMPRESSED_MAX	131072u

/* ROOT_ITEM flags. */
#define SCP_ROOT_READONLY	(1ULL << 0)
#define SCP_ROOT_DEAD		(1ULL << 48)

/* Flags of extent items in the extent tree. */
#define SCP_EXTENT_FLAG_DATA		(1ULL << 0)
#define SCP_EXTENT_FLAG_TREE_BLOCK	(1ULL << 1)

/* Location type of names that are subvolumes, and bit 7 of a directory entry's type. */
#define SCP_FT_ENCRYPTED	0x80u

struct scp_disk_key {
	__le64 objectid;
	u8 type;
	__le64 offset;
} __packed;

struct scp_disk_time {
	__le64 sec;
	__le32 nsec;
} __packed;

struct scp_disk_dev_item {
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
	u8 uuid[SCP_UUID_SIZE];
	u8 fsid[SCP_UUID_SIZE];
} __packed;

struct scp_disk_super {
	u8 csum[SCP_CSUM_FIELD];
	u8 fsid[SCP_UUID_SIZE];
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
	struct scp_disk_dev_item dev_item;
	u8 label[256];
	__le64 cache_generation;
	__le64 uuid_tree_generation;
	u8 metadata_uuid[SCP_UUID_SIZE];
	__le64 nr_global_roots;
	__le64 remap_root;
	__le64 remap_root_generation;
	u8 remap_root_level;
	u8 reserved[199];
	u8 sys_chunk_array[2048];
	u8 backup_roots[4 * 168];
	u8 padding[565];
} __packed;

struct scp_disk_stripe {
	__le64 devid;
	__le64 offset;
	u8 dev_uuid[SCP_UUID_SIZE];
} __packed;

struct scp_disk_chunk {
	__le64 length;
	__le64 owner;
	__le64 stripe_len;
	__le64 type;
	__le32 io_align;
	__le32 io_width;
	__le32 sector_size;
	__le16 num_stripes;
	__le16 sub_stripes;
	struct scp_disk_stripe stripes[];
} __packed;

struct scp_disk_header {
	u8 csum[SCP_CSUM_FIELD];
	u8 fsid[SCP_UUID_SIZE];
	__le64 bytenr;
	__le64 flags;
	u8 chunk_tree_uuid[SCP_UUID_SIZE];
	__le64 generation;
	__le64 owner;
	__le32 nritems;
	u8 level;
} __packed;

/* Offset is relative to the end of the header. */
struct scp_disk_item {
	struct scp_disk_key key;
	__le32 offset;
	__le32 size;
} __packed;

struct scp_disk_pointer {
	struct scp_disk_key key;
	__le64 bytenr;
	__le64 generation;
} __packed;

struct scp_disk_inode {
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
	struct scp_disk_time atime;
	struct scp_disk_time ctime;
	struct scp_disk_time mtime;
	struct scp_disk_time otime;
} __packed;

/* Old ones end before generation_v2. */
struct scp_disk_root {
	struct scp_disk_inode inode;
	__le64 generation;
	__le64 root_dirid;
	__le64 bytenr;
	__le64 byte_limit;
	__le64 bytes_used;
	__le64 last_snapshot;
	__le64 flags;
	__le32 refs;
	struct scp_disk_key drop_progress;
	u8 drop_level;
	u8 level;
	__le64 generation_v2;
	u8 uuid[SCP_UUID_SIZE];
	u8 parent_uuid[SCP_UUID_SIZE];
	u8 received_uuid[SCP_UUID_SIZE];
	__le64 ctransid;
	__le64 otransid;
	__le64 stransid;
	__le64 rtransid;
	struct scp_disk_time ctime;
	struct scp_disk_time otime;
	struct scp_disk_time stime;
	struct scp_disk_time rtime;
	u8 reserved[64];
} __packed;

#define SCP_DISK_ROOT_OLD_SIZE offsetof(struct scp_disk_root, generation_v2)

/* ROOT_REF and ROOT_BACKREF; the name follows. */
struct scp_disk_root_ref {
	__le64 dirid;
	__le64 sequence;
	__le16 name_len;
} __packed;

/* One entry of an INODE_REF; the name follows, then the next entry. */
struct scp_disk_inode_ref {
	__le64 index;
	__le16 name_len;
} __packed;

struct scp_disk_inode_extref {
	__le64 parent;
	__le64 index;
	__le16 name_len;
} __packed;

/* DIR_ITEM, DIR_INDEX and XATTR_ITEM; name, then data follow. */
struct scp_disk_dir_item {
	struct scp_disk_key location;
	__le64 transid;
	__le16 data_len;
	__le16 name_len;
	u8 type;
} __packed;

/* Inline extents end after type; their payload follows there. */
struct scp_disk_extent_data {
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

#define SCP_EXTENT_INLINE_HEADER offsetof(struct scp_disk_extent_data, disk_bytenr)

struct scp_disk_extent_item {
	__le64 refs;
	__le64 generation;
	__le64 flags;
} __packed;

struct scp_disk_extent_data_ref {
	__le64 root;
	__le64 objectid;
	__le64 offset;
	__le32 count;
} __packed;

_Static_assert(sizeof(struct scp_disk_super) == SCP_SUPER_SIZE, "superblock layout");
_Static_assert(sizeof(struct scp_disk_header) == 101, "tree block header layout");
_Static_assert(sizeof(struct scp_disk_item) == 25, "leaf item layout");
_Static_assert(sizeof(struct scp_disk_pointer) == 33, "node pointer layout");
_Static_assert(sizeof(struct scp_disk_inode) == 160, "INODE_ITEM layout");
_Static_assert(sizeof(struct scp_disk_root) == 439, "ROOT_ITEM layout");
_Static_assert(sizeof(struct scp_disk_extent_data) == 53, "EXTENT_DATA layout");
_Static_assert(sizeof(struct scp_disk_chunk) == 48, "CHUNK_ITEM layout");
_Static_assert(sizeof(struct scp_disk_dev_item) == 98, "DEV_ITEM layout");

#endif
