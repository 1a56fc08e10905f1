/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tree blocks: read, verified, cached by address and generation, counted references.
 *
 * A node handed out has passed every check (checksum, fsid, address, generation, level, first key,
 * item bounds and order), so that nothing above this layer needs to check positions inside it. The
 * contents of items are still untrusted.
 */
#ifndef SCP_TREE_NODE_H
#define SCP_TREE_NODE_H

#include "format/key.h"
#include "volume/volume.h"

struct scp_node {
	u64 bytenr;
	u64 generation;
	u64 owner;
	u32 nritems;
	u8 level;
	/* nodesize bytes, the block as it is on the disk. */
	u8 *data;
	/* The cache's own: users, hash chain, age. */
	u32 users;
	struct scp_node *hash_next;
	struct scp_node *lru_prev;
	struct scp_node *lru_next;
};

/* The attributes of a block that are known before it is read. */
struct scp_node_expect {
	u64 bytenr;
	/* 0: any. */
	u64 generation;
	/* -1: any. */
	int level;
	/* NULL: not known. */
	const struct scp_key *first_key;
	/* The block is a tree's root: it may be empty. */
	bool is_root;
};

/*
 * The block of that description, from the cache or from the first mirror that verifies. The caller
 * owns a reference and gives it back with scp_node_put(). On failure a negative errno and
 * volume->error; -EUCLEAN or -EIO may mean "moved" on a mounted filesystem, which fs/ sorts out.
 */
int scp_node_get(struct scp_volume *volume, const struct scp_node_expect *expect,
		 struct scp_node **out);
void scp_node_hold(struct scp_node *node);
void scp_node_put(struct scp_volume *volume, struct scp_node *node);

/*
 * Reads those of @node's children [@slot, @slot + @count) that are not cached, all with one call to
 * the host, and caches the ones that verify. Errors are left for scp_node_get() to find.
 */
void scp_node_prefetch(struct scp_volume *volume, struct scp_node *node, u32 slot, u32 count);

/* Key of item or pointer @slot < nritems. */
struct scp_key scp_node_key(const struct scp_node *node, u32 slot);
/* Address and generation of child @slot < nritems; level > 0 only. */
u64 scp_node_child_bytenr(const struct scp_node *node, u32 slot);
u64 scp_node_child_generation(const struct scp_node *node, u32 slot);
/* Bytes of item @slot < nritems; level 0 only. */
const void *scp_node_item(const struct scp_node *node, u32 slot, u32 *size);
/* Smallest slot whose key is >= @key; nritems if none. */
u32 scp_node_find(const struct scp_node *node, const struct scp_key *key);

#endif
