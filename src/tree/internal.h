/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Shared by the files of tree/ alone.
 */
#ifndef SCP_TREE_INTERNAL_H
#define SCP_TREE_INTERNAL_H

#include "tree/tree.h"

/* Most children one scp_node_prefetch() reads. */
#define SCP_PREFETCH_MAX 16u

/* verify.c */
/*
 * Is @node's data the block that @expect describes? Takes its header over into @node, if so.
 * SCP_NONE or what is wrong.
 */
enum scp_reason scp_node_verify(const struct scp_volume *volume, struct scp_node *node,
				const struct scp_node_expect *expect);
/* The part that depends on who points to the block: level, first key, emptiness. */
enum scp_reason scp_node_fits(const struct scp_node *node, const struct scp_node_expect *expect);

/* cache.c */
/* A node with space for a block, one user, not yet in the cache; NULL without memory. */
struct scp_node *scp_node_alloc(const struct scp_volume *volume);
void scp_node_free(const struct scp_volume *volume, struct scp_node *node);
/* The cached block, a reference taken, or NULL. @generation 0: any. */
struct scp_node *scp_cache_get(struct scp_volume *volume, u64 bytenr, u64 generation);
bool scp_cache_has(const struct scp_volume *volume, u64 bytenr, u64 generation);
void scp_cache_add(struct scp_volume *volume, struct scp_node *node);
/* The number of blocks that may be read ahead without evicting those in use. */
u32 scp_cache_prefetch_limit(const struct scp_volume *volume);
/* True the first time it is asked about @bytenr (as far as a small memory goes). */
bool scp_cache_note_repair(struct scp_volume *volume, u64 bytenr);
/* Memory for the reads of one prefetch. */
struct scp_prefetch {
	struct scp_io ios[SCP_PREFETCH_MAX];
	struct scp_node *nodes[SCP_PREFETCH_MAX];
	u32 slots[SCP_PREFETCH_MAX];
	u32 count;
};

struct scp_prefetch *scp_cache_prefetch_room(struct scp_volume *volume);

/* node.c */
/* Sets @expect to the parent's record of child @slot; @key must live as long as @expect. */
void scp_node_expect_child(const struct scp_node *node, u32 slot, struct scp_key *key,
			   struct scp_node_expect *expect);

#endif
