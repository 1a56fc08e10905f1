// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Subvolumes by id, by UUID and by name, for hosts that look for what a user named.
 */
#include <sendcp/subvolume.h>

#include "items/items.h"

/* A subvolume whose last reference is gone is only there until it is cleaned up. */
static int get_root(struct sendcp_volume *volume, u64 id, struct sendcp_root_info *root)
{
	int ret = sendcp_is_subvolume_id(id) ? sendcp_root_info_get(volume, id, root) : -ENOENT;

	if (!ret && (!root->refs || root->flags & SENDCP_ROOT_DEAD))
		return -ENOENT;
	return ret;
}

int sendcp_subvolume_info(struct sendcp_volume *volume, u64 id, struct sendcp_subvolume_info *info)
{
	struct sendcp_root_info root;
	int ret = get_root(volume, id, &root);

	if (ret)
		return ret;
	info->id = id;
	info->ctransid = root.ctransid;
	info->otransid = root.otransid;
	info->readonly = root.flags & SENDCP_ROOT_READONLY;
	memcpy(info->uuid, root.uuid, SENDCP_UUID_SIZE);
	memcpy(info->parent_uuid, root.parent_uuid, SENDCP_UUID_SIZE);
	memcpy(info->received_uuid, root.received_uuid, SENDCP_UUID_SIZE);
	return 0;
}

static bool is_root_item(const struct sendcp_key *key)
{
	return key->type == SENDCP_ROOT_ITEM && sendcp_is_subvolume_id(key->objectid);
}

/*
 * Moves *@key, which is where to continue, to the next subvolume's ROOT_ITEM. -ENOENT: there are no
 * more.
 */
static int next_root(struct sendcp_tree *roots, struct sendcp_key *key)
{
	struct sendcp_cursor cursor;
	int ret;

	sendcp_cursor_init(&cursor, roots);
	ret = sendcp_search(&cursor, key);
	while (ret >= 0) {
		*key = sendcp_cursor_key(&cursor);
		if (key->objectid > SENDCP_LAST_FREE_ID)
			ret = -ENOENT;
		if (ret < 0 || is_root_item(key))
			break;
		ret = sendcp_next(&cursor);
	}
	sendcp_cursor_release(&cursor);
	return ret < 0 ? ret : 0;
}

/* Each step is a search of its own, so that trees may move between them. */
int sendcp_subvolume_find(struct sendcp_volume *volume, const u8 *uuid, u64 *id)
{
	struct sendcp_key key = { .objectid = SENDCP_FS_TREE_ID, .type = SENDCP_ROOT_ITEM };
	struct sendcp_root_info root;
	struct sendcp_tree roots;
	int ret;

	if (sendcp_uuid_is_zero(uuid))
		return -ENOENT;
	ret = sendcp_tree_open(volume, SENDCP_ROOT_TREE_ID, false, &roots);
	while (!ret) {
		ret = next_root(&roots, &key);
		if (ret)
			return ret;
		*id = key.objectid;
		ret = get_root(volume, key.objectid, &root);
		if (!ret && !memcmp(root.uuid, uuid, SENDCP_UUID_SIZE))
			return 0;
		if (ret == -ENOENT)
			ret = 0;
		key = (struct sendcp_key){ .objectid = *id + 1, .type = SENDCP_ROOT_ITEM };
	}
	return ret;
}

int sendcp_subvolume_root_generation(struct sendcp_volume *volume, u64 id, u64 *generation)
{
	struct sendcp_inode inode;
	struct sendcp_tree tree;
	int ret = sendcp_tree_open(volume, id, false, &tree);

	if (ret)
		return ret;
	ret = sendcp_inode_get(&tree, SENDCP_ROOT_DIR_ID, &inode);
	if (ret == -ENOENT)
		return sendcp_fail(volume, SENDCP_ERR_ITEM_MISSING, 0, &(struct sendcp_place){
			.root = id, .inode = SENDCP_ROOT_DIR_ID, .offset = SENDCP_NOWHERE });
	if (!ret)
		*generation = inode.generation;
	return ret;
}

/* Subvolume entry->root is a stub if it is not called @name in directory @dir of @root. */
static int check_backref(struct sendcp_volume *volume, u64 root, u64 dir, const char *name,
			 size_t length, struct sendcp_dir_entry *entry)
{
	struct sendcp_name stored;
	u64 parent;
	int ret = sendcp_root_name(volume, entry->root, &stored, &parent);

	if (ret && ret != -ENOENT)
		return ret;
	entry->stub = ret || parent != root || stored.dir != dir || stored.len != length ||
		      memcmp(stored.bytes, name, length);
	entry->inode = SENDCP_ROOT_DIR_ID;
	entry->mode = S_IFDIR;
	return 0;
}

static int fill_from_inode(struct sendcp_tree *tree, u64 ino, struct sendcp_dir_entry *entry)
{
	struct sendcp_inode inode;
	int ret = sendcp_inode_get(tree, ino, &inode);

	entry->inode = ino;
	entry->mode = ret ? 0 : inode.mode;
	if (ret != -ENOENT)
		return ret;
	sendcp_error_clear(&tree->volume->error);
	return -EUCLEAN;
}

int sendcp_dir_entry(struct sendcp_volume *volume, u64 root, u64 inode, const char *name,
		     size_t length, struct sendcp_dir_entry *entry)
{
	struct sendcp_key location;
	struct sendcp_tree tree;
	int ret;

	*entry = (struct sendcp_dir_entry) { .root = root };
	if (length > SENDCP_NAME_MAX)
		return -ENOENT;
	ret = sendcp_tree_open(volume, root, false, &tree);
	if (!ret)
		ret = sendcp_dir_lookup(&tree, inode, (const u8 *)name, (u16)length, &location);
	if (ret)
		return ret;
	if (location.type != SENDCP_ROOT_ITEM)
		return fill_from_inode(&tree, location.objectid, entry);
	entry->root = location.objectid;
	return check_backref(volume, root, inode, name, length, entry);
}
