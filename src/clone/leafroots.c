// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * From a leaf upwards: which trees contain it.
 *
 * Blocks are taken from a work list, the leaf first; each one's parents are appended, in descending
 * order of the references. The order in which roots are found decides between equal candidates.
 */
#include "clone/backref_walk.h"

/* A block of the work list. */
struct block {
	struct sendcp_extent_entry entry;
	/* Its first key, once known. */
	struct sendcp_key key;
	bool key_known;
};

/* A block that is a root in all its trees is never read. */
static int find_first_key(struct sendcp_backref_walk *walk, struct block *block)
{
	struct sendcp_node *node;
	int err;

	if (block->key_known)
		return 0;
	err = sendcp_walk_block(walk, &block->entry, &node);
	if (err)
		return err;
	block->key = sendcp_node_key(node, 0);
	block->key_known = true;
	sendcp_node_put(walk->volume, node);
	return 0;
}

/* The block through which @tree reaches @block. */
static int find_parent(struct sendcp_backref_walk *walk, struct sendcp_tree *tree,
		       struct block *block, u64 *parent)
{
	int level = (int)sendcp_min(block->entry.level + 1, SENDCP_MAX_LEVEL - 1);
	struct sendcp_cursor cursor;
	int ret;

	ret = find_first_key(walk, block);
	if (ret)
		return ret;
	sendcp_cursor_init(&cursor, tree);
	ret = sendcp_search_slot(&cursor, &block->key, level);
	if (ret >= 0) {
		ret = 0;
		/* The tree may have become lower than that: then it is its root. */
		level = (int)sendcp_min(level, tree->info.node.level);
		*parent = cursor.path[level]->bytenr;
	}
	sendcp_cursor_release(&cursor);
	return ret;
}

static int add_tree(struct sendcp_backref_walk *walk, struct block *block, u64 root)
{
	struct sendcp_tree tree;
	u64 parent;
	int err;

	err = sendcp_walk_tree(walk, root, &tree);
	if (err)
		return err == -ENOENT ? 0 : err;
	/* A tree refers to one block of its root's level: the root. */
	if (tree.info.node.level == block->entry.level)
		return sendcp_id_set_add(&walk->roots, root);
	err = find_parent(walk, &tree, block, &parent);
	return err ? err : sendcp_id_set_add(&walk->blocks, parent);
}

/* The references to @block; none if they are too many. */
static int collect(struct sendcp_backref_walk *walk, u64 bytenr, struct block *block)
{
	struct sendcp_cursor cursor;
	int err;

	walk->block_refs.count = 0;
	block->key_known = false;
	sendcp_cursor_init(&cursor, &walk->extent_tree);
	err = sendcp_extent_entry_find(&cursor, bytenr, true, &block->entry);
	if (!err && block->entry.refs <= SENDCP_CLONE_MAX_REFS)
		err = sendcp_backrefs_collect(&cursor, &block->entry, &walk->block_refs);
	sendcp_cursor_release(&cursor);
	return err;
}

/* Parents should be of a higher level, but it is the set, each block once, that ends the walk. */
static int add_parents(struct sendcp_backref_walk *walk, u64 bytenr)
{
	struct block block;
	u32 i;
	int ret;

	ret = collect(walk, bytenr, &block);
	for (i = 0; ret >= 0 && i < walk->block_refs.count; i++) {
		const struct sendcp_backref *ref = &walk->block_refs.refs[i];

		if (ref->parent)
			ret = sendcp_id_set_add(&walk->blocks, ref->parent);
		else
			ret = add_tree(walk, &block, ref->root);
	}
	return ret < 0 ? ret : 0;
}

int sendcp_leaf_roots(struct sendcp_backref_walk *walk, u64 bytenr)
{
	u32 i;
	int ret;

	sendcp_id_set_clear(&walk->roots);
	sendcp_id_set_clear(&walk->blocks);
	ret = sendcp_id_set_add(&walk->blocks, bytenr);
	for (i = 0; ret >= 0 && i < walk->blocks.count; i++)
		ret = add_parents(walk, walk->blocks.ids[i]);
	if (ret == -ENOMEM)
		return sendcp_fail_detail(walk->volume, SENDCP_ERR_NO_MEMORY, NULL);
	return ret < 0 ? ret : 0;
}
