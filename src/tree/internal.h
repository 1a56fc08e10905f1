/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Shared by the files of tree/ alone.
 */
#ifndef SENDCP_TREE_INTERNAL_H
#define SENDCP_TREE_INTERNAL_H

#include "tree/tree.h"

/* Most children one sendcp_node_prefetch() reads. */
#define SENDCP_PREFETCH_MAX 16u

/* verify.c */
/*
 * Is @node's data the block that @expect describes? Takes its header over into @node, if so.
 * SENDCP_ERR_NONE or what is wrong.
 */
enum sendcp_reason sendcp_node_verify(const struct sendcp_volume *volume, struct sendcp_node *node,
				      const struct sendcp_node_expect *expect);
/* The part that depends on who points to the block: level, first key, emptiness. */
enum sendcp_reason sendcp_node_fits(const struct sendcp_node *node,
				    const struct sendcp_node_expect *expect);

/* cache.c */
/* A node with space for a block, one user, not yet in the cache; NULL without memory. */
struct sendcp_node *sendcp_node_alloc(const struct sendcp_volume *volume);
void sendcp_node_free(const struct sendcp_volume *volume, struct sendcp_node *node);
/* The cached block, a reference taken, or NULL. @generation 0: any. */
struct sendcp_node *sendcp_cache_get(struct sendcp_volume *volume, u64 bytenr, u64 generation);
bool sendcp_cache_has(const struct sendcp_volume *volume, u64 bytenr, u64 generation);
void sendcp_cache_add(struct sendcp_volume *volume, struct sendcp_node *node);
/* The number of blocks that may be read ahead without evicting those in use. */
u32 sendcp_cache_prefetch_limit(const struct sendcp_volume *volume);
/* True the first time it is asked about @bytenr (as far as a small memory goes). */
bool sendcp_cache_note_repair(struct sendcp_volume *volume, u64 bytenr);
/* Memory for the reads of one prefetch. */
struct sendcp_prefetch {
	struct sendcp_io ios[SENDCP_PREFETCH_MAX];
	struct sendcp_node *nodes[SENDCP_PREFETCH_MAX];
	u32 slots[SENDCP_PREFETCH_MAX];
	u32 count;
};

struct sendcp_prefetch *sendcp_cache_prefetch_room(struct sendcp_volume *volume);

/* node.c */
/* Sets @expect to the parent's record of child @slot; @key must live as long as @expect. */
void sendcp_node_expect_child(const struct sendcp_node *node, u32 slot, struct sendcp_key *key,
			      struct sendcp_node_expect *expect);

#endif
