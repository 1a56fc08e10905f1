// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The chunk tree: the chunk map, read with the SYSTEM chunks of the superblock, and the devices.
 */
#include "fs/internal.h"

/* Adds the CHUNK_ITEM under @cursor to @map. */
static int chunk_take(struct sendcp_cursor *cursor, struct sendcp_chunk_map *map)
{
	struct sendcp_key key = sendcp_cursor_key(cursor);
	const void *item;
	u32 size;

	item = sendcp_cursor_item(cursor, &size);
	return sendcp_chunk_map_add(cursor->tree->volume, map, key.offset, item, size);
}

static int chunks_walk(struct sendcp_volume *volume, struct sendcp_chunk_map *map)
{
	struct sendcp_key first = { .objectid = SENDCP_FIRST_CHUNK_ID, .type = SENDCP_CHUNK_ITEM };
	struct sendcp_item_iter iter;
	struct sendcp_tree tree;
	int ret;

	sendcp_chunk_tree_init(volume, &tree);
	sendcp_item_iter_init(&iter, &tree, &first, SENDCP_CHUNK_ITEM);
	iter.cursor.readahead = true;
	while ((ret = sendcp_item_iter_next(&iter)) > 0) {
		ret = chunk_take(&iter.cursor, map);
		if (ret)
			break;
	}
	sendcp_item_iter_release(&iter);
	if (!ret && !map->count)
		ret = sendcp_fail_detail(volume, SENDCP_ERR_CHUNK_FORMAT, "no chunks");
	return ret;
}

int sendcp_chunks_load(struct sendcp_volume *volume, const struct sendcp_disk_super *super)
{
	struct sendcp_root_pointer old_root = volume->chunk_tree;
	struct sendcp_chunk_map old = volume->chunks;
	struct sendcp_chunk_map map = { 0 };
	int ret;

	memset(&volume->chunks, 0, sizeof(volume->chunks));
	volume->chunk_tree.bytenr = le64_to_cpu(super->chunk_root);
	volume->chunk_tree.generation = le64_to_cpu(super->chunk_root_generation);
	volume->chunk_tree.level = super->chunk_root_level;
	/* While the tree is read, the superblock's chunks are the map. */
	ret = sendcp_chunk_map_bootstrap(volume, super, &volume->chunks);
	if (!ret)
		ret = chunks_walk(volume, &map);
	sendcp_chunk_map_release(&volume->chunks);
	if (ret) {
		sendcp_chunk_map_release(&map);
		volume->chunks = old;
		volume->chunk_tree = old_root;
		return ret;
	}
	sendcp_chunk_map_release(&old);
	volume->chunks = map;
	volume->chunk_root_generation = volume->chunk_tree.generation;
	return 0;
}

/* Marks in @named the device that the DEV_ITEM under @cursor speaks of. */
static int device_named(struct sendcp_cursor *cursor, bool *named)
{
	struct sendcp_volume *volume = cursor->tree->volume;
	const struct sendcp_disk_dev_item *item;
	const void *data;
	u32 size, index;
	int ret;

	ret = sendcp_cursor_item_least(cursor, sizeof(*item), &data, &size);
	if (ret)
		return ret;
	item = data;
	index = sendcp_device_find(volume, le64_to_cpu(item->devid), item->uuid);
	if (index != SENDCP_NO_DEVICE &&
	    !memcmp(volume->devices[index].fsid, item->fsid, SENDCP_UUID_SIZE))
		named[index] = true;
	return sendcp_fsid_allow(volume, item->fsid);
}

/* Reads all DEV_ITEMs. The fsids in them are legal in tree blocks, those of missing seeds too. */
static int devices_walk(struct sendcp_volume *volume, bool *named)
{
	struct sendcp_key first = { .objectid = SENDCP_DEV_ITEMS_ID, .type = SENDCP_DEV_ITEM };
	struct sendcp_item_iter iter;
	struct sendcp_tree tree;
	int ret;

	sendcp_chunk_tree_init(volume, &tree);
	sendcp_item_iter_init(&iter, &tree, &first, SENDCP_DEV_ITEM);
	while ((ret = sendcp_item_iter_next(&iter)) > 0) {
		ret = device_named(&iter.cursor, named);
		if (ret)
			break;
	}
	sendcp_item_iter_release(&iter);
	return ret;
}

int sendcp_devices_revalidate(struct sendcp_volume *volume)
{
	u32 i, count = volume->host->device_count;
	bool *named = sendcp_zalloc(count * sizeof(*named));
	int ret;

	if (!named)
		return sendcp_fail_detail(volume, SENDCP_ERR_NO_MEMORY, NULL);
	ret = devices_walk(volume, named);
	for (i = 0; i < count && !ret; i++)
		if (volume->devices[i].present && !named[i] &&
		    memcmp(volume->devices[i].fsid, volume->node_fsids[0], SENDCP_UUID_SIZE))
			ret = sendcp_fail_device(volume, SENDCP_ERR_DEVICE_FOREIGN, 0, i,
						 SENDCP_NOWHERE);
	sendcp_free(named);
	return ret;
}
