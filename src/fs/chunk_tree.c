// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The chunk tree: the chunk map, read with the SYSTEM chunks of the superblock, and the devices.
 */
#include "fs/internal.h"

/* Adds the CHUNK_ITEM under @cursor to @map. */
static int chunk_take(struct scp_cursor *cursor, struct scp_chunk_map *map)
{
	struct scp_key key = scp_cursor_key(cursor);
	const void *item;
	u32 size;

	item = scp_cursor_item(cursor, &size);
	return scp_chunk_map_add(cursor->tree->volume, map, key.offset, item, size);
}

static int chunks_walk(struct scp_volume *volume, struct scp_chunk_map *map)
{
	struct scp_key first = { .objectid = SCP_FIRST_CHUNK_ID, .type = SCP_CHUNK_ITEM };
	struct scp_item_iter iter;
	struct scp_tree tree;
	int ret;

	scp_chunk_tree_init(volume, &tree);
	scp_item_iter_init(&iter, &tree, &first, SCP_CHUNK_ITEM);
	iter.cursor.readahead = true;
	while ((ret = scp_item_iter_next(&iter)) > 0) {
		ret = chunk_take(&iter.cursor, map);
		if (ret)
			break;
	}
	scp_item_iter_release(&iter);
	if (!ret && !map->count)
		ret = scp_fail_detail(volume, SCP_CHUNK_FORMAT, "no chunks");
	return ret;
}

int scp_chunks_load(struct scp_volume *volume, const struct scp_disk_super *super)
{
	struct scp_root_pointer old_root = volume->chunk_tree;
	struct scp_chunk_map old = volume->chunks;
	struct scp_chunk_map map = { 0 };
	int ret;

	memset(&volume->chunks, 0, sizeof(volume->chunks));
	volume->chunk_tree.bytenr = le64_to_cpu(super->chunk_root);
	volume->chunk_tree.generation = le64_to_cpu(super->chunk_root_generation);
	volume->chunk_tree.level = super->chunk_root_level;
	/* While the tree is read, the superblock's chunks are the map. */
	ret = scp_chunk_map_bootstrap(volume, super, &volume->chunks);
	if (!ret)
		ret = chunks_walk(volume, &map);
	scp_chunk_map_release(&volume->chunks);
	if (ret) {
		scp_chunk_map_release(&map);
		volume->chunks = old;
		volume->chunk_tree = old_root;
		return ret;
	}
	scp_chunk_map_release(&old);
	volume->chunks = map;
	volume->chunk_root_generation = volume->chunk_tree.generation;
	return 0;
}

/* Marks in @named the device that the DEV_ITEM under @cursor speaks of. */
static int device_named(struct scp_cursor *cursor, bool *named)
{
	struct scp_volume *volume = cursor->tree->volume;
	const struct scp_disk_dev_item *item;
	const void *data;
	u32 size, index;
	int ret;

	ret = scp_cursor_item_least(cursor, sizeof(*item), &data, &size);
	if (ret)
		return ret;
	item = data;
	index = scp_device_find(volume, le64_to_cpu(item->devid), item->uuid);
	if (index != SCP_NO_DEVICE &&
	    !memcmp(volume->devices[index].fsid, item->fsid, SCP_UUID_SIZE))
		named[index] = true;
	return scp_fsid_allow(volume, item->fsid);
}

/* Reads all DEV_ITEMs. The fsids in them are legal in tree blocks, those of missing seeds too. */
static int devices_walk(struct scp_volume *volume, bool *named)
{
	struct scp_key first = { .objectid = SCP_DEV_ITEMS_ID, .type = SCP_DEV_ITEM };
	struct scp_item_iter iter;
	struct scp_tree tree;
	int ret;

	scp_chunk_tree_init(volume, &tree);
	scp_item_iter_init(&iter, &tree, &first, SCP_DEV_ITEM);
	while ((ret = scp_item_iter_next(&iter)) > 0) {
		ret = device_named(&iter.cursor, named);
		if (ret)
			break;
	}
	scp_item_iter_release(&iter);
	return ret;
}

int scp_devices_revalidate(struct scp_volume *volume)
{
	u32 i, count = volume->host->device_count;
	bool *named = scp_zalloc(count * sizeof(*named));
	int ret;

	if (!named)
		return scp_fail_detail(volume, SCP_NO_MEMORY, NULL);
	ret = devices_walk(volume, named);
	for (i = 0; i < count && !ret; i++)
		if (volume->devices[i].present && !named[i] &&
		    memcmp(volume->devices[i].fsid, volume->node_fsids[0], SCP_UUID_SIZE))
			ret = scp_fail_device(volume, SCP_DEVICE_FOREIGN, 0, i, SCP_NOWHERE);
	scp_free(named);
	return ret;
}
