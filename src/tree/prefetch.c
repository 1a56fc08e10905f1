// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Reading the children of a node that a walk will come to next, all with one call to the host.
 *
 * Only the preferred plain mirror is read, and failures are silent: sendcp_node_get() will meet
 * them again with the means to deal with them.
 */
#include "tree/internal.h"
#include "volume/internal.h"

static void prefetch_add(struct sendcp_volume *volume, struct sendcp_prefetch *batch,
			 const struct sendcp_node *node, u32 slot)
{
	u64 bytenr = sendcp_node_child_bytenr(node, slot);
	struct sendcp_node *child;

	if (sendcp_cache_has(volume, bytenr, sendcp_node_child_generation(node, slot)))
		return;
	child = sendcp_node_alloc(volume);
	if (!child)
		return;
	if (sendcp_volume_plain_io(volume, bytenr, volume->nodesize, child->data,
				   &batch->ios[batch->count])) {
		sendcp_node_free(volume, child);
		return;
	}
	batch->nodes[batch->count] = child;
	batch->slots[batch->count++] = slot;
}

static void prefetch_take(struct sendcp_volume *volume, struct sendcp_prefetch *batch, u32 index,
			  const struct sendcp_node *parent)
{
	struct sendcp_node *child = batch->nodes[index];
	struct sendcp_node_expect expect;
	struct sendcp_key key;

	sendcp_node_expect_child(parent, batch->slots[index], &key, &expect);
	if (batch->ios[index].result ||
	    sendcp_node_verify(volume, child, &expect) != SENDCP_ERR_NONE) {
		sendcp_node_free(volume, child);
		return;
	}
	sendcp_cache_add(volume, child);
	sendcp_node_put(volume, child);
}

void sendcp_node_prefetch(struct sendcp_volume *volume, struct sendcp_node *node, u32 slot,
			  u32 count)
{
	struct sendcp_prefetch *batch = sendcp_cache_prefetch_room(volume);
	u32 i, limit = sendcp_cache_prefetch_limit(volume);
	int ret = 0;

	batch->count = 0;
	count = (u32)sendcp_min(count, node->nritems - sendcp_min(slot, node->nritems));
	for (i = slot; count && batch->count < limit; i++, count--)
		prefetch_add(volume, batch, node, i);
	if (!batch->count)
		return;
	ret = sendcp_device_read(volume, batch->ios, batch->count);
	volume->stats.node_reads += ret ? 0 : batch->count;
	for (i = 0; i < batch->count; i++) {
		if (ret)
			sendcp_node_free(volume, batch->nodes[i]);
		else
			prefetch_take(volume, batch, i, node);
	}
}
