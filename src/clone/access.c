// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Reads of a search outside the extent tree: trees by id, blocks by address.
 */
#include "clone/backref_walk.h"

static struct sendcp_known_tree *known_tree(struct sendcp_backref_walk *walk, u64 id)
{
	return &walk->trees[id % SENDCP_KNOWN_TREES];
}

int sendcp_walk_tree(struct sendcp_backref_walk *walk, u64 id, struct sendcp_tree *tree)
{
	struct sendcp_known_tree *known = known_tree(walk, id);
	int err;

	if (!id)
		return -ENOENT;
	if (known->id != id) {
		known->id = 0;
		err = sendcp_tree_open(walk->volume, id, false, &known->tree);
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

int sendcp_walk_block(struct sendcp_backref_walk *walk, const struct sendcp_extent_entry *entry,
		      struct sendcp_node **out)
{
	struct sendcp_node_expect expect = {
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
	err = sendcp_node_get(walk->volume, &expect, out);
	if (err && !sendcp_is_final(err) && !walk->volume->host->mounted) {
		expect.generation = 0;
		err = sendcp_node_get(walk->volume, &expect, out);
	}
	return err;
}

int sendcp_walk_leaf(struct sendcp_backref_walk *walk, u64 bytenr, struct sendcp_node **out)
{
	struct sendcp_extent_entry entry;
	struct sendcp_cursor cursor;
	int err;

	sendcp_cursor_init(&cursor, &walk->extent_tree);
	err = sendcp_extent_entry_find(&cursor, bytenr, true, &entry);
	if (!err && entry.level)
		err = sendcp_cursor_fail(&cursor, SENDCP_ERR_ITEM_FORMAT);
	sendcp_cursor_release(&cursor);
	return err ? err : sendcp_walk_block(walk, &entry, out);
}
