// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Obtaining a tree block: from the cache, or from the first mirror that passes every check.
 */
#include "tree/internal.h"
#include "volume/internal.h"

static int fail_node(struct sendcp_volume *volume, enum sendcp_reason reason, u64 bytenr)
{
	return sendcp_fail(volume, reason, 0, &(struct sendcp_place){ .bytenr = bytenr });
}

/*
 * Ranks the failures of mirrors by their value in a message: bad block, failed read, missing
 * device.
 */
static int failure_rank(const struct sendcp_error *error)
{
	if (error->reason == SENDCP_ERR_DEVICE_MISSING)
		return 1;
	return error->reason == SENDCP_ERR_DEVICE_READ ? 2 : 3;
}

static int node_read_mirror(struct sendcp_volume *volume, const struct sendcp_node_expect *expect,
			    int mirror, struct sendcp_node *node)
{
	enum sendcp_reason reason;
	int ret;

	volume->stats.node_reads++;
	ret = sendcp_volume_read_mirror(volume, expect->bytenr, volume->nodesize, mirror,
					node->data);
	if (ret)
		return ret;
	reason = sendcp_node_verify(volume, node, expect);
	return reason ? fail_node(volume, reason, expect->bytenr) : 0;
}

/* A mirror served although others failed with @why: warns the host, once for a block. */
static void node_repaired(struct sendcp_volume *volume, u64 bytenr, const struct sendcp_error *why)
{
	volume->stats.repairs++;
	volume->error = *why;
	if (sendcp_cache_note_repair(volume, bytenr))
		sendcp_volume_warn(volume);
	sendcp_error_clear(&volume->error);
}

static int node_read(struct sendcp_volume *volume, const struct sendcp_node_expect *expect,
		     struct sendcp_node *node)
{
	int mirror, ret, mirrors = sendcp_volume_mirrors(volume, expect->bytenr);
	struct sendcp_error why;

	if (mirrors < 0)
		return mirrors;
	sendcp_error_clear(&why);
	for (mirror = 0; mirror < mirrors; mirror++) {
		ret = node_read_mirror(volume, expect, mirror, node);
		if (sendcp_is_final(ret))
			return ret;
		if (!ret) {
			/* A missing device was reported when the volume was opened. */
			if (mirror && why.reason != SENDCP_ERR_DEVICE_MISSING)
				node_repaired(volume, expect->bytenr, &why);
			return 0;
		}
		if (!why.reason || failure_rank(&volume->error) > failure_rank(&why))
			why = volume->error;
	}
	volume->error = why;
	return why.err;
}

/* Blocks looked up between two checks whether to stop. A power of two. */
#define INTERRUPT_CHECK_EVERY 256u

/* Reading asks by itself; long work on blocks that are all cached must be stoppable, too. */
static int check_interrupted(struct sendcp_volume *volume)
{
	const struct sendcp_host *host = volume->host;

	if (!sendcp_is_aligned(++volume->stats.node_lookups, INTERRUPT_CHECK_EVERY))
		return 0;
	if (volume->securing || !host->ops->interrupted ||
	    !host->ops->interrupted(host->private))
		return 0;
	return sendcp_fail_detail(volume, SENDCP_ERR_INTERRUPTED, NULL);
}

int sendcp_node_get(struct sendcp_volume *volume, const struct sendcp_node_expect *expect,
		    struct sendcp_node **out)
{
	struct sendcp_node *node;
	enum sendcp_reason reason;
	int ret;

	*out = NULL;
	ret = check_interrupted(volume);
	if (ret)
		return ret;
	node = sendcp_cache_get(volume, expect->bytenr, expect->generation);
	if (node) {
		reason = sendcp_node_fits(node, expect);
		if (reason) {
			sendcp_node_put(volume, node);
			return fail_node(volume, reason, expect->bytenr);
		}
		*out = node;
		return 0;
	}
	if (!sendcp_is_aligned(expect->bytenr, volume->sectorsize))
		return fail_node(volume, SENDCP_ERR_NODE_BYTENR, expect->bytenr);
	node = sendcp_node_alloc(volume);
	if (!node)
		return fail_node(volume, SENDCP_ERR_NO_MEMORY, expect->bytenr);
	ret = node_read(volume, expect, node);
	if (ret) {
		sendcp_node_free(volume, node);
		return ret;
	}
	sendcp_cache_add(volume, node);
	*out = node;
	return 0;
}

/* Items and pointers both begin with their key. */
static const struct sendcp_disk_key *node_disk_key(const struct sendcp_node *node, u32 slot)
{
	size_t each = node->level ? sizeof(struct sendcp_disk_pointer) :
		sizeof(struct sendcp_disk_item);

	return (const void *)(node->data + sizeof(struct sendcp_disk_header) + slot * each);
}

struct sendcp_key sendcp_node_key(const struct sendcp_node *node, u32 slot)
{
	return sendcp_key_from_disk(node_disk_key(node, slot));
}

static const struct sendcp_disk_pointer *node_pointer(const struct sendcp_node *node, u32 slot)
{
	return (const void *)node_disk_key(node, slot);
}

u64 sendcp_node_child_bytenr(const struct sendcp_node *node, u32 slot)
{
	return le64_to_cpu(node_pointer(node, slot)->bytenr);
}

u64 sendcp_node_child_generation(const struct sendcp_node *node, u32 slot)
{
	return le64_to_cpu(node_pointer(node, slot)->generation);
}

const void *sendcp_node_item(const struct sendcp_node *node, u32 slot, u32 *size)
{
	const struct sendcp_disk_item *item = (const void *)node_disk_key(node, slot);

	*size = le32_to_cpu(item->size);
	return node->data + sizeof(struct sendcp_disk_header) + le32_to_cpu(item->offset);
}

u32 sendcp_node_find(const struct sendcp_node *node, const struct sendcp_key *key)
{
	u32 low = 0, high = node->nritems;

	while (low < high) {
		u32 middle = low + (high - low) / 2;
		struct sendcp_key at = sendcp_node_key(node, middle);

		if (sendcp_key_compare(&at, key) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

void sendcp_node_expect_child(const struct sendcp_node *node, u32 slot, struct sendcp_key *key,
			      struct sendcp_node_expect *expect)
{
	*key = sendcp_node_key(node, slot);
	*expect = (struct sendcp_node_expect) {
		.bytenr = sendcp_node_child_bytenr(node, slot),
		.generation = sendcp_node_child_generation(node, slot),
		.level = node->level - 1,
		.first_key = key,
	};
}
