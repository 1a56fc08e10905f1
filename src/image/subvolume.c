// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Subvolumes by id, by UUID and by name, for hosts that look for what a user named.
 */
#include <sendcp/subvolume.h>

#include "items/items.h"

/* A subvolume whose last reference is gone is only there until it is cleaned up. */
static int get_root(struct scp_volume *volume, u64 id, struct scp_root_info *root)
{
	int ret = scp_is_subvolume_id(id) ? scp_root_info_get(volume, id, root) : -ENOENT;

	if (!ret && (!root->refs || root->flags & SCP_ROOT_DEAD))
		return -ENOENT;
	return ret;
}

int scp_subvolume_info(struct scp_volume *volume, u64 id, struct scp_subvolume_info *info)
{
	struct scp_root_info root;
	int ret = get_root(volume, id, &root);

	if (ret)
		return ret;
	info->id = id;
	info->ctransid = root.ctransid;
	info->otransid = root.otransid;
	info->readonly = root.flags & SCP_ROOT_READONLY;
	memcpy(info->uuid, root.uuid, SCP_UUID_SIZE);
	memcpy(info->parent_uuid, root.parent_uuid, SCP_UUID_SIZE);
	memcpy(info->received_uuid, root.received_uuid, SCP_UUID_SIZE);
	return 0;
}

/*
 * Moves *@key, which is where to continue, to the next subvolume's ROOT_ITEM. -ENOENT: there are no
 * more.
 */
static int next_root(struct scp_tree *roots, struct scp_key *key)
{
	struct scp_cursor cursor;
	int ret;

	scp_cursor_init(&cursor, roots);
	ret = scp_search(&cursor, key);
	while (ret >= 0) {
		*key = scp_cursor_key(&cursor);
		if (key->objectid > SCP_LAST_FREE_ID)
			ret = -ENOENT;
		else if (key->type == SCP_ROOT_ITEM && scp_is_subvolume_id(key->objectid))
			break;
		else
			ret = scp_next(&cursor);
	}
	scp_cursor_release(&cursor);
	return ret < 0 ? ret : 0;
}

/* Each step is a search of its own, so that trees may move between them. */
int scp_subvolume_find(struct scp_volume *volume, const u8 *uuid, u64 *id)
{
	struct scp_key key = { .objectid = SCP_FS_TREE_ID, .type = SCP_ROOT_ITEM };
	struct scp_root_info root;
	struct scp_tree roots;
	int ret;

	if (scp_uuid_is_zero(uuid))
		return -ENOENT;
	ret = scp_tree_open(volume, SCP_ROOT_TREE_ID, false, &roots);
	while (!ret) {
		ret = next_root(&roots, &key);
		if (ret)
			return ret;
		*id = key.objectid;
		ret = get_root(volume, key.objectid, &root);
		if (!ret && !memcmp(root.uuid, uuid, SCP_UUID_SIZE))
			return 0;
		if (ret == -ENOENT)
			ret = 0;
		key = (struct scp_key){ .objectid = *id + 1, .type = SCP_ROOT_ITEM };
	}
	return ret;
}

int scp_subvolume_root_generation(struct scp_volume *volume, u64 id, u64 *generation)
{
	struct scp_inode inode;
	struct scp_tree tree;
	int ret = scp_tree_open(volume, id, false, &tree);

	if (!ret)
		ret = scp_inode_get(&tree, SCP_ROOT_DIR_ID, &inode);
	if (!ret)
		*generation = inode.generation;
	return ret;
}

/* Subvolume entry->root is a stub if it is not called @name in directory @dir of @root. */
static int check_backref(struct scp_volume *volume, u64 root, u64 dir, const char *name,
			 size_t length, struct scp_dir_entry *entry)
{
	struct scp_name stored;
	u64 parent;
	int ret = scp_root_name(volume, entry->root, &stored, &parent);

	if (ret && ret != -ENOENT)
		return ret;
	entry->stub = ret || parent != root || stored.dir != dir || stored.len != length ||
		      memcmp(stored.bytes, name, length);
	entry->inode = SCP_ROOT_DIR_ID;
	entry->mode = S_IFDIR;
	return 0;
}

static int fill_from_inode(struct scp_tree *tree, u64 ino, struct scp_dir_entry *entry)
{
	struct scp_inode inode;
	int ret = scp_inode_get(tree, ino, &inode);

	entry->inode = ino;
	entry->mode = ret ? 0 : inode.mode;
	if (ret != -ENOENT)
		return ret;
	scp_error_clear(&tree->volume->error);
	return -EUCLEAN;
}

int scp_dir_entry(struct scp_volume *volume, u64 root, u64 inode, const char *name, size_t length,
		  struct scp_dir_entry *entry)
{
	struct scp_key location;
	struct scp_tree tree;
	int ret;

	*entry = (struct scp_dir_entry) { .root = root };
	if (length > SCP_NAME_MAX)
		return -ENOENT;
	ret = scp_tree_open(volume, root, false, &tree);
	if (!ret)
		ret = scp_dir_lookup(&tree, inode, (const u8 *)name, (u16)length, &location);
	if (ret)
		return ret;
	if (location.type != SCP_ROOT_ITEM)
		return fill_from_inode(&tree, location.objectid, entry);
	entry->root = location.objectid;
	return check_backref(volume, root, inode, name, length, entry);
}
