/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tree blocks: read, verified, cached by address and generation, counted references.
 *
 * A node handed out has passed every check (checksum, fsid, address, generation, level, first key,
 * item bounds and order), so that nothing above this layer needs to check positions inside it. The
 * contents of items are still untrusted.
 */
#ifndef SENDCP_TREE_NODE_H
#define SENDCP_TREE_NODE_H

#include "format/key.h"
#include "volume/volume.h"

struct sendcp_node {
	u64 bytenr;
	u64 generation;
	u64 owner;
	u32 nritems;
	u8 level;
	/* nodesize bytes, the block as it is on the disk. */
	u8 *data;
	/* The cache's own: users, hash chain, age. */
	u32 users;
	struct sendcp_node *hash_next;
	struct sendcp_node *lru_prev;
	struct sendcp_node *lru_next;
};

/* The attributes of a block that are known before it is read. */
struct sendcp_node_expect {
	u64 bytenr;
	/* 0: any. */
	u64 generation;
	/* -1: any. */
	int level;
	/* NULL: not known. */
	const struct sendcp_key *first_key;
	/* The block is a tree's root: it may be empty. */
	bool is_root;
};

/*
 * The block of that description, from the cache or from the first mirror that verifies. The caller
 * owns a reference and gives it back with sendcp_node_put(). On failure a negative errno and
 * volume->error; -EUCLEAN or -EIO may mean "moved" on a mounted filesystem, which fs/ sorts out.
 */
int sendcp_node_get(struct sendcp_volume *volume, const struct sendcp_node_expect *expect,
		    struct sendcp_node **out);
void sendcp_node_hold(struct sendcp_node *node);
void sendcp_node_put(struct sendcp_volume *volume, struct sendcp_node *node);

/*
 * Reads those of @node's children [@slot, @slot + @count) that are not cached, all with one call to
 * the host, and caches the ones that verify. Errors are left for sendcp_node_get() to find.
 */
void sendcp_node_prefetch(struct sendcp_volume *volume, struct sendcp_node *node, u32 slot,
			  u32 count);

/* Key of item or pointer @slot < nritems. */
struct sendcp_key sendcp_node_key(const struct sendcp_node *node, u32 slot);
/* Address and generation of child @slot < nritems; level > 0 only. */
u64 sendcp_node_child_bytenr(const struct sendcp_node *node, u32 slot);
u64 sendcp_node_child_generation(const struct sendcp_node *node, u32 slot);
/* Bytes of item @slot < nritems; level 0 only. */
const void *sendcp_node_item(const struct sendcp_node *node, u32 slot, u32 *size);
/* Smallest slot whose key is >= @key; nritems if none. */
u32 sendcp_node_find(const struct sendcp_node *node, const struct sendcp_key *key);

#endif
