/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The search for a clone source: other references to an extent, through the back references of the
 * extent tree.
 *
 * The choice reproduces the kernel's (6.2 and later), its limits, its order and its memory of leaf
 * roots included, since all of them decide which of several equal sources a stream names.
 */
#ifndef SENDCP_CLONE_CLONE_H
#define SENDCP_CLONE_CLONE_H

#include "items/items.h"

/* More data references than this, or more references to a tree block: no clone is looked for. */
#define SENDCP_CLONE_MAX_REFS	1024u
/* Entries of the backref cache, and roots a leaf may have to be stored there. */
#define SENDCP_BACKREF_CACHE_LEAVES		128u
#define SENDCP_BACKREF_CACHE_ROOTS		17u

/* The trees a clone may come from: all given to the send, and the sent one. Sorted by root id. */
struct sendcp_clone_root {
	struct sendcp_tree tree;
	/* The subvolume being sent. */
	bool is_send_root;
};

struct sendcp_backref_cache;

/* Everything a search needs that outlives one search. */
struct sendcp_clone_search {
	struct sendcp_volume *volume;
	/* Owned by the caller. */
	struct sendcp_clone_root *roots;
	u32 root_count;
	/*
	 * No clone sources were given: then some references are not looked at. False also if they
	 * all were the sent subvolume itself; sendcp_clone_search_init() cannot know that, and sets
	 * it if there is one root.
	 */
	bool alone;
	struct sendcp_backref_cache *backref_cache;
};

int sendcp_clone_search_init(struct sendcp_clone_search *search, struct sendcp_volume *volume,
			     struct sendcp_clone_root *roots, u32 root_count);
void sendcp_clone_search_release(struct sendcp_clone_search *search);

/* Index into search->roots of tree @id, or -1. */
int sendcp_clone_root_index(const struct sendcp_clone_search *search, u64 id);

/* The extent to be cloned. */
struct sendcp_clone_wanted {
	/* The sent file's item, and the owner field in the header of its leaf. */
	const struct sendcp_extent *extent;
	u64 leaf_owner;
	/* Current inode, its size, and how far its contents are already at the receiver. */
	u64 ino;
	u64 inode_size;
	u64 next_write_offset;
};

struct sendcp_clone_source {
	/* Index into search->roots. */
	u32 root;
	u64 ino;
	u64 offset;
};

/*
 * 1: *@source is the one to clone from; 0: none, write the data; negative errno. Repeats itself on
 * a mounted filesystem whose extent tree changed meanwhile, a bounded number of times.
 */
int sendcp_clone_find(struct sendcp_clone_search *search, const struct sendcp_clone_wanted *wanted,
		      struct sendcp_clone_source *source);

/*
 * The backref cache in a checkpoint: leaf addresses, least recently used first; the root lists are
 * looked up again when they are needed. sendcp_backref_cache_save() returns how many addresses
 * there are and stores at most @capacity of them. sendcp_backref_cache_load() replaces the cache's;
 * -ENOMEM.
 */
u32 sendcp_backref_cache_save(const struct sendcp_clone_search *search, u64 *leaves, u32 capacity);
int sendcp_backref_cache_load(struct sendcp_clone_search *search, const u64 *leaves, u32 count);

#endif
