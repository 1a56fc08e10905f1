// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Cursors: the blocks that one holds, and the item that it is on.
 */
#include "tree/internal.h"

void scp_cursor_init(struct scp_cursor *cursor, struct scp_tree *tree)
{
	memset(cursor, 0, sizeof(*cursor));
	cursor->tree = tree;
}

void scp_cursor_release(struct scp_cursor *cursor)
{
	int i;

	for (i = 0; i < SCP_MAX_LEVEL; i++) {
		if (cursor->path[i])
			scp_node_put(cursor->tree->volume, cursor->path[i]);
		cursor->path[i] = NULL;
		cursor->slot[i] = 0;
	}
}

struct scp_key scp_cursor_key(const struct scp_cursor *cursor)
{
	return scp_node_key(cursor->path[0], cursor->slot[0]);
}

const void *scp_cursor_item(const struct scp_cursor *cursor, u32 *size)
{
	return scp_node_item(cursor->path[0], cursor->slot[0], size);
}

int scp_cursor_item_least(struct scp_cursor *cursor, u32 least, const void **item, u32 *size)
{
	*item = scp_cursor_item(cursor, size);
	return *size < least ? scp_cursor_fail(cursor, SCP_ITEM_FORMAT) : 0;
}

int scp_cursor_fail(struct scp_cursor *cursor, enum scp_reason reason)
{
	struct scp_key key = { 0 };
	const struct scp_node *leaf = cursor->path[0];

	if (leaf && cursor->slot[0] < leaf->nritems)
		key = scp_cursor_key(cursor);
	return scp_fail(cursor->tree->volume, reason, 0, &(struct scp_place){
		.bytenr = leaf ? leaf->bytenr : 0,
		.root = cursor->tree->id,
		.inode = key.objectid,
		.offset = key.offset,
	});
}
