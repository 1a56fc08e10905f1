// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * From a tree's id to its root block: the superblock's own trees, and ROOT_ITEMs for all others.
 */
#include "tree/internal.h"

void scp_tree_init(struct scp_volume *volume, u64 id, struct scp_tree *tree)
{
	memset(tree, 0, sizeof(*tree));
	tree->volume = volume;
	tree->id = id;
}

static void tree_point(struct scp_tree *tree, const struct scp_root_pointer *node)
{
	tree->info = (struct scp_root_info) {
		.id = tree->id,
		.refs = 1,
		.generation = node->generation,
		.node = *node,
	};
}

void scp_superblock_tree_point(struct scp_tree *tree)
{
	tree_point(tree, tree->id == SCP_ROOT_TREE_ID ? &tree->volume->root_tree :
							    &tree->volume->chunk_tree);
}

void scp_root_tree_init(struct scp_volume *volume, struct scp_tree *tree)
{
	scp_tree_init(volume, SCP_ROOT_TREE_ID, tree);
	scp_superblock_tree_point(tree);
}

void scp_chunk_tree_init(struct scp_volume *volume, struct scp_tree *tree)
{
	scp_tree_init(volume, SCP_CHUNK_TREE_ID, tree);
	scp_superblock_tree_point(tree);
}

int scp_tree_probe(struct scp_volume *volume)
{
	struct scp_key first = { 0 };
	struct scp_cursor cursor;
	struct scp_tree tree;
	int ret;

	scp_root_tree_init(volume, &tree);
	scp_cursor_init(&cursor, &tree);
	ret = scp_search_slot(&cursor, &first, SCP_MAX_LEVEL - 1);
	scp_cursor_release(&cursor);
	return ret < 0 ? ret : 0;
}

/* Kernels before 3.6 kept what is after this field as they found it: then it means nothing. */
static bool root_has_uuids(const struct scp_disk_root *disk, u32 size)
{
	return size >= sizeof(*disk) && disk->generation == disk->generation_v2;
}

static int root_info_parse(struct scp_cursor *cursor, u64 id, struct scp_root_info *info)
{
	const struct scp_disk_root *disk;
	const void *item;
	u32 size;
	int ret;

	ret = scp_cursor_item_least(cursor, SCP_DISK_ROOT_OLD_SIZE, &item, &size);
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
	if (!info->generation || info->node.level >= SCP_MAX_LEVEL)
		return scp_cursor_fail(cursor, SCP_ITEM_FORMAT);
	if (!root_has_uuids(disk, size))
		return 0;
	info->ctransid = le64_to_cpu(disk->ctransid);
	info->otransid = le64_to_cpu(disk->otransid);
	memcpy(info->uuid, disk->uuid, SCP_UUID_SIZE);
	memcpy(info->parent_uuid, disk->parent_uuid, SCP_UUID_SIZE);
	memcpy(info->received_uuid, disk->received_uuid, SCP_UUID_SIZE);
	return 0;
}

int scp_root_info_once(struct scp_volume *volume, u64 id, struct scp_root_info *info)
{
	/*
	 * A snapshot's item has its creation's transaction as offset; of several the last counts.
	 */
	struct scp_key key = { .objectid = id, .type = SCP_ROOT_ITEM, .offset = ~0ULL };
	struct scp_cursor cursor;
	struct scp_tree tree;
	int ret;

	scp_root_tree_init(volume, &tree);
	scp_cursor_init(&cursor, &tree);
	ret = scp_search_last(&cursor, &key);
	if (!ret) {
		key = scp_cursor_key(&cursor);
		if (key.objectid != id || key.type != SCP_ROOT_ITEM)
			ret = -ENOENT;
		else
			ret = root_info_parse(&cursor, id, info);
	}
	scp_cursor_release(&cursor);
	if (ret == -ENOENT)
		return scp_fail(volume, SCP_TREE_MISSING, 0, &(struct scp_place){ .root = id });
	return ret;
}

bool scp_uuid_is_zero(const u8 *uuid)
{
	static const u8 zero[SCP_UUID_SIZE];

	return !memcmp(uuid, zero, SCP_UUID_SIZE);
}
