/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Trees: searching by key, and stepping in key order.
 *
 * Nothing here looks for a newer superblock. What a tree's opener put into sendcp_tree.recover may
 * do so; without that a failure is final, also one that a move explains.
 */
#ifndef SENDCP_TREE_TREE_H
#define SENDCP_TREE_TREE_H

#include "tree/node.h"

/* The parts of a ROOT_ITEM that matter here. The uuids are zero if the item is too old for them. */
struct sendcp_root_info {
	u64 id;
	u64 flags;
	u64 refs;
	u64 generation;
	u64 ctransid;
	u64 otransid;
	u8 uuid[SENDCP_UUID_SIZE];
	u8 parent_uuid[SENDCP_UUID_SIZE];
	u8 received_uuid[SENDCP_UUID_SIZE];
	struct sendcp_root_pointer node;
};

struct sendcp_tree {
	struct sendcp_volume *volume;
	/* Objectid: SENDCP_ROOT_TREE_ID, SENDCP_CHUNK_TREE_ID, or what ROOT_ITEM it has. */
	u64 id;
	/* After a move it must still be the same subvolume in the same state. */
	bool pinned;
	/* A search found it moved and reopened it, and nobody has asked since. */
	bool moved;
	struct sendcp_root_info info;
	/*
	 * NULL, or to be called after failure @err (negative) of reading the tree, entered from the
	 * root @used. 1: info.node is another root by now, start over from there; else what to
	 * return, volume->error filled. *@tries counts down; begin with SENDCP_RETRY_MAX.
	 */
	int (*recover)(struct sendcp_tree *tree, struct sendcp_root_pointer used, int err,
		       int *tries);
};

/* How often one call starts over before it gives up. */
#define SENDCP_RETRY_MAX 64

/* Subvolumes from before Linux 3.6 have no UUID, which is all zeros. */
bool sendcp_uuid_is_zero(const u8 *uuid);

struct sendcp_cursor {
	struct sendcp_tree *tree;
	/* path[0] is the leaf; NULL: not positioned. Each is a reference held. */
	struct sendcp_node *path[SENDCP_MAX_LEVEL];
	u32 slot[SENDCP_MAX_LEVEL];
	/* Read children ahead: for callers that walk on. */
	bool readahead;
};

void sendcp_cursor_init(struct sendcp_cursor *cursor, struct sendcp_tree *tree);
/* Gives the held nodes back; the cursor may be used again. Safe on a zeroed cursor. */
void sendcp_cursor_release(struct sendcp_cursor *cursor);

/* First item with key >= @key. 0: exactly @key; 1: a greater one; -ENOENT: there is none. */
int sendcp_search(struct sendcp_cursor *cursor, const struct sendcp_key *key);
/* Exactly @key. 0 or -ENOENT. */
int sendcp_search_exact(struct sendcp_cursor *cursor, const struct sendcp_key *key);
/* Last item with key <= @key. 0: found; -ENOENT: there is none. */
int sendcp_search_last(struct sendcp_cursor *cursor, const struct sendcp_key *key);
/*
 * Where @key is or would be inserted: no step to the next leaf is made, so slot[0] may be nritems
 * of its leaf. Stops at @level: path[@level] is then the lowest node set (the root if it is
 * lower). 0: exact at that level; 1: not. Empty tree: path[0] is the empty leaf, slot 0.
 */
int sendcp_search_slot(struct sendcp_cursor *cursor, const struct sendcp_key *key, int level);
/* The following item. 0; -ENOENT at the end (the cursor then stays on the last item). */
int sendcp_next(struct sendcp_cursor *cursor);
/* First item of the following leaf. 0; -ENOENT when the leaf was the last. */
int sendcp_next_leaf(struct sendcp_cursor *cursor);
/* First item with @from's objectid and type and an offset not below @from's. 0 or -ENOENT. */
int sendcp_item_find(struct sendcp_cursor *cursor, const struct sendcp_key *from);

/* The items of one object, of one type or several. */
struct sendcp_item_iter {
	/* On the item that sendcp_item_iter_next() gave last. */
	struct sendcp_cursor cursor;
	struct sendcp_key from;
	u8 last_type;
	bool begun;
};

/* From the key @from on to the last item of that objectid whose type is not above @last_type. */
void sendcp_item_iter_init(struct sendcp_item_iter *iter, struct sendcp_tree *tree,
			   const struct sendcp_key *from, u8 last_type);
/* 1: iter->cursor is on the next one; 0: there are no more; or a negative errno. */
int sendcp_item_iter_next(struct sendcp_item_iter *iter);
/* To be called however the walk ended. */
void sendcp_item_iter_release(struct sendcp_item_iter *iter);

/* Names @cursor's tree in volume->error unless a place below did. Returns @err. */
int sendcp_search_fail(struct sendcp_cursor *cursor, int err);

/*
 * For walkers that choose their own way down. They follow no moves: an error may mean that the tree
 * was moved. sendcp_cursor_to_root() sets path at the root's level alone, slot 0;
 * sendcp_cursor_descend() sets path[@level - 1] to the child that path[@level]'s slot points to,
 * slot 0.
 */
int sendcp_cursor_to_root(struct sendcp_cursor *cursor);
int sendcp_cursor_descend(struct sendcp_cursor *cursor, int level);

/* The item the cursor is on. */
struct sendcp_key sendcp_cursor_key(const struct sendcp_cursor *cursor);
const void *sendcp_cursor_item(const struct sendcp_cursor *cursor, u32 *size);
/*
 * The same, but -EUCLEAN with reason ITEM_FORMAT and the place if it has fewer than @least bytes.
 */
int sendcp_cursor_item_least(struct sendcp_cursor *cursor, u32 least, const void **item, u32 *size);
/* Fails with @reason, placing it at the cursor's leaf, tree and key. */
int sendcp_cursor_fail(struct sendcp_cursor *cursor, enum sendcp_reason reason);

/* The trees that the superblock points to: nothing is read. */
void sendcp_root_tree_init(struct sendcp_volume *volume, struct sendcp_tree *tree);
void sendcp_chunk_tree_init(struct sendcp_volume *volume, struct sendcp_tree *tree);
/* Points @tree, which is one of these two, to where the superblock has it now. */
void sendcp_superblock_tree_point(struct sendcp_tree *tree);
/* Any other tree, whose root is still to be looked up. */
void sendcp_tree_init(struct sendcp_volume *volume, u64 id, struct sendcp_tree *tree);
/* Is the root tree there? Reads its root block. */
int sendcp_tree_probe(struct sendcp_volume *volume);
/* ROOT_ITEM of tree @id; -ENOENT with TREE_MISSING. */
int sendcp_root_info_once(struct sendcp_volume *volume, u64 id, struct sendcp_root_info *info);

/* The cache that a volume's blocks are in from its opening to its closing. */
int sendcp_cache_create(struct sendcp_volume *volume);
void sendcp_cache_destroy(struct sendcp_volume *volume);

#endif
