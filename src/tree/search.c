// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Searching and stepping. Each first tries the tree as its root pointer gives it; if that fails and
 * the tree has another root by now (sendcp_tree.recover), it starts over from there.
 *
 * Blocks never change, so what was read before a move is right for the root it was reached from.
 * Starting over is by key: blocks and slots of one root mean nothing in another.
 */
#include "tree/internal.h"

int sendcp_search_fail(struct sendcp_cursor *cursor, int err)
{
	struct sendcp_error *error = &cursor->tree->volume->error;

	if (err && error->root == SENDCP_NOWHERE)
		error->root = cursor->tree->id;
	return err;
}

static int get_root(struct sendcp_tree *tree, struct sendcp_node **out)
{
	struct sendcp_node_expect expect = {
		.bytenr = tree->info.node.bytenr,
		.generation = tree->info.node.generation,
		.level = tree->info.node.level,
		.is_root = true,
	};

	return sendcp_node_get(tree->volume, &expect, out);
}

/* The key that everything below @cursor's slot at @level must come before; false: no bound. */
static bool upper_bound(const struct sendcp_cursor *cursor, int level, struct sendcp_key *bound)
{
	for (; level < SENDCP_MAX_LEVEL && cursor->path[level]; level++) {
		if (cursor->slot[level] + 1 == cursor->path[level]->nritems)
			continue;
		*bound = sendcp_node_key(cursor->path[level], cursor->slot[level] + 1);
		return true;
	}
	return false;
}

/*
 * A child's first key is its pointer's. Only with this do searches and walks of a damaged tree
 * find the same items, and do walks end.
 */
static int check_bound(struct sendcp_cursor *cursor, int level, const struct sendcp_node *child)
{
	struct sendcp_key bound, last;

	if (!upper_bound(cursor, level, &bound))
		return 0;
	last = sendcp_node_key(child, child->nritems - 1);
	if (sendcp_key_compare(&last, &bound) < 0)
		return 0;
	return sendcp_fail(cursor->tree->volume, SENDCP_ERR_NODE_ITEMS, 0, &(struct sendcp_place){
		.bytenr = child->bytenr, .root = cursor->tree->id });
}

/* The child that @cursor's slot at @level points to. */
static int get_child(struct sendcp_cursor *cursor, int level, struct sendcp_node **out)
{
	struct sendcp_volume *volume = cursor->tree->volume;
	struct sendcp_node *node = cursor->path[level];
	u32 slot = cursor->slot[level];
	struct sendcp_node_expect expect;
	struct sendcp_key key;
	int ret;

	sendcp_node_expect_child(node, slot, &key, &expect);
	if (cursor->readahead && level == 1 && !sendcp_cache_has(volume, expect.bytenr,
								 expect.generation))
		sendcp_node_prefetch(volume, node, slot, SENDCP_PREFETCH_MAX);
	ret = sendcp_node_get(volume, &expect, out);
	if (!ret)
		ret = check_bound(cursor, level, *out);
	if (!ret)
		return 0;
	if (*out)
		sendcp_node_put(volume, *out);
	*out = NULL;
	return ret;
}

int sendcp_cursor_to_root(struct sendcp_cursor *cursor)
{
	int level = cursor->tree->info.node.level;

	sendcp_cursor_release(cursor);
	cursor->slot[level] = 0;
	return sendcp_search_fail(cursor, get_root(cursor->tree, &cursor->path[level]));
}

int sendcp_cursor_descend(struct sendcp_cursor *cursor, int level)
{
	cursor->slot[level - 1] = 0;
	return sendcp_search_fail(cursor, get_child(cursor, level, &cursor->path[level - 1]));
}

static int search_slot_once(struct sendcp_cursor *cursor, const struct sendcp_key *key, int level)
{
	struct sendcp_node *node;
	struct sendcp_key at;
	bool exact;
	u32 slot;
	int ret;

	sendcp_cursor_release(cursor);
	ret = get_root(cursor->tree, &node);
	while (!ret) {
		slot = sendcp_node_find(node, key);
		exact = false;
		if (slot < node->nritems) {
			at = sendcp_node_key(node, slot);
			exact = !sendcp_key_compare(&at, key);
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
	sendcp_cursor_release(cursor);
	return sendcp_search_fail(cursor, ret);
}

/*
 * After failure @err in @tree, entered from the root @used. 1: start over; else what to return. See
 * sendcp_tree.recover.
 */
static int recover(struct sendcp_tree *tree, struct sendcp_root_pointer used, int err, int *tries)
{
	return tree->recover ? tree->recover(tree, used, err, tries) : err;
}

int sendcp_search_slot(struct sendcp_cursor *cursor, const struct sendcp_key *key, int level)
{
	int tries = SENDCP_RETRY_MAX;
	struct sendcp_root_pointer used;
	int ret;

	do {
		used = cursor->tree->info.node;
		ret = search_slot_once(cursor, key, level);
		if (ret >= 0)
			return ret;
		ret = recover(cursor->tree, used, ret, &tries);
	} while (ret > 0);
	return sendcp_search_fail(cursor, ret);
}

/*
 * If the tree moved on the way to the next leaf, it may have got items since that come before @key,
 * or @key itself: then it is searched again. Without a move the next leaf's keys are greater.
 */
/* NOLINTNEXTLINE(misc-no-recursion): two deep, since pass_leaf_once() has failures come back. */
int sendcp_search(struct sendcp_cursor *cursor, const struct sendcp_key *key)
{
	struct sendcp_tree *tree = cursor->tree;
	int tries = SENDCP_RETRY_MAX;
	struct sendcp_key found;
	int ret;

	do {
		ret = sendcp_search_slot(cursor, key, 0);
		if (ret <= 0 || cursor->slot[0] < cursor->path[0]->nritems)
			return ret;
		ret = sendcp_next_leaf(cursor);
		if (ret)
			return ret;
		found = sendcp_cursor_key(cursor);
		ret = sendcp_key_compare(&found, key);
	} while (ret < 0 && tries--);
	if (ret < 0)
		return sendcp_fail(tree->volume, SENDCP_ERR_MOVED_TOO_OFTEN, 0,
				   &(struct sendcp_place){ .root = tree->id });
	return ret ? 1 : 0;
}

int sendcp_search_exact(struct sendcp_cursor *cursor, const struct sendcp_key *key)
{
	int ret = sendcp_search_slot(cursor, key, 0);

	return ret > 0 ? -ENOENT : ret;
}

int sendcp_search_last(struct sendcp_cursor *cursor, const struct sendcp_key *key)
{
	int ret = sendcp_search_slot(cursor, key, 0);

	if (ret <= 0)
		return ret;
	/* Slot 0 and not exact: @key comes before the whole tree, see search_slot_once(). */
	if (!cursor->slot[0])
		return -ENOENT;
	cursor->slot[0]--;
	return 0;
}

/* Lowest level above the leaf at which @cursor can go right; -ENOENT: none. */
static int cursor_turn(const struct sendcp_cursor *cursor)
{
	int level;

	for (level = 1; level < SENDCP_MAX_LEVEL && cursor->path[level]; level++)
		if (cursor->slot[level] + 1 < cursor->path[level]->nritems)
			return level;
	return -ENOENT;
}

/* @cursor stays where it is on failure. */
static int next_leaf_once(struct sendcp_cursor *cursor)
{
	struct sendcp_cursor next = { .tree = cursor->tree, .readahead = cursor->readahead };
	int i, level, ret = 0;

	level = cursor_turn(cursor);
	if (!cursor->path[0] || level < 0)
		return -ENOENT;
	for (i = level; i < SENDCP_MAX_LEVEL && cursor->path[i]; i++) {
		next.path[i] = cursor->path[i];
		next.slot[i] = cursor->slot[i];
		sendcp_node_hold(next.path[i]);
	}
	next.slot[level]++;
	for (i = level; i && !ret; i--)
		ret = get_child(&next, i, &next.path[i - 1]);
	if (ret) {
		sendcp_cursor_release(&next);
		return sendcp_search_fail(cursor, ret);
	}
	sendcp_cursor_release(cursor);
	*cursor = next;
	return 0;
}

/* Root that the nodes in @cursor's path were reached from; the tree's may be newer. */
static struct sendcp_root_pointer cursor_root(const struct sendcp_cursor *cursor)
{
	struct sendcp_root_pointer root = cursor->tree->info.node;
	int level = SENDCP_MAX_LEVEL - 1;

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
/* NOLINTNEXTLINE(misc-no-recursion): see sendcp_search(). */
static int pass_leaf_once(struct sendcp_cursor *cursor)
{
	struct sendcp_node *leaf = cursor->path[0];
	struct sendcp_key key = sendcp_node_key(leaf, leaf->nritems - 1);
	/* The caller counts the tries: failures must come back to it. */
	struct sendcp_tree still = *cursor->tree;
	struct sendcp_cursor next = { .tree = &still, .readahead = cursor->readahead };
	int ret;

	still.recover = NULL;
	if (!sendcp_key_increment(&key))
		return -ENOENT;
	ret = sendcp_search(&next, &key);
	if (ret < 0) {
		sendcp_cursor_release(&next);
		return ret;
	}
	next.tree = cursor->tree;
	sendcp_cursor_release(cursor);
	*cursor = next;
	return 0;
}

/* NOLINTNEXTLINE(misc-no-recursion): see sendcp_search(). */
int sendcp_next_leaf(struct sendcp_cursor *cursor)
{
	struct sendcp_root_pointer used = cursor_root(cursor);
	int tries = SENDCP_RETRY_MAX;
	int ret = next_leaf_once(cursor);

	while (ret < 0 && ret != -ENOENT) {
		ret = recover(cursor->tree, used, ret, &tries);
		if (ret <= 0)
			return sendcp_search_fail(cursor, ret);
		used = cursor->tree->info.node;
		ret = pass_leaf_once(cursor);
	}
	return ret;
}

int sendcp_next(struct sendcp_cursor *cursor)
{
	if (cursor->path[0] && cursor->slot[0] + 1 < cursor->path[0]->nritems) {
		cursor->slot[0]++;
		return 0;
	}
	return sendcp_next_leaf(cursor);
}
