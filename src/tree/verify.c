// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Is this the tree block that was asked for, and is everything in it where it may be?
 *
 * On a mounted filesystem this is what makes reading beside the kernel sound: a block that was
 * freed and reused cannot pass all of these checks.
 */
#include "tree/internal.h"

static const struct sendcp_disk_header *node_header(const struct sendcp_node *node)
{
	return (const struct sendcp_disk_header *)node->data;
}

static enum sendcp_reason verify_csum(const struct sendcp_volume *volume,
				      const struct sendcp_node *node)
{
	u8 digest[SENDCP_CSUM_FIELD];

	if (sendcp_checksum(volume->csum_type, node->data + SENDCP_CSUM_FIELD,
			    volume->nodesize - SENDCP_CSUM_FIELD, digest))
		return SENDCP_ERR_CSUM_TYPE;
	if (memcmp(digest, node->data, volume->csum_size))
		return SENDCP_ERR_NODE_CSUM;
	return SENDCP_ERR_NONE;
}

/* Item data is without gaps from the block's end backwards and must not reach the item array. */
static bool leaf_items_ok(const struct sendcp_volume *volume, const struct sendcp_node *node)
{
	const struct sendcp_disk_item *items = (const void *)(node_header(node) + 1);
	u32 capacity = volume->nodesize - sizeof(struct sendcp_disk_header);
	u32 i, end = capacity;

	if (node->nritems > capacity / sizeof(*items))
		return false;
	for (i = 0; i < node->nritems; i++) {
		u32 offset = le32_to_cpu(items[i].offset);
		u32 size = le32_to_cpu(items[i].size);

		if (offset > end || size != end - offset)
			return false;
		end = offset;
	}
	return end >= node->nritems * sizeof(*items);
}

/* A generation of 0 would switch the check of the child's generation off. */
static bool inner_items_ok(const struct sendcp_volume *volume, const struct sendcp_node *node)
{
	const struct sendcp_disk_pointer *pointers = (const void *)(node_header(node) + 1);
	u32 capacity = volume->nodesize - sizeof(struct sendcp_disk_header);
	u32 i;

	if (!node->nritems || node->nritems > capacity / sizeof(*pointers))
		return false;
	for (i = 0; i < node->nritems; i++)
		if (!sendcp_is_aligned(le64_to_cpu(pointers[i].bytenr), volume->sectorsize) ||
		    !pointers[i].generation)
			return false;
	return true;
}

static bool keys_ascend(const struct sendcp_node *node)
{
	struct sendcp_key key, last;
	u32 i;

	for (i = 0; i < node->nritems; i++) {
		key = sendcp_node_key(node, i);
		if (i && sendcp_key_compare(&last, &key) >= 0)
			return false;
		last = key;
	}
	return true;
}

static bool items_ok(const struct sendcp_volume *volume, const struct sendcp_node *node)
{
	if (node->level ? !inner_items_ok(volume, node) : !leaf_items_ok(volume, node))
		return false;
	return keys_ascend(node);
}

enum sendcp_reason sendcp_node_fits(const struct sendcp_node *node,
				    const struct sendcp_node_expect *expect)
{
	struct sendcp_key first;

	if (expect->level >= 0 && node->level != expect->level)
		return SENDCP_ERR_NODE_LEVEL;
	if (!node->nritems)
		return expect->is_root && !node->level ? SENDCP_ERR_NONE : SENDCP_ERR_NODE_ITEMS;
	if (!expect->first_key)
		return SENDCP_ERR_NONE;
	first = sendcp_node_key(node, 0);
	return sendcp_key_compare(&first, expect->first_key) ? SENDCP_ERR_NODE_FIRST_KEY :
		SENDCP_ERR_NONE;
}

enum sendcp_reason sendcp_node_verify(const struct sendcp_volume *volume, struct sendcp_node *node,
				      const struct sendcp_node_expect *expect)
{
	const struct sendcp_disk_header *header = node_header(node);
	enum sendcp_reason reason = verify_csum(volume, node);

	if (reason)
		return reason;
	if (!sendcp_volume_owns_fsid(volume, header->fsid))
		return SENDCP_ERR_NODE_FSID;
	if (le64_to_cpu(header->bytenr) != expect->bytenr)
		return SENDCP_ERR_NODE_BYTENR;
	if (expect->generation && le64_to_cpu(header->generation) != expect->generation)
		return SENDCP_ERR_NODE_GENERATION;
	if (header->level >= SENDCP_MAX_LEVEL)
		return SENDCP_ERR_NODE_LEVEL;
	node->bytenr = expect->bytenr;
	node->generation = le64_to_cpu(header->generation);
	node->owner = le64_to_cpu(header->owner);
	node->nritems = le32_to_cpu(header->nritems);
	node->level = header->level;
	if (!items_ok(volume, node))
		return SENDCP_ERR_NODE_ITEMS;
	return sendcp_node_fits(node, expect);
}
