/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The file handle by which btrfs finds an inode of any of its subvolumes, type
 * FILEID_BTRFS_WITHOUT_PARENT: 20 bytes in host byte order, counted in words of 4.
 */
#ifndef SENDCP_MODULE_HANDLE_H
#define SENDCP_MODULE_HANDLE_H

#include <linux/build_bug.h>
#include <linux/types.h>

struct sendcp_inode_handle {
	u64 inode;
	u64 root;
	/* Low half of the INODE_ITEM's generation. */
	u32 generation;
} __packed;

static_assert(sizeof(struct sendcp_inode_handle) == 20);

#define SENDCP_INODE_HANDLE_WORDS 5

#endif
