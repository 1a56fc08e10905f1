// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Reading the children of a node that a walk will come to next, all with one call to the host.
 *
 * Only the preferred plain mirror is read, and failures are silent: scp_node_get() will meet them
 * again with the means to deal with them.
 */
#include "tree/internal.h"
#include "volume/internal.h"

static void prefetch_add(struct scp_volume *volume, struct scp_prefetch *batch,
			 const struct scp_node *node, u32 slot)
{
	u64 bytenr = scp_node_child_bytenr(node, slot);
	struct scp_node *child;

	if (scp_cache_has(volume, bytenr, scp_node_child_generation(node, slot)))
		return;
	child = scp_node_alloc(volume);
	if (!child)
		return;
	if (scp_volume_plain_io(volume, bytenr, volume->nodesize, child->data,
				&batch->ios[batch->count])) {
		scp_node_free(volume, child);
		return;
	}
	batch->nodes[batch->count] = child;
	batch->slots[batch->count++] = slot;
}

static void prefetch_take(struct scp_volume *volume, struct scp_prefetch *batch, u32 index,
			  const struct scp_node *parent)
{
	struct scp_node *child = batch->nodes[index];
	struct scp_node_expect expect;
	struct scp_key key;

	scp_node_expect_child(parent, batch->slots[index], &key, &expect);
	if (batch->ios[index].result ||
	    scp_node_verify(volume, child, &expect) != SCP_NONE) {
		scp_node_free(volume, child);
		return;
	}
	scp_cache_add(volume, child);
	scp_node_put(volume, child);
}

void scp_node_prefetch(struct scp_volume *volume, struct scp_node *node, u32 slot, u32 count)
{
	struct scp_prefetch *batch = scp_cache_prefetch_room(volume);
	u32 i, limit = scp_cache_prefetch_limit(volume);
	int ret = 0;

	batch->count = 0;
	count = (u32)scp_min(count, node->nritems - scp_min(slot, node->nritems));
	for (i = slot; count && batch->count < limit; i++, count--)
		prefetch_add(volume, batch, node, i);
	if (!batch->count)
		return;
	ret = scp_device_read(volume, batch->ios, batch->count);
	volume->stats.node_reads += ret ? 0 : batch->count;
	for (i = 0; i < batch->count; i++) {
		if (ret)
			scp_node_free(volume, batch->nodes[i]);
		else
			prefetch_take(volume, batch, i, node);
	}
}
