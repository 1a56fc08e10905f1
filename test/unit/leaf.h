/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A handmade leaf with a cursor on it, for what reads items and needs no filesystem around them.
 */
#ifndef TEST_UNIT_LEAF_H
#define TEST_UNIT_LEAF_H

#include "fs/fs.h"

struct leaf {
	struct sendcp_volume volume;
	struct sendcp_tree tree;
	struct sendcp_node node;
	/* At the item added last. */
	struct sendcp_cursor cursor;
	/* Offset in the block of the last item's bytes. */
	u32 data_start;
	u8 block[4096];
};

/* An empty leaf of a volume with sectors and nodes of 4096 bytes. */
void leaf_init(struct leaf *leaf);
/* Appends an item; keys must come in ascending order. */
void leaf_add(struct leaf *leaf, u64 objectid, u8 type, u64 offset, const void *data, u32 size);

#endif
