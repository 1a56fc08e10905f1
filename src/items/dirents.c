// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DIR_ITEM and DIR_INDEX, and the entry format that XATTR_ITEM shares with them.
 */
#include "items/dirents.h"

/* Crc seed of the names' hash: all ones but the lowest bit. */
#define NAME_HASH_SEED 0xfffffffeu

void sendcp_dirent_iter_init(struct sendcp_dirent_iter *iter, struct sendcp_cursor *cursor)
{
	iter->cursor = cursor;
	iter->at = NULL;
}

static int enter_item(struct sendcp_dirent_iter *iter)
{
	u32 least = sizeof(struct sendcp_disk_dir_item) + 1;
	const void *item;
	u32 size;
	int err;

	/* An item goes away with its last entry, so there is always one. */
	err = sendcp_cursor_item_least(iter->cursor, least, &item, &size);
	if (err)
		return err;
	iter->at = item;
	iter->end = iter->at + size;
	return 0;
}

/* Any bytes but zeros: an attribute's name may have a slash. */
static bool name_valid(const u8 *name, u16 len)
{
	u16 i;

	for (i = 0; i < len; i++)
		if (!name[i])
			return false;
	return len && len <= SENDCP_NAME_MAX;
}

int sendcp_dirent_iter_next(struct sendcp_dirent_iter *iter, struct sendcp_dirent *entry)
{
	const struct sendcp_disk_dir_item *disk;
	size_t left;
	int err = iter->at ? 0 : enter_item(iter);

	if (err)
		return err;
	disk = (const void *)iter->at;
	left = iter->end - iter->at;
	if (!left)
		return 0;
	if (left < sizeof(*disk))
		return sendcp_cursor_fail(iter->cursor, SENDCP_ERR_ITEM_FORMAT);
	left -= sizeof(*disk);
	/* Only attributes have data, but the format gives every entry space for it. */
	entry->location = sendcp_key_from_disk(&disk->location);
	entry->type = disk->type;
	entry->name_len = le16_to_cpu(disk->name_len);
	entry->data_len = le16_to_cpu(disk->data_len);
	entry->name = iter->at + sizeof(*disk);
	if ((u32)entry->name_len + entry->data_len > left ||
	    !name_valid(entry->name, entry->name_len))
		return sendcp_cursor_fail(iter->cursor, SENDCP_ERR_ITEM_FORMAT);
	entry->data = entry->name + entry->name_len;
	iter->at = entry->data + entry->data_len;
	return 1;
}

u64 sendcp_name_hash(const u8 *name, u16 len)
{
	return sendcp_crc32c(NAME_HASH_SEED, name, len);
}

int sendcp_dirent_find(struct sendcp_cursor *cursor, const struct sendcp_key *key, const u8 *name,
		       u16 len, struct sendcp_dirent *entry)
{
	struct sendcp_dirent_iter iter;
	int ret;

	ret = sendcp_search_exact(cursor, key);
	if (ret)
		return ret;
	/* Names of equal hash share an item. */
	sendcp_dirent_iter_init(&iter, cursor);
	while ((ret = sendcp_dirent_iter_next(&iter, entry)) > 0) {
		if (entry->name_len == len && !memcmp(entry->name, name, len))
			return 0;
	}
	return ret ? ret : -ENOENT;
}

/* Subvolumes are entries too: the caller recognises them by the location's type. */
int sendcp_dir_lookup(struct sendcp_tree *tree, u64 dir, const u8 *name, u16 len,
		      struct sendcp_key *location)
{
	struct sendcp_key key = {
		.objectid = dir,
		.type = SENDCP_DIR_ITEM,
		.offset = sendcp_name_hash(name, len),
	};
	struct sendcp_cursor cursor;
	struct sendcp_dirent entry = { 0 };
	int err;

	sendcp_cursor_init(&cursor, tree);
	err = sendcp_dirent_find(&cursor, &key, name, len, &entry);
	if (!err)
		*location = entry.location;
	sendcp_cursor_release(&cursor);
	return err;
}
