// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * From a tree's id to its root block: the superblock's own trees, and ROOT_ITEMs for all others.
 */
#include "tree/internal.h"

void sendcp_tree_init(struct sendcp_volume *volume, u64 id, struct sendcp_tree *tree)
{
	memset(tree, 0, sizeof(*tree));
	tree->volume = volume;
	tree->id = id;
}

static void tree_point(struct sendcp_tree *tree, const struct sendcp_root_pointer *node)
{
	tree->info = (struct sendcp_root_info) {
		.id = tree->id,
		.refs = 1,
		.generation = node->generation,
		.node = *node,
	};
}

void sendcp_superblock_tree_point(struct sendcp_tree *tree)
{
	tree_point(tree, tree->id == SENDCP_ROOT_TREE_ID ? &tree->volume->root_tree :
							    &tree->volume->chunk_tree);
}

void sendcp_root_tree_init(struct sendcp_volume *volume, struct sendcp_tree *tree)
{
	sendcp_tree_init(volume, SENDCP_ROOT_TREE_ID, tree);
	sendcp_superblock_tree_point(tree);
}

void sendcp_chunk_tree_init(struct sendcp_volume *volume, struct sendcp_tree *tree)
{
	sendcp_tree_init(volume, SENDCP_CHUNK_TREE_ID, tree);
	sendcp_superblock_tree_point(tree);
}

int sendcp_tree_probe(struct sendcp_volume *volume)
{
	struct sendcp_key first = { 0 };
	struct sendcp_cursor cursor;
	struct sendcp_tree tree;
	int ret;

	sendcp_root_tree_init(volume, &tree);
	sendcp_cursor_init(&cursor, &tree);
	ret = sendcp_search_slot(&cursor, &first, SENDCP_MAX_LEVEL - 1);
	sendcp_cursor_release(&cursor);
	return ret < 0 ? ret : 0;
}

/* Kernels before 3.6 kept what is after this field as they found it: then it means nothing. */
static bool root_has_uuids(const struct sendcp_disk_root *disk, u32 size)
{
	return size >= sizeof(*disk) && disk->generation == disk->generation_v2;
}

static int root_info_parse(struct sendcp_cursor *cursor, u64 id, struct sendcp_root_info *info)
{
	const struct sendcp_disk_root *disk;
	const void *item;
	u32 size;
	int ret;

	ret = sendcp_cursor_item_least(cursor, SENDCP_DISK_ROOT_OLD_SIZE, &item, &size);
	if (ret)
		return ret;
	disk = item;
	memset(info, 0, sizeof(*info));
	info->id = id;
	info->flags = le64_to_cpu(disk->flags);
	info->refs = le32_to_cpu(disk->refs);
	info->generation = le64_to_cpu(disk->generation);
	info->node.bytenr = le64_to_cpu(disk->bytenr);
	info->node.generation = info->generation;
	info->node.level = disk->level;
	if (!info->generation || info->node.level >= SENDCP_MAX_LEVEL)
		return sendcp_cursor_fail(cursor, SENDCP_ERR_ITEM_FORMAT);
	if (!root_has_uuids(disk, size))
		return 0;
	info->ctransid = le64_to_cpu(disk->ctransid);
	info->otransid = le64_to_cpu(disk->otransid);
	memcpy(info->uuid, disk->uuid, SENDCP_UUID_SIZE);
	memcpy(info->parent_uuid, disk->parent_uuid, SENDCP_UUID_SIZE);
	memcpy(info->received_uuid, disk->received_uuid, SENDCP_UUID_SIZE);
	return 0;
}

int sendcp_root_info_once(struct sendcp_volume *volume, u64 id, struct sendcp_root_info *info)
{
	/*
	 * A snapshot's item has its creation's transaction as offset; of several the last counts.
	 */
	struct sendcp_key key = { .objectid = id, .type = SENDCP_ROOT_ITEM, .offset = ~0ULL };
	struct sendcp_cursor cursor;
	struct sendcp_tree tree;
	int ret;

	sendcp_root_tree_init(volume, &tree);
	sendcp_cursor_init(&cursor, &tree);
	ret = sendcp_search_last(&cursor, &key);
	if (!ret) {
		key = sendcp_cursor_key(&cursor);
		if (key.objectid != id || key.type != SENDCP_ROOT_ITEM)
			ret = -ENOENT;
		else
			ret = root_info_parse(&cursor, id, info);
	}
	sendcp_cursor_release(&cursor);
	if (ret == -ENOENT)
		return sendcp_fail(volume, SENDCP_ERR_TREE_MISSING, 0,
				   &(struct sendcp_place){ .root = id });
	return ret;
}

bool sendcp_uuid_is_zero(const u8 *uuid)
{
	static const u8 zero[SENDCP_UUID_SIZE];

	return !memcmp(uuid, zero, SENDCP_UUID_SIZE);
}
