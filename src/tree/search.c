// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Searching and stepping. Each first tries the tree as its root pointer gives it; if that fails and
 * the tree has another root by now (scp_tree.recover), it starts over from there.
 *
 * Blocks never change, so what was read before a move is right for the root it was reached from.
 * Starting over is by key: blocks and slots of one root mean nothing in another.
 */
#include "tree/internal.h"

int scp_search_fail(struct scp_cursor *cursor, int err)
{
	struct scp_error *error = &cursor->tree->volume->error;

	if (err && error->root == SCP_NOWHERE)
		error->root = cursor->tree->id;
	return err;
}

static int get_root(struct scp_tree *tree, struct scp_node **out)
{
	struct scp_node_expect expect = {
		.bytenr = tree->info.node.bytenr,
		.generation = tree->info.node.generation,
		.level = tree->info.node.level,
		.is_root = true,
	};

	return scp_node_get(tree->volume, &expect, out);
}

/* The key that everything below @cursor's slot at @level must come before; false: no bound. */
static bool upper_bound(const struct scp_cursor *cursor, int level, struct scp_key *bound)
{
	for (; level < SCP_MAX_LEVEL && cursor->path[level]; level++) {
		if (cursor->slot[level] + 1 == cursor->path[level]->nritems)
			continue;
		*bound = scp_node_key(cursor->path[level], cursor->slot[level] + 1);
		return true;
	}
	return false;
}

/*
 * A child's first key is its pointer's. Only with this do searches and walks of a damaged tree
 * find the same items, and do walks end.
 */
static int check_bound(struct scp_cursor *cursor, int level, const struct scp_node *child)
{
	struct scp_key bound, last;

	if (!upper_bound(cursor, level, &bound))
		return 0;
	last = scp_node_key(child, child->nritems - 1);
	if (scp_key_compare(&last, &bound) < 0)
		return 0;
	return scp_fail(cursor->tree->volume, SCP_NODE_ITEMS, 0, &(struct scp_place){
		.bytenr = child->bytenr, .root = cursor->tree->id });
}

/* The child that @cursor's slot at @level points to. */
static int get_child(struct scp_cursor *cursor, int level, struct scp_node **out)
{
	struct scp_volume *volume = cursor->tree->volume;
	struct scp_node *node = cursor->path[level];
	u32 slot = cursor->slot[level];
	struct scp_node_expect expect;
	struct scp_key key;
	int ret;

	scp_node_expect_child(node, slot, &key, &expect);
	if (cursor->readahead && level == 1 && !scp_cache_has(volume, expect.bytenr,
							      expect.generation))
		scp_node_prefetch(volume, node, slot, SCP_PREFETCH_MAX);
	ret = scp_node_get(volume, &expect, out);
	if (!ret)
		ret = check_bound(cursor, level, *out);
	if (!ret)
		return 0;
	if (*out)
		scp_node_put(volume, *out);
	*out = NULL;
	return ret;
}

int scp_cursor_to_root(struct scp_cursor *cursor)
{
	int level = cursor->tree->info.node.level;

	scp_cursor_release(cursor);
	cursor->slot[level] = 0;
	return scp_search_fail(cursor, get_root(cursor->tree, &cursor->path[level]));
}

int scp_cursor_descend(struct scp_cursor *cursor, int level)
{
	cursor->slot[level - 1] = 0;
	return scp_search_fail(cursor, get_child(cursor, level, &cursor->path[level - 1]));
}

static int search_slot_once(struct scp_cursor *cursor, const struct scp_key *key, int level)
{
	struct scp_node *node;
	struct scp_key at;
	bool exact;
	u32 slot;
	int ret;

	scp_cursor_release(cursor);
	ret = get_root(cursor->tree, &node);
	while (!ret) {
		slot = scp_node_find(node, key);
		exact = false;
		if (slot < node->nritems) {
			at = scp_node_key(node, slot);
			exact = !scp_key_compare(&at, key);
		}
		/* A child holds the keys from its pointer's on. */
		if (node->level && !exact && slot)
			slot--;
		cursor->path[node->level] = node;
		cursor->slot[node->level] = slot;
		if (node->level <= level)
			return exact ? 0 : 1;
		ret = get_child(cursor, node->level, &node);
	}
	scp_cursor_release(cursor);
	return scp_search_fail(cursor, ret);
}

/*
 * After failure @err in @tree, entered from the root @used. 1: start over; else what to return. See
 * scp_tree.recover.
 */
static int recover(struct scp_tree *tree, struct scp_root_pointer used, int err, int *tries)
{
	return tree->recover ? tree->recover(tree, used, err, tries) : err;
}

int scp_search_slot(struct scp_cursor *cursor, const struct scp_key *key, int level)
{
	int tries = SCP_RETRY_MAX;
	struct scp_root_pointer used;
	int ret;

	do {
		used = cursor->tree->info.node;
		ret = search_slot_once(cursor, key, level);
		if (ret >= 0)
			return ret;
		ret = recover(cursor->tree, used, ret, &tries);
	} while (ret > 0);
	return scp_search_fail(cursor, ret);
}

int scp_search(struct scp_cursor *cursor, const struct scp_key *key)
{
	int ret = scp_search_slot(cursor, key, 0);

	if (ret <= 0 || cursor->slot[0] < cursor->path[0]->nritems)
		return ret;
	ret = scp_next_leaf(cursor);
	return ret ? ret : 1;
}

int scp_search_exact(struct scp_cursor *cursor, const struct scp_key *key)
{
	int ret = scp_search_slot(cursor, key, 0);

	return ret > 0 ? -ENOENT : ret;
}

int scp_search_last(struct scp_cursor *cursor, const struct scp_key *key)
{
	int ret = scp_search_slot(cursor, key, 0);

	if (ret <= 0)
		return ret;
	/* Slot 0 and not exact: @key comes before the whole tree, see search_slot_once(). */
	if (!cursor->slot[0])
		return -ENOENT;
	cursor->slot[0]--;
	return 0;
}

/* Lowest level above the leaf at which @cursor can go right; -ENOENT: none. */
static int cursor_turn(const struct scp_cursor *cursor)
{
	int level;

	for (level = 1; level < SCP_MAX_LEVEL && cursor->path[level]; level++)
		if (cursor->slot[level] + 1 < cursor->path[level]->nritems)
			return level;
	return -ENOENT;
}

/* @cursor stays where it is on failure. */
static int next_leaf_once(struct scp_cursor *cursor)
{
	struct scp_cursor next = { .tree = cursor->tree, .readahead = cursor->readahead };
	int i, level, ret = 0;

	level = cursor_turn(cursor);
	if (!cursor->path[0] || level < 0)
		return -ENOENT;
	for (i = level; i < SCP_MAX_LEVEL && cursor->path[i]; i++) {
		next.path[i] = cursor->path[i];
		next.slot[i] = cursor->slot[i];
		scp_node_hold(next.path[i]);
	}
	next.slot[level]++;
	for (i = level; i && !ret; i--)
		ret = get_child(&next, i, &next.path[i - 1]);
	if (ret) {
		scp_cursor_release(&next);
		return scp_search_fail(cursor, ret);
	}
	scp_cursor_release(cursor);
	*cursor = next;
	return 0;
}

/* Root that the nodes in @cursor's path were reached from; the tree's may be newer. */
static struct scp_root_pointer cursor_root(const struct scp_cursor *cursor)
{
	struct scp_root_pointer root = cursor->tree->info.node;
	int level = SCP_MAX_LEVEL - 1;

	while (level && !cursor->path[level])
		level--;
	if (cursor->path[level]) {
		root.bytenr = cursor->path[level]->bytenr;
		root.generation = cursor->path[level]->generation;
	}
	return root;
}

/*
 * Moves @cursor to the first item after its leaf by key, in the tree's root as it is now. It stays
 * where it is on failure.
 */
static int pass_leaf_once(struct scp_cursor *cursor)
{
	struct scp_node *leaf = cursor->path[0];
	struct scp_key key = scp_node_key(leaf, leaf->nritems - 1);
	/* The caller counts the tries: failures must come back to it. */
	struct scp_tree still = *cursor->tree;
	struct scp_cursor next = { .tree = &still, .readahead = cursor->readahead };
	int ret;

	still.recover = NULL;
	if (!scp_key_increment(&key))
		return -ENOENT;
	ret = scp_search(&next, &key);
	if (ret < 0) {
		scp_cursor_release(&next);
		return ret;
	}
	next.tree = cursor->tree;
	scp_cursor_release(cursor);
	*cursor = next;
	return 0;
}

int scp_next_leaf(struct scp_cursor *cursor)
{
	struct scp_root_pointer used = cursor_root(cursor);
	int tries = SCP_RETRY_MAX;
	int ret = next_leaf_once(cursor);

	while (ret < 0 && ret != -ENOENT) {
		ret = recover(cursor->tree, used, ret, &tries);
		if (ret <= 0)
			return scp_search_fail(cursor, ret);
		used = cursor->tree->info.node;
		ret = pass_leaf_once(cursor);
	}
	return ret;
}

int scp_next(struct scp_cursor *cursor)
{
	if (cursor->path[0] && cursor->slot[0] + 1 < cursor->path[0]->nritems) {
		cursor->slot[0]++;
		return 0;
	}
	return scp_next_leaf(cursor);
}
