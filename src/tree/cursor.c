// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Cursors: the blocks that one holds, and the item that it is on.
 */
#include "tree/internal.h"

void sendcp_cursor_init(struct sendcp_cursor *cursor, struct sendcp_tree *tree)
{
	memset(cursor, 0, sizeof(*cursor));
	cursor->tree = tree;
}

void sendcp_cursor_release(struct sendcp_cursor *cursor)
{
	int i;

	for (i = 0; i < SENDCP_MAX_LEVEL; i++) {
		if (cursor->path[i])
			sendcp_node_put(cursor->tree->volume, cursor->path[i]);
		cursor->path[i] = NULL;
		cursor->slot[i] = 0;
	}
}

struct sendcp_key sendcp_cursor_key(const struct sendcp_cursor *cursor)
{
	return sendcp_node_key(cursor->path[0], cursor->slot[0]);
}

const void *sendcp_cursor_item(const struct sendcp_cursor *cursor, u32 *size)
{
	return sendcp_node_item(cursor->path[0], cursor->slot[0], size);
}

int sendcp_cursor_item_least(struct sendcp_cursor *cursor, u32 least, const void **item, u32 *size)
{
	*item = sendcp_cursor_item(cursor, size);
	return *size < least ? sendcp_cursor_fail(cursor, SENDCP_ERR_ITEM_FORMAT) : 0;
}

int sendcp_cursor_fail(struct sendcp_cursor *cursor, enum sendcp_reason reason)
{
	struct sendcp_key key = { 0 };
	const struct sendcp_node *leaf = cursor->path[0];

	if (leaf && cursor->slot[0] < leaf->nritems)
		key = sendcp_cursor_key(cursor);
	return sendcp_fail(cursor->tree->volume, reason, 0, &(struct sendcp_place){
		.bytenr = leaf ? leaf->bytenr : 0,
		.root = cursor->tree->id,
		.inode = key.objectid,
		.offset = key.offset,
	});
}
