// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * ROOT_BACKREF: the name of a subvolume, and its directory.
 */
#include "items/names.h"

/* The name ends the item; bytes after it, if any, are not ours. */
static int parse_backref(struct scp_cursor *cursor, struct scp_name *name, u64 *parent)
{
	const struct scp_disk_root_ref *disk;
	const void *item;
	const u8 *bytes;
	u32 size;
	u16 len;
	int err;

	err = scp_cursor_item_least(cursor, sizeof(*disk), &item, &size);
	if (err)
		return err;
	disk = item;
	len = le16_to_cpu(disk->name_len);
	bytes = (const u8 *)item + sizeof(*disk);
	if (len > size - sizeof(*disk) || !scp_name_is_component(bytes, len))
		return scp_cursor_fail(cursor, SCP_ITEM_FORMAT);
	scp_name_set(name, le64_to_cpu(disk->dirid), bytes, len);
	*parent = scp_cursor_key(cursor).offset;
	return 0;
}

int scp_root_name(struct scp_volume *volume, u64 id, struct scp_name *name, u64 *parent)
{
	struct scp_key key = { .objectid = id, .type = SCP_ROOT_BACKREF, .offset = 0 };
	struct scp_cursor cursor;
	struct scp_tree tree;
	int err;

	err = scp_tree_open(volume, SCP_ROOT_TREE_ID, false, &tree);
	if (err)
		return err;
	/* The key's offset is the parent subvolume, which is not known yet. */
	scp_cursor_init(&cursor, &tree);
	err = scp_item_find(&cursor, &key);
	if (!err)
		err = parse_backref(&cursor, name, parent);
	else if (err == -ENOENT)
		err = scp_fail(volume, SCP_SUBVOLUME_NAMELESS, 0,
			       &(struct scp_place){ .root = id });
	scp_cursor_release(&cursor);
	return err;
}
