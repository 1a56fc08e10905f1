/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Items of file trees, checked and in host byte order: inodes, names, xattrs, extents, root names.
 *
 * Layer: above tree/, below clone/, data/ and send/. Every length and count is verified against the
 * item before it is used; one that does not fit is -EUCLEAN with reason ITEM_FORMAT and the place.
 */
#ifndef SENDCP_ITEMS_ITEMS_H
#define SENDCP_ITEMS_ITEMS_H

#include "fs/fs.h"

/* Of a file, in bytes: offsets have a sign everywhere else. */
#define SENDCP_FILE_SIZE_MAX ((1ULL << 63) - 1)

struct sendcp_time {
	u64 sec;
	u32 nsec;
};

struct sendcp_inode {
	u64 ino;
	u64 generation;
	u64 size;
	u64 rdev;
	u64 flags;
	u32 nlink;
	u32 uid;
	u32 gid;
	u32 mode;
	struct sendcp_time atime;
	struct sendcp_time mtime;
	struct sendcp_time ctime;
	struct sendcp_time otime;
};

/*
 * Parses the INODE_ITEM under @cursor. An impossible size of a file, and a root directory that is
 * none or has no link, are malformed.
 */
int sendcp_inode_parse(struct sendcp_cursor *cursor, struct sendcp_inode *inode);
/* Looks inode @ino up. -ENOENT (no reason set) if it has no INODE_ITEM. */
int sendcp_inode_get(struct sendcp_tree *tree, u64 ino, struct sendcp_inode *inode);

/* One entry of an INODE_REF or INODE_EXTREF item. The name points into the item. */
struct sendcp_ref {
	u64 dir;
	const u8 *name;
	u16 name_len;
};

/* Walks the entries of the ref item under a cursor; the cursor must not move meanwhile. */
struct sendcp_ref_iter {
	struct sendcp_cursor *cursor;
	/* NULL: the item was not looked at yet. */
	const u8 *at;
	const u8 *end;
	u64 dir;
	bool extended;
};

void sendcp_ref_iter_init(struct sendcp_ref_iter *iter, struct sendcp_cursor *cursor);
/* 1: *ref is the next entry; 0: no more; -EUCLEAN. */
int sendcp_ref_iter_next(struct sendcp_ref_iter *iter, struct sendcp_ref *ref);

/* All names of an inode, over all its ref items. */
struct sendcp_inode_ref_iter {
	struct sendcp_item_iter items;
	struct sendcp_ref_iter entries;
	bool in_item;
};

void sendcp_inode_ref_iter_init(struct sendcp_inode_ref_iter *iter, struct sendcp_tree *tree,
				u64 ino);
/* 1: *ref is the next name, valid until the next call; 0: no more; or a negative errno. */
int sendcp_inode_ref_iter_next(struct sendcp_inode_ref_iter *iter, struct sendcp_ref *ref);
/* To be called however the walk ended. */
void sendcp_inode_ref_iter_release(struct sendcp_inode_ref_iter *iter);

/* A name copied out of its item. */
struct sendcp_name {
	u64 dir;
	u16 len;
	u8 bytes[SENDCP_NAME_MAX];
};

/* The first of inode @ino's names, in the order of its items; -ENOENT (no reason set): none. */
int sendcp_first_ref(struct sendcp_tree *tree, u64 ino, struct sendcp_name *name);

/* One entry of a DIR_ITEM, DIR_INDEX or XATTR_ITEM. Name and data point into the item. */
struct sendcp_dirent {
	struct sendcp_key location;
	const u8 *name;
	const u8 *data;
	u16 name_len;
	u16 data_len;
	u8 type;
};

struct sendcp_dirent_iter {
	struct sendcp_cursor *cursor;
	/* NULL: the item was not looked at yet. */
	const u8 *at;
	const u8 *end;
};

void sendcp_dirent_iter_init(struct sendcp_dirent_iter *iter, struct sendcp_cursor *cursor);
/* 1, 0 or -EUCLEAN as above. */
int sendcp_dirent_iter_next(struct sendcp_dirent_iter *iter, struct sendcp_dirent *entry);

/* CRC-32C of a name as DIR_ITEM and XATTR_ITEM keys have it. */
u64 sendcp_name_hash(const u8 *name, u16 len);

/*
 * Looks up the inode or subvolume that (dir, name) names. -ENOENT (no reason set) if there is no
 * such entry.
 */
int sendcp_dir_lookup(struct sendcp_tree *tree, u64 dir, const u8 *name, u16 len,
		      struct sendcp_key *location);

/*
 * Leaves @cursor on inode @ino's XATTR_ITEM that holds @name and fills @entry. -ENOENT (no reason
 * set) if it has none.
 */
int sendcp_xattr_find(struct sendcp_cursor *cursor, u64 ino, const char *name,
		      struct sendcp_dirent *entry);

/* An EXTENT_DATA item. */
struct sendcp_extent {
	u64 ino;
	/* In the file. */
	u64 file_offset;
	u64 generation;
	u64 ram_bytes;
	u8 compression;
	u8 encryption;
	u16 other_encoding;
	u8 type;
	/* Regular and preallocated; disk_bytenr 0 is a hole. All 0 for inline. */
	u64 disk_bytenr;
	u64 disk_num_bytes;
	u64 extent_offset;
	/* Inline: ram_bytes. */
	u64 num_bytes;
	/* Inline payload, points into the item; NULL otherwise. */
	const u8 *inline_data;
	u32 inline_size;
};

/*
 * Parses the EXTENT_DATA item under @cursor and verifies it: known type and compression, no
 * overflow, extent within its disk range where that can be known, compressed size limit.
 */
int sendcp_extent_parse(struct sendcp_cursor *cursor, struct sendcp_extent *extent);
/* End of the extent in the file: inline rounded up to the sector size. */
u64 sendcp_extent_end(const struct sendcp_extent *extent, u32 sectorsize);
bool sendcp_extent_is_hole(const struct sendcp_extent *extent);

/* Leaves @cursor on the last EXTENT_DATA of @ino at or before @offset; -ENOENT if there is none. */
int sendcp_extent_find(struct sendcp_cursor *cursor, u64 ino, u64 offset,
		       struct sendcp_extent *extent);
/* Leaves @cursor on the first one that begins in [@from, @end); -ENOENT if there is none. */
int sendcp_extent_find_next(struct sendcp_cursor *cursor, u64 ino, u64 from, u64 end,
			    struct sendcp_extent *extent);
/* Leaves @cursor on the one that begins at @offset; -ENOENT if there is none. */
int sendcp_extent_get(struct sendcp_cursor *cursor, u64 ino, u64 offset,
		      struct sendcp_extent *extent);

/*
 * Name and place of subvolume @id: the first ROOT_BACKREF of the root tree. @name->dir is the
 * directory inode, *@parent the subvolume it is in. -ENOENT with reason SUBVOLUME_NAMELESS.
 */
int sendcp_root_name(struct sendcp_volume *volume, u64 id, struct sendcp_name *name, u64 *parent);

#endif
