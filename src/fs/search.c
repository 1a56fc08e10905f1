// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Searches and steps that follow a tree's moves.
 */
#include "fs/fs.h"

int scp_search_slot(struct scp_cursor *cursor, const struct scp_key *key, int level)
{
	int tries = SCP_LIVE_TRIES;
	struct scp_root_pointer used;
	int ret;

	do {
		used = cursor->tree->info.node;
		ret = scp_search_slot_once(cursor, key, level);
		if (ret >= 0)
			return ret;
		ret = scp_live_recover(cursor->tree, used, ret, &tries);
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
	if (!cursor->slot[0])
		return -ENOENT;
	cursor->slot[0]--;
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

/* Moves @cursor to the first item after its leaf by key. It stays where it is on failure. */
static int cursor_pass_leaf(struct scp_cursor *cursor)
{
	struct scp_cursor next = { .tree = cursor->tree, .walk = cursor->walk };
	struct scp_node *leaf = cursor->path[0];
	struct scp_key key = scp_node_key(leaf, leaf->nritems - 1);
	int ret;

	if (!scp_key_increment(&key))
		return -ENOENT;
	ret = scp_search_once(&next, &key);
	if (ret < 0) {
		scp_cursor_release(&next);
		return ret;
	}
	scp_cursor_release(cursor);
	*cursor = next;
	return 0;
}

int scp_next_leaf(struct scp_cursor *cursor)
{
	struct scp_root_pointer used = cursor_root(cursor);
	int tries = SCP_LIVE_TRIES;
	int ret = scp_next_leaf_once(cursor);

	while (ret < 0 && ret != -ENOENT) {
		ret = scp_live_recover(cursor->tree, used, ret, &tries);
		if (ret <= 0)
			return scp_search_fail(cursor, ret);
		used = cursor->tree->info.node;
		ret = cursor_pass_leaf(cursor);
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
