// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * INODE_ITEM.
 *
 * Most values are taken as they are: any 64 bits are a generation, and an odd mode or time is for
 * those to judge who use it.
 */
#include "items/items.h"

static struct sendcp_time time_from_disk(const struct sendcp_disk_time *disk)
{
	struct sendcp_time time = {
		.sec = le64_to_cpu(disk->sec),
		.nsec = le32_to_cpu(disk->nsec),
	};

	return time;
}

/*
 * No file is longer than an offset can say; sizes of others mean nothing, and kernels have left
 * wrong ones to directories. A subvolume's root directory is one and has a link; otherwise it would
 * be taken for deleted, and created again under its item's name, "..".
 */
static bool inode_valid(const struct sendcp_inode *inode)
{
	if (S_ISREG(inode->mode) && inode->size > SENDCP_FILE_SIZE_MAX)
		return false;
	return inode->ino != SENDCP_ROOT_DIR_ID || (S_ISDIR(inode->mode) && inode->nlink);
}

int sendcp_inode_parse(struct sendcp_cursor *cursor, struct sendcp_inode *inode)
{
	const struct sendcp_disk_inode *disk;
	const void *item;
	u32 size;
	int err;

	err = sendcp_cursor_item_least(cursor, sizeof(*disk), &item, &size);
	if (err)
		return err;
	disk = item;
	inode->ino = sendcp_cursor_key(cursor).objectid;
	inode->generation = le64_to_cpu(disk->generation);
	inode->size = le64_to_cpu(disk->size);
	inode->rdev = le64_to_cpu(disk->rdev);
	inode->flags = le64_to_cpu(disk->flags);
	inode->nlink = le32_to_cpu(disk->nlink);
	inode->uid = le32_to_cpu(disk->uid);
	inode->gid = le32_to_cpu(disk->gid);
	inode->mode = le32_to_cpu(disk->mode);
	inode->atime = time_from_disk(&disk->atime);
	inode->mtime = time_from_disk(&disk->mtime);
	inode->ctime = time_from_disk(&disk->ctime);
	inode->otime = time_from_disk(&disk->otime);
	return inode_valid(inode) ? 0 : sendcp_cursor_fail(cursor, SENDCP_ERR_ITEM_FORMAT);
}

int sendcp_inode_get(struct sendcp_tree *tree, u64 ino, struct sendcp_inode *inode)
{
	struct sendcp_key key = { .objectid = ino, .type = SENDCP_INODE_ITEM, .offset = 0 };
	struct sendcp_cursor cursor;
	int err;

	sendcp_cursor_init(&cursor, tree);
	err = sendcp_search_exact(&cursor, &key);
	if (!err)
		err = sendcp_inode_parse(&cursor, inode);
	sendcp_cursor_release(&cursor);
	return err;
}
