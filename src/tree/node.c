// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Obtaining a tree block: from the cache, or from the first mirror that passes every check.
 */
#include "tree/internal.h"
#include "volume/internal.h"

static int fail_node(struct scp_volume *volume, enum scp_reason reason, u64 bytenr)
{
	return scp_fail(volume, reason, 0, &(struct scp_place){ .bytenr = bytenr });
}

/*
 * Ranks the failures of mirrors by their value in a message: bad block, failed read, missing
 * device.
 */
static int failure_rank(const struct scp_error *error)
{
	if (error->reason == SCP_DEVICE_MISSING)
		return 1;
	return error->reason == SCP_DEVICE_READ ? 2 : 3;
}

static int node_read_mirror(struct scp_volume *volume, const struct scp_node_expect *expect,
			    int mirror, struct scp_node *node)
{
	enum scp_reason reason;
	int ret;

	volume->stats.node_reads++;
	ret = scp_volume_read_mirror(volume, expect->bytenr, volume->nodesize, mirror, node->data);
	if (ret)
		return ret;
	reason = scp_node_verify(volume, node, expect);
	return reason ? fail_node(volume, reason, expect->bytenr) : 0;
}

/* A mirror served although others failed with @why: warns the host, once for a block. */
static void node_repaired(struct scp_volume *volume, u64 bytenr, const struct scp_error *why)
{
	volume->stats.repairs++;
	volume->error = *why;
	if (scp_cache_note_repair(volume, bytenr))
		scp_volume_warn(volume);
	scp_error_clear(&volume->error);
}

static int node_read(struct scp_volume *volume, const struct scp_node_expect *expect,
		     struct scp_node *node)
{
	int mirror, ret, mirrors = scp_volume_mirrors(volume, expect->bytenr);
	struct scp_error why;

	if (mirrors < 0)
		return mirrors;
	scp_error_clear(&why);
	for (mirror = 0; mirror < mirrors; mirror++) {
		ret = node_read_mirror(volume, expect, mirror, node);
		if (scp_is_final(ret))
			return ret;
		if (!ret) {
			/* A missing device was reported when the volume was opened. */
			if (mirror && why.reason != SCP_DEVICE_MISSING)
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
static int check_interrupted(struct scp_volume *volume)
{
	const struct scp_host *host = volume->host;

	if (!scp_is_aligned(++volume->stats.node_lookups, INTERRUPT_CHECK_EVERY))
		return 0;
	if (volume->securing || !host->ops->interrupted ||
	    !host->ops->interrupted(host->private))
		return 0;
	return scp_fail_detail(volume, SCP_INTERRUPTED, NULL);
}

int scp_node_get(struct scp_volume *volume, const struct scp_node_expect *expect,
		 struct scp_node **out)
{
	struct scp_node *node;
	enum scp_reason reason;
	int ret;

	*out = NULL;
	ret = check_interrupted(volume);
	if (ret)
		return ret;
	node = scp_cache_get(volume, expect->bytenr, expect->generation);
	if (node) {
		reason = scp_node_fits(node, expect);
		if (reason) {
			scp_node_put(volume, node);
			return fail_node(volume, reason, expect->bytenr);
		}
		*out = node;
		return 0;
	}
	if (!scp_is_aligned(expect->bytenr, volume->sectorsize))
		return fail_node(volume, SCP_NODE_BYTENR, expect->bytenr);
	node = scp_node_alloc(volume);
	if (!node)
		return fail_node(volume, SCP_NO_MEMORY, expect->bytenr);
	ret = node_read(volume, expect, node);
	if (ret) {
		scp_node_free(volume, node);
		return ret;
	}
	scp_cache_add(volume, node);
	*out = node;
	return 0;
}

/* Items and pointers both begin with their key. */
static const struct scp_disk_key *node_disk_key(const struct scp_node *node, u32 slot)
{
	size_t each = node->level ? sizeof(struct scp_disk_pointer) : sizeof(struct scp_disk_item);

	return (const void *)(node->data + sizeof(struct scp_disk_header) + slot * each);
}

struct scp_key scp_node_key(const struct scp_node *node, u32 slot)
{
	return scp_key_from_disk(node_disk_key(node, slot));
}

static const struct scp_disk_pointer *node_pointer(const struct scp_node *node, u32 slot)
{
	return (const void *)node_disk_key(node, slot);
}

u64 scp_node_child_bytenr(const struct scp_node *node, u32 slot)
{
	return le64_to_cpu(node_pointer(node, slot)->bytenr);
}

u64 scp_node_child_generation(const struct scp_node *node, u32 slot)
{
	return le64_to_cpu(node_pointer(node, slot)->generation);
}

const void *scp_node_item(const struct scp_node *node, u32 slot, u32 *size)
{
	const struct scp_disk_item *item = (const void *)node_disk_key(node, slot);

	*size = le32_to_cpu(item->size);
	return node->data + sizeof(struct scp_disk_header) + le32_to_cpu(item->offset);
}

u32 scp_node_find(const struct scp_node *node, const struct scp_key *key)
{
	u32 low = 0, high = node->nritems;

	while (low < high) {
		u32 middle = low + (high - low) / 2;
		struct scp_key at = scp_node_key(node, middle);

		if (scp_key_compare(&at, key) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

void scp_node_expect_child(const struct scp_node *node, u32 slot, struct scp_key *key,
			   struct scp_node_expect *expect)
{
	*key = scp_node_key(node, slot);
	*expect = (struct scp_node_expect) {
		.bytenr = scp_node_child_bytenr(node, slot),
		.generation = scp_node_child_generation(node, slot),
		.level = node->level - 1,
		.first_key = key,
	};
}
