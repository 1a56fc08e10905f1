/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One search for a clone source, and the parts it is made of; private to clone/.
 *
 * Phases: collect the extent's references (backrefs.c); find the file items that make them, and
 * their leaves (resolve.c); for each leaf, the roots it is reachable from (leafroots.c,
 * backref_cache.c); offer each item under each root as a candidate (search.c).
 *
 * Memory: an extent or a block with more than SENDCP_CLONE_MAX_REFS references is passed over, so
 * references, leaves and candidates are at most that many each (less than 200 KiB together); the
 * blocks above a leaf are at most SENDCP_CLONE_MAX_BLOCKS.
 */
#ifndef SENDCP_CLONE_BACKREF_WALK_H
#define SENDCP_CLONE_BACKREF_WALK_H

#include "clone/clone.h"

/*
 * A leaf has one path up for each subvolume that shares it: more blocks than this are met only in
 * filesystems of tens of thousands of snapshots, or in crafted ones. No clone is looked for then.
 */
#define SENDCP_CLONE_MAX_BLOCKS (1u << 17)
#define SENDCP_KNOWN_TREES 16u
#define SENDCP_CHAIN_END (~0u)

/* Returned by what visits candidates: one is good enough, the search is over. */
#define SENDCP_CLONE_STOP 1

/* A file position from which the wanted bytes might be cloned. */
struct sendcp_candidate {
	u64 ino;
	u64 offset;
	/* The whole length of the item it is in. */
	u64 length;
	/* Index of the next one in its chain. */
	u32 next;
};

/* Some of a walk's candidates, in order. */
struct sendcp_chain {
	u32 first;
	u32 last;
};

/* One back reference. */
struct sendcp_backref {
	/* Tree that refers to the extent; 0: only the block that does is known. */
	u64 root;
	/* The key in that tree; zero if not known. */
	struct sendcp_key key;
	/* Block that refers to the extent; 0: not known. */
	u64 parent;
	u32 count;
	struct sendcp_chain chain;
};

struct sendcp_backref_list {
	struct sendcp_backref *refs;
	u32 count;
	u32 capacity;
};

/* The extent tree's entry for an extent or a tree block. */
struct sendcp_extent_entry {
	u64 bytenr;
	u64 refs;
	u64 generation;
	/* A tree block's. */
	u8 level;
	bool is_block;
	/* Offset in the item of the first inline reference. */
	u32 inline_at;
};

/* Numbers, each once, in the order in which they came. */
struct sendcp_id_set {
	u64 *ids;
	u32 count;
	u32 capacity;
	/* Open hash of 2 * capacity places: index + 1; 0: free. */
	u32 *places;
};

struct sendcp_known_tree {
	/* 0: unused. */
	u64 id;
	bool missing;
	struct sendcp_tree tree;
};

struct sendcp_clone_leaf {
	u64 bytenr;
	struct sendcp_chain chain;
};

struct sendcp_backref_walk {
	struct sendcp_clone_search *search;
	const struct sendcp_clone_wanted *wanted;
	struct sendcp_volume *volume;
	/* The volume's when the walk began: all that is read must belong to that commit. */
	u64 generation;
	u64 send_root;
	/* The search's subject: an extent, a place in it, and a length. */
	u64 bytenr;
	u64 position;
	u64 length;
	struct sendcp_tree extent_tree;
	struct sendcp_known_tree *trees;
	/* Best candidate of each clone root; length 0: none. */
	struct sendcp_candidate *best;
	/* The extent's references, as found; those by block alone are the last ones. */
	struct sendcp_backref_list found;
	u32 shared_at;
	/* The same as leaves with chains of candidates. */
	struct sendcp_backref_list resolved;
	/* All have found.capacity places. */
	struct sendcp_candidate *candidates;
	u32 candidate_count;
	struct sendcp_clone_leaf *leaves;
	u32 leaf_count;
	/* Of sendcp_leaf_roots(). */
	struct sendcp_id_set blocks;
	struct sendcp_id_set roots;
	struct sendcp_backref_list block_refs;
};

/* access.c: trees by id, blocks by address */

/* *@tree is a copy: opening others does not touch it. -ENOENT if there is no such tree. */
int sendcp_walk_tree(struct sendcp_backref_walk *walk, u64 id, struct sendcp_tree *tree);
/* The tree block that @entry describes; given back with sendcp_node_put(). */
int sendcp_walk_block(struct sendcp_backref_walk *walk, const struct sendcp_extent_entry *entry,
		      struct sendcp_node **out);
/* The same for a leaf of which only the address is known. */
int sendcp_walk_leaf(struct sendcp_backref_walk *walk, u64 bytenr, struct sendcp_node **out);

/* backrefs.c: references out of the extent tree */

/*
 * Leaves @cursor, which is one of the extent tree, on the item that describes data extent or tree
 * block @bytenr. -EUCLEAN with reason ITEM_MISSING if there is none.
 */
int sendcp_extent_entry_find(struct sendcp_cursor *cursor, u64 bytenr, bool is_block,
			     struct sendcp_extent_entry *entry);
/*
 * Replaces @list by the references of the @entry under @cursor, in descending order, equal ones
 * added up. entry->refs must not be above SENDCP_CLONE_MAX_REFS.
 */
int sendcp_backrefs_collect(struct sendcp_cursor *cursor, const struct sendcp_extent_entry *entry,
			    struct sendcp_backref_list *list);
/* Descending order: of root, key type, key objectid, key offset, parent. */
void sendcp_backrefs_sort(struct sendcp_backref_list *list);
/* Empties @list and makes sure that it has @capacity places. */
int sendcp_backrefs_reset(struct sendcp_volume *volume, struct sendcp_backref_list *list,
			  u32 capacity);

/* idset.c */

/* 1: added; 0: was there; -ENOMEM; -E2BIG: SENDCP_CLONE_MAX_BLOCKS are in it. */
int sendcp_id_set_add(struct sendcp_id_set *set, u64 id);
void sendcp_id_set_clear(struct sendcp_id_set *set);
void sendcp_id_set_release(struct sendcp_id_set *set);

/*
 * resolve.c: from references to leaves and candidates; all return SENDCP_CLONE_STOP, 0, or errors
 */

/* Finds the file items of walk->found, fills walk->resolved. */
int sendcp_resolve_refs(struct sendcp_backref_walk *walk);
/* Fills walk->leaves from walk->resolved. */
int sendcp_resolve_leaves(struct sendcp_backref_walk *walk);

/* leafroots.c */

/* Fills walk->roots with the ids of all trees that contain leaf @bytenr. */
int sendcp_leaf_roots(struct sendcp_backref_walk *walk, u64 bytenr);

/* backref_cache.c */

int sendcp_backref_cache_create(struct sendcp_volume *volume, struct sendcp_backref_cache **out);
void sendcp_backref_cache_destroy(struct sendcp_backref_cache *cache);
/* Changes to the backref cache from here on can be undone by sendcp_backref_cache_rollback(). */
void sendcp_backref_cache_begin(struct sendcp_backref_walk *walk);
void sendcp_backref_cache_rollback(struct sendcp_backref_cache *cache);
/*
 * 1: leaf @bytenr has clone roots *@roots, valid until the backref cache is used again; 0: not
 * known.
 */
int sendcp_backref_cache_lookup(struct sendcp_backref_walk *walk, u64 bytenr, const u64 **roots,
				u32 *count);
/* Remembers those of walk->roots that are clone roots, unless they are too many. */
void sendcp_backref_cache_store(struct sendcp_backref_walk *walk, u64 bytenr);

/* search.c */

/* True: this one is good enough, the search is over. */
bool sendcp_walk_visit(struct sendcp_backref_walk *walk, u64 root,
		       const struct sendcp_candidate *candidate);

#endif
