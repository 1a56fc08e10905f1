// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DIR_ITEM and DIR_INDEX, and the entry format that XATTR_ITEM shares with them.
 */
#include "items/dirents.h"

/* Crc seed of the names' hash: all ones but the lowest bit. */
#define NAME_HASH_SEED 0xfffffffeu

void scp_dirent_iter_init(struct scp_dirent_iter *iter, struct scp_cursor *cursor)
{
	iter->cursor = cursor;
	iter->at = NULL;
}

static int enter_item(struct scp_dirent_iter *iter)
{
	u32 least = sizeof(struct scp_disk_dir_item) + 1;
	const void *item;
	u32 size;
	int err;

	/* An item goes away with its last entry, so there is always one. */
	err = scp_cursor_item_least(iter->cursor, least, &item, &size);
	if (err)
		return err;
	iter->at = item;
	iter->end = iter->at + size;
	return 0;
}

int scp_dirent_iter_next(struct scp_dirent_iter *iter, struct scp_dirent *entry)
{
	const struct scp_disk_dir_item *disk;
	size_t left;
	int err = iter->at ? 0 : enter_item(iter);

	if (err)
		return err;
	disk = (const void *)iter->at;
	left = iter->end - iter->at;
	if (!left)
		return 0;
	if (left < sizeof(*disk))
		return scp_cursor_fail(iter->cursor, SCP_ITEM_FORMAT);
	left -= sizeof(*disk);
	/* Only attributes have data, but the format gives every entry space for it. */
	entry->location = scp_key_from_disk(&disk->location);
	entry->type = disk->type;
	entry->name_len = le16_to_cpu(disk->name_len);
	entry->data_len = le16_to_cpu(disk->data_len);
	if (!entry->name_len || entry->name_len > SCP_NAME_MAX ||
	    (u32)entry->name_len + entry->data_len > left)
		return scp_cursor_fail(iter->cursor, SCP_ITEM_FORMAT);
	entry->name = iter->at + sizeof(*disk);
	entry->data = entry->name + entry->name_len;
	iter->at = entry->data + entry->data_len;
	return 1;
}

u64 scp_name_hash(const u8 *name, u16 len)
{
	return scp_crc32c(NAME_HASH_SEED, name, len);
}

int scp_dirent_find(struct scp_cursor *cursor, const struct scp_key *key, const u8 *name, u16 len,
		    struct scp_dirent *entry)
{
	struct scp_dirent_iter iter;
	int ret;

	ret = scp_search_exact(cursor, key);
	if (ret)
		return ret;
	/* Names of equal hash share an item. */
	scp_dirent_iter_init(&iter, cursor);
	while ((ret = scp_dirent_iter_next(&iter, entry)) > 0) {
		if (entry->name_len == len && !memcmp(entry->name, name, len))
			return 0;
	}
	return ret ? ret : -ENOENT;
}

/* Subvolumes are entries too: the caller recognises them by the location's type. */
int scp_dir_lookup(struct scp_tree *tree, u64 dir, const u8 *name, u16 len,
		   struct scp_key *location)
{
	struct scp_key key = {
		.objectid = dir,
		.type = SCP_DIR_ITEM,
		.offset = scp_name_hash(name, len),
	};
	struct scp_cursor cursor;
	struct scp_dirent entry;
	int err;

	scp_cursor_init(&cursor, tree);
	err = scp_dirent_find(&cursor, &key, name, len, &entry);
	if (!err)
		*location = entry.location;
	scp_cursor_release(&cursor);
	return err;
}
