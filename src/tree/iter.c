// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The items of one object, one after the other.
 */
#include "tree/tree.h"

void sendcp_item_iter_init(struct sendcp_item_iter *iter, struct sendcp_tree *tree,
			   const struct sendcp_key *from, u8 last_type)
{
	sendcp_cursor_init(&iter->cursor, tree);
	iter->from = *from;
	iter->last_type = last_type;
	iter->begun = false;
}

int sendcp_item_iter_next(struct sendcp_item_iter *iter)
{
	struct sendcp_key key;
	int ret;

	ret = iter->begun ? sendcp_next(&iter->cursor) : sendcp_search(&iter->cursor, &iter->from);
	if (ret < 0)
		return ret == -ENOENT ? 0 : ret;
	iter->begun = true;
	key = sendcp_cursor_key(&iter->cursor);
	return key.objectid == iter->from.objectid && key.type <= iter->last_type;
}

void sendcp_item_iter_release(struct sendcp_item_iter *iter)
{
	sendcp_cursor_release(&iter->cursor);
}

int sendcp_item_find(struct sendcp_cursor *cursor, const struct sendcp_key *from)
{
	struct sendcp_key key;
	int ret = sendcp_search(cursor, from);

	if (ret < 0)
		return ret;
	key = sendcp_cursor_key(cursor);
	return key.objectid == from->objectid && key.type == from->type ? 0 : -ENOENT;
}
