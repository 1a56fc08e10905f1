// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Is this the tree block that was asked for, and is everything in it where it may be?
 *
 * On a mounted filesystem this is what makes reading beside the kernel sound: a block that was
 * freed and reused cannot pass all of these checks.
 */
#include "tree/internal.h"

static const struct scp_disk_header *node_header(const struct scp_node *node)
{
	return (const struct scp_disk_header *)node->data;
}

static enum scp_reason verify_csum(const struct scp_volume *volume, const struct scp_node *node)
{
	u8 digest[SCP_CSUM_FIELD];

	if (scp_checksum(volume->csum_type, node->data + SCP_CSUM_FIELD,
			 volume->nodesize - SCP_CSUM_FIELD, digest))
		return SCP_CSUM_TYPE;
	if (memcmp(digest, node->data, volume->csum_size))
		return SCP_NODE_CSUM;
	return SCP_NONE;
}

/* Item data is without gaps from the block's end backwards and must not reach the item array. */
static bool leaf_items_ok(const struct scp_volume *volume, const struct scp_node *node)
{
	const struct scp_disk_item *items = (const void *)(node_header(node) + 1);
	u32 capacity = volume->nodesize - sizeof(struct scp_disk_header);
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
static bool inner_items_ok(const struct scp_volume *volume, const struct scp_node *node)
{
	const struct scp_disk_pointer *pointers = (const void *)(node_header(node) + 1);
	u32 capacity = volume->nodesize - sizeof(struct scp_disk_header);
	u32 i;

	if (!node->nritems || node->nritems > capacity / sizeof(*pointers))
		return false;
	for (i = 0; i < node->nritems; i++)
		if (!scp_is_aligned(le64_to_cpu(pointers[i].bytenr), volume->sectorsize) ||
		    !pointers[i].generation)
			return false;
	return true;
}

static bool keys_ascend(const struct scp_node *node)
{
	struct scp_key key, last;
	u32 i;

	for (i = 0; i < node->nritems; i++) {
		key = scp_node_key(node, i);
		if (i && scp_key_compare(&last, &key) >= 0)
			return false;
		last = key;
	}
	return true;
}

static bool items_ok(const struct scp_volume *volume, const struct scp_node *node)
{
	if (node->level ? !inner_items_ok(volume, node) : !leaf_items_ok(volume, node))
		return false;
	return keys_ascend(node);
}

enum scp_reason scp_node_fits(const struct scp_node *node, const struct scp_node_expect *expect)
{
	struct scp_key first;

	if (expect->level >= 0 && node->level != expect->level)
		return SCP_NODE_LEVEL;
	if (!node->nritems)
		return expect->is_root && !node->level ? SCP_NONE : SCP_NODE_ITEMS;
	if (!expect->first_key)
		return SCP_NONE;
	first = scp_node_key(node, 0);
	return scp_key_compare(&first, expect->first_key) ? SCP_NODE_FIRST_KEY : SCP_NONE;
}

enum scp_reason scp_node_verify(const struct scp_volume *volume, struct scp_node *node,
				const struct scp_node_expect *expect)
{
	const struct scp_disk_header *header = node_header(node);
	enum scp_reason reason = verify_csum(volume, node);

	if (reason)
		return reason;
	if (!scp_volume_owns_fsid(volume, header->fsid))
		return SCP_NODE_FSID;
	if (le64_to_cpu(header->bytenr) != expect->bytenr)
		return SCP_NODE_BYTENR;
	if (expect->generation && le64_to_cpu(header->generation) != expect->generation)
		return SCP_NODE_GENERATION;
	if (header->level >= SCP_MAX_LEVEL)
		return SCP_NODE_LEVEL;
	node->bytenr = expect->bytenr;
	node->generation = le64_to_cpu(header->generation);
	node->owner = le64_to_cpu(header->owner);
	node->nritems = le32_to_cpu(header->nritems);
	node->level = header->level;
	if (!items_ok(volume, node))
		return SCP_NODE_ITEMS;
	return scp_node_fits(node, expect);
}
