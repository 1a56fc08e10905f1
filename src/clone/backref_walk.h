/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One search for a clone source, and the parts it is made of; private to clone/.
 *
 * Phases: collect the extent's references (backrefs.c); find the file items that make them, and
 * their leaves (resolve.c); for each leaf, the roots it is reachable from (leafroots.c,
 * backref_cache.c); offer each item under each root as a candidate (search.c).
 *
 * Memory: an extent or a block with more than SCP_CLONE_MAX_REFS references is passed over, so
 * references, leaves and candidates are at most that many each (less than 200 KiB together); the
 * blocks above a leaf are at most SCP_CLONE_MAX_BLOCKS.
 */
#ifndef SCP_CLONE_BACKREF_WALK_H
#define SCP_CLONE_BACKREF_WALK_H

#include "clone/clone.h"

/*
 * A leaf has one path up for each subvolume that shares it: more blocks than this are met only in
 * filesystems of tens of thousands of snapshots, or in crafted ones. No clone is looked for then.
 */
#define SCP_CLONE_MAX_BLOCKS (1u << 17)
#define SCP_KNOWN_TREES 16u
#define SCP_CHAIN_END (~0u)

/* Returned by what visits candidates: one is good enough, the search is over. */
#define SCP_CLONE_STOP 1

/* A file position from which the wanted bytes might be cloned. */
struct scp_candidate {
	u64 ino;
	u64 offset;
	/* The whole length of the item it is in. */
	u64 length;
	/* Index of the next one in its chain. */
	u32 next;
};

/* Some of a walk's candidates, in order. */
struct scp_chain {
	u32 first;
	u32 last;
};

/* One back reference. */
struct scp_backref {
	/* Tree that refers to the extent; 0: only the block that does is known. */
	u64 root;
	/* The key in that tree; zero if not known. */
	struct scp_key key;
	/* Block that refers to the extent; 0: not known. */
	u64 parent;
	u32 count;
	struct scp_chain chain;
};

struct scp_backref_list {
	struct scp_backref *refs;
	u32 count;
	u32 capacity;
};

/* The extent tree's entry for an extent or a tree block. */
struct scp_extent_entry {
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
struct scp_id_set {
	u64 *ids;
	u32 count;
	u32 capacity;
	/* Open hash of 2 * capacity places: index + 1; 0: free. */
	u32 *places;
};

struct scp_known_tree {
	/* 0: unused. */
	u64 id;
	bool missing;
	struct scp_tree tree;
};

struct scp_clone_leaf {
	u64 bytenr;
	struct scp_chain chain;
};

struct scp_backref_walk {
	struct scp_clone_search *search;
	const struct scp_clone_wanted *wanted;
	struct scp_volume *volume;
	/* The volume's when the walk began: all that is read must belong to that commit. */
	u64 generation;
	u64 send_root;
	/* The search's subject: an extent, a place in it, and a length. */
	u64 bytenr;
	u64 position;
	u64 length;
	struct scp_tree extent_tree;
	struct scp_known_tree *trees;
	/* Best candidate of each clone root; length 0: none. */
	struct scp_candidate *best;
	/* The extent's references, as found; those by block alone are the last ones. */
	struct scp_backref_list found;
	u32 shared_at;
	/* The same as leaves with chains of candidates. */
	struct scp_backref_list resolved;
	/* All have found.capacity places. */
	struct scp_candidate *candidates;
	u32 candidate_count;
	struct scp_clone_leaf *leaves;
	u32 leaf_count;
	/* Of scp_leaf_roots(). */
	struct scp_id_set blocks;
	struct scp_id_set roots;
	struct scp_backref_list block_refs;
};

/* access.c: trees by id, blocks by address */

/* *@tree is a copy: opening others does not touch it. -ENOENT if there is no such tree. */
int scp_walk_tree(struct scp_backref_walk *walk, u64 id, struct scp_tree *tree);
/* The tree block that @entry describes; given back with scp_node_put(). */
int scp_walk_block(struct scp_backref_walk *walk, const struct scp_extent_entry *entry,
		   struct scp_node **out);
/* The same for a leaf of which only the address is known. */
int scp_walk_leaf(struct scp_backref_walk *walk, u64 bytenr, struct scp_node **out);

/* backrefs.c: references out of the extent tree */

/*
 * Leaves @cursor, which is one of the extent tree, on the item that describes data extent or tree
 * block @bytenr. -EUCLEAN with reason ITEM_MISSING if there is none.
 */
int scp_extent_entry_find(struct scp_cursor *cursor, u64 bytenr, bool is_block,
			  struct scp_extent_entry *entry);
/*
 * Replaces @list by the references of the @entry under @cursor, in descending order, equal ones
 * added up. entry->refs must not be above SCP_CLONE_MAX_REFS.
 */
int scp_backrefs_collect(struct scp_cursor *cursor, const struct scp_extent_entry *entry,
			 struct scp_backref_list *list);
/* Descending order: of root, key type, key objectid, key offset, parent. */
void scp_backrefs_sort(struct scp_backref_list *list);
/* Empties @list and makes sure that it has @capacity places. */
int scp_backrefs_reset(struct scp_volume *volume, struct scp_backref_list *list, u32 capacity);

/* idset.c */

/* 1: added; 0: was there; -ENOMEM; -E2BIG: SCP_CLONE_MAX_BLOCKS are in it. */
int scp_id_set_add(struct scp_id_set *set, u64 id);
void scp_id_set_clear(struct scp_id_set *set);
void scp_id_set_release(struct scp_id_set *set);

/* resolve.c: from references to leaves and candidates; all return SCP_CLONE_STOP, 0, or errors */

/* Finds the file items of walk->found, fills walk->resolved. */
int scp_resolve_refs(struct scp_backref_walk *walk);
/* Fills walk->leaves from walk->resolved. */
int scp_resolve_leaves(struct scp_backref_walk *walk);

/* leafroots.c */

/* Fills walk->roots with the ids of all trees that contain leaf @bytenr. */
int scp_leaf_roots(struct scp_backref_walk *walk, u64 bytenr);

/* backref_cache.c */

int scp_backref_cache_create(struct scp_volume *volume, struct scp_backref_cache **out);
void scp_backref_cache_destroy(struct scp_backref_cache *cache);
/* Changes to the backref cache from here on can be undone by scp_backref_cache_rollback(). */
void scp_backref_cache_begin(struct scp_backref_walk *walk);
void scp_backref_cache_rollback(struct scp_backref_cache *cache);
/*
 * 1: leaf @bytenr has clone roots *@roots, valid until the backref cache is used again; 0: not
 * known.
 */
int scp_backref_cache_lookup(struct scp_backref_walk *walk, u64 bytenr, const u64 **roots,
			     u32 *count);
/* Remembers those of walk->roots that are clone roots, unless they are too many. */
void scp_backref_cache_store(struct scp_backref_walk *walk, u64 bytenr);

/* search.c */

/* True: this one is good enough, the search is over. */
bool scp_walk_visit(struct scp_backref_walk *walk, u64 root, const struct scp_candidate *candidate);

#endif
