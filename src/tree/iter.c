// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The items of one object, one after the other.
 */
#include "tree/tree.h"

void scp_item_iter_init(struct scp_item_iter *iter, struct scp_tree *tree,
			const struct scp_key *from, u8 last_type)
{
	scp_cursor_init(&iter->cursor, tree);
	iter->from = *from;
	iter->last_type = last_type;
	iter->begun = false;
}

int scp_item_iter_next(struct scp_item_iter *iter)
{
	struct scp_key key;
	int ret;

	ret = iter->begun ? scp_next(&iter->cursor) : scp_search(&iter->cursor, &iter->from);
	if (ret < 0)
		return ret == -ENOENT ? 0 : ret;
	iter->begun = true;
	key = scp_cursor_key(&iter->cursor);
	return key.objectid == iter->from.objectid && key.type <= iter->last_type;
}

void scp_item_iter_release(struct scp_item_iter *iter)
{
	scp_cursor_release(&iter->cursor);
}

int scp_item_find(struct scp_cursor *cursor, const struct scp_key *from)
{
	struct scp_key key;
	int ret = scp_search(cursor, from);

	if (ret < 0)
		return ret;
	key = scp_cursor_key(cursor);
	return key.objectid == from->objectid && key.type == from->type ? 0 : -ENOENT;
}
