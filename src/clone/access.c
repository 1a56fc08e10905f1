// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Reads of a search outside the extent tree: trees by id, blocks by address.
 */
#include "clone/backref_walk.h"

static struct scp_known_tree *known_tree(struct scp_backref_walk *walk, u64 id)
{
	return &walk->trees[id % SCP_KNOWN_TREES];
}

int scp_walk_tree(struct scp_backref_walk *walk, u64 id, struct scp_tree *tree)
{
	struct scp_known_tree *known = known_tree(walk, id);
	int err;

	if (!id)
		return -ENOENT;
	if (known->id != id) {
		known->id = 0;
		err = scp_tree_open(walk->volume, id, false, &known->tree);
		if (err && err != -ENOENT)
			return err;
		known->missing = err;
		known->id = id;
	}
	if (known->missing)
		return -ENOENT;
	*tree = known->tree;
	return 0;
}

int scp_walk_block(struct scp_backref_walk *walk, const struct scp_extent_entry *entry,
		   struct scp_node **out)
{
	struct scp_node_expect expect = {
		.bytenr = entry->bytenr,
		.generation = entry->generation,
		.level = entry->level,
	};
	int err;

	/*
	 * A reference by address names no generation; the extent item has one, which tells the
	 * block from those at its address before and after. Some old tool may not have kept the two
	 * equal, so a filesystem that is not mounted gets a second chance.
	 */
	err = scp_node_get(walk->volume, &expect, out);
	if (err && !scp_is_final(err) && !walk->volume->host->mounted) {
		expect.generation = 0;
		err = scp_node_get(walk->volume, &expect, out);
	}
	return err;
}

int scp_walk_leaf(struct scp_backref_walk *walk, u64 bytenr, struct scp_node **out)
{
	struct scp_extent_entry entry;
	struct scp_cursor cursor;
	int err;

	scp_cursor_init(&cursor, &walk->extent_tree);
	err = scp_extent_entry_find(&cursor, bytenr, true, &entry);
	if (!err && entry.level)
		err = scp_cursor_fail(&cursor, SCP_ITEM_FORMAT);
	scp_cursor_release(&cursor);
	return err ? err : scp_walk_block(walk, &entry, out);
}
