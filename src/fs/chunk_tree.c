// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Loading the chunk map: the superblock's SYSTEM chunks first, with them the chunk tree.
 */
#include "volume/internal.h"
#include "tree/internal.h"

/* Adds the CHUNK_ITEM under @cursor to @map. 1: there are no more. */
static int scp_chunk_take(struct scp_cursor *cursor, struct scp_chunk_map *map)
{
	struct scp_key key = scp_cursor_key(cursor);
	const void *item;
	u32 size;

	if (key.objectid != SCP_FIRST_CHUNK_ID || key.type != SCP_CHUNK_ITEM)
		return 1;
	item = scp_cursor_item(cursor, &size);
	return scp_chunk_map_add(cursor->tree->volume, map, key.offset, item, size);
}

static int scp_chunks_walk(struct scp_volume *volume, struct scp_chunk_map *map)
{
	struct scp_key key = { .objectid = SCP_FIRST_CHUNK_ID, .type = SCP_CHUNK_ITEM };
	struct scp_cursor cursor;
	struct scp_tree tree;
	int ret;

	scp_chunk_tree_init(volume, &tree);
	scp_cursor_init(&cursor, &tree);
	cursor.walk = true;
	ret = scp_search_once(&cursor, &key);
	if (ret > 0)
		ret = 0;
	while (!ret) {
		ret = scp_chunk_take(&cursor, map);
		if (!ret)
			ret = scp_next_once(&cursor);
	}
	scp_cursor_release(&cursor);
	if (ret == -ENOENT || ret > 0)
		ret = 0;
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
		ret = scp_chunks_walk(volume, &map);
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
