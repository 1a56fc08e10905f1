// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Handmade leaves.
 */
#include "leaf.h"

void leaf_init(struct leaf *leaf)
{
	memset(leaf, 0, sizeof(*leaf));
	leaf->volume.sectorsize = sizeof(leaf->block);
	leaf->volume.nodesize = sizeof(leaf->block);
	leaf->tree.volume = &leaf->volume;
	leaf->tree.id = 257;
	leaf->node.bytenr = 30539776;
	leaf->node.users = 1;
	leaf->node.data = leaf->block;
	leaf->data_start = sizeof(leaf->block);
	sendcp_cursor_init(&leaf->cursor, &leaf->tree);
	leaf->cursor.path[0] = &leaf->node;
}

void leaf_add(struct leaf *leaf, u64 objectid, u8 type, u64 offset, const void *data, u32 size)
{
	struct sendcp_disk_header *header = (void *)leaf->block;
	u32 slot = leaf->node.nritems++;
	struct sendcp_disk_item item = {
		.key = { cpu_to_le64(objectid), type, cpu_to_le64(offset) },
		.size = cpu_to_le32(size),
	};

	leaf->data_start -= size;
	item.offset = cpu_to_le32(leaf->data_start - (u32)sizeof(*header));
	memcpy(leaf->block + sizeof(*header) + slot * sizeof(item), &item, sizeof(item));
	memcpy(leaf->block + leaf->data_start, data, size);
	header->nritems = cpu_to_le32(leaf->node.nritems);
	leaf->cursor.slot[0] = slot;
}
