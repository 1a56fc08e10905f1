// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * ROOT_BACKREF: the name of a subvolume, and its directory.
 */
#include "items/names.h"

/* The name ends the item; bytes after it, if any, are not ours. */
static int parse_backref(struct sendcp_cursor *cursor, struct sendcp_name *name, u64 *parent)
{
	const struct sendcp_disk_root_ref *disk;
	const void *item;
	const u8 *bytes;
	u32 size;
	u16 len;
	int err;

	err = sendcp_cursor_item_least(cursor, sizeof(*disk), &item, &size);
	if (err)
		return err;
	disk = item;
	len = le16_to_cpu(disk->name_len);
	bytes = (const u8 *)item + sizeof(*disk);
	if (len > size - sizeof(*disk) || !sendcp_name_is_component(bytes, len))
		return sendcp_cursor_fail(cursor, SENDCP_ERR_ITEM_FORMAT);
	sendcp_name_set(name, le64_to_cpu(disk->dirid), bytes, len);
	*parent = sendcp_cursor_key(cursor).offset;
	return 0;
}

int sendcp_root_name(struct sendcp_volume *volume, u64 id, struct sendcp_name *name, u64 *parent)
{
	struct sendcp_key key = { .objectid = id, .type = SENDCP_ROOT_BACKREF, .offset = 0 };
	struct sendcp_cursor cursor;
	struct sendcp_tree tree;
	int err;

	err = sendcp_tree_open(volume, SENDCP_ROOT_TREE_ID, false, &tree);
	if (err)
		return err;
	/* The key's offset is the parent subvolume, which is not known yet. */
	sendcp_cursor_init(&cursor, &tree);
	err = sendcp_item_find(&cursor, &key);
	if (!err)
		err = parse_backref(&cursor, name, parent);
	else if (err == -ENOENT)
		err = sendcp_fail(volume, SENDCP_ERR_SUBVOLUME_NAMELESS, 0,
				  &(struct sendcp_place){ .root = id });
	sendcp_cursor_release(&cursor);
	return err;
}
