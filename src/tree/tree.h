/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Trees: searching by key, and stepping in key order.
 *
 * Nothing here looks for a newer superblock. What a tree's opener put into scp_tree.recover may do
 * so; without that a failure is final, also one that a move explains.
 */
#ifndef SCP_TREE_TREE_H
#define SCP_TREE_TREE_H

#include "tree/node.h"

/* The parts of a ROOT_ITEM that matter here. The uuids are zero if the item is too old for them. */
struct scp_root_info {
	u64 id;
	u64 flags;
	u64 refs;
	u64 generation;
	u64 ctransid;
	u64 otransid;
	u8 uuid[SCP_UUID_SIZE];
	u8 parent_uuid[SCP_UUID_SIZE];
	u8 received_uuid[SCP_UUID_SIZE];
	struct scp_root_pointer node;
};

struct scp_tree {
	struct scp_volume *volume;
	/* Objectid: SCP_ROOT_TREE_ID, SCP_CHUNK_TREE_ID, or what ROOT_ITEM it has. */
	u64 id;
	/* After a move it must still be the same subvolume in the same state. */
	bool pinned;
	/* A search found it moved and reopened it, and nobody has asked since. */
	bool moved;
	struct scp_root_info info;
	/*
	 * NULL, or to be called after failure @err (negative) of reading the tree, entered from the
	 * root @used. 1: info.node is another root by now, start over from there; else what to
	 * return, volume->error filled. *@tries counts down; begin with SCP_RETRY_MAX.
	 */
	int (*recover)(struct scp_tree *tree, struct scp_root_pointer used, int err, int *tries);
};

/* How often one call starts over before it gives up. */
#define SCP_RETRY_MAX 64

/* Subvolumes from before Linux 3.6 have no UUID, which is all zeros. */
bool scp_uuid_is_zero(const u8 *uuid);

struct scp_cursor {
	struct scp_tree *tree;
	/* path[0] is the leaf; NULL: not positioned. Each is a reference held. */
	struct scp_node *path[SCP_MAX_LEVEL];
	u32 slot[SCP_MAX_LEVEL];
	/* Read children ahead: for callers that walk on. */
	bool readahead;
};

void scp_cursor_init(struct scp_cursor *cursor, struct scp_tree *tree);
/* Gives the held nodes back; the cursor may be used again. Safe on a zeroed cursor. */
void scp_cursor_release(struct scp_cursor *cursor);

/* First item with key >= @key. 0: exactly @key; 1: a greater one; -ENOENT: there is none. */
int scp_search(struct scp_cursor *cursor, const struct scp_key *key);
/* Exactly @key. 0 or -ENOENT. */
int scp_search_exact(struct scp_cursor *cursor, const struct scp_key *key);
/* Last item with key <= @key. 0: found; -ENOENT: there is none. */
int scp_search_last(struct scp_cursor *cursor, const struct scp_key *key);
/*
 * Where @key is or would be inserted: no step to the next leaf is made, so slot[0] may be nritems
 * of its leaf. Stops at @level: path[@level] is then the lowest node set (the root if it is
 * lower). 0: exact at that level; 1: not. Empty tree: path[0] is the empty leaf, slot 0.
 */
int scp_search_slot(struct scp_cursor *cursor, const struct scp_key *key, int level);
/* The following item. 0; -ENOENT at the end (the cursor then stays on the last item). */
int scp_next(struct scp_cursor *cursor);
/* First item of the following leaf. 0; -ENOENT when the leaf was the last. */
int scp_next_leaf(struct scp_cursor *cursor);
/* First item with @from's objectid and type and an offset not below @from's. 0 or -ENOENT. */
int scp_item_find(struct scp_cursor *cursor, const struct scp_key *from);

/* The items of one object, of one type or several. */
struct scp_item_iter {
	/* On the item that scp_item_iter_next() gave last. */
	struct scp_cursor cursor;
	struct scp_key from;
	u8 last_type;
	bool begun;
};

/* From the key @from on to the last item of that objectid whose type is not above @last_type. */
void scp_item_iter_init(struct scp_item_iter *iter, struct scp_tree *tree,
			const struct scp_key *from, u8 last_type);
/* 1: iter->cursor is on the next one; 0: there are no more; or a negative errno. */
int scp_item_iter_next(struct scp_item_iter *iter);
/* To be called however the walk ended. */
void scp_item_iter_release(struct scp_item_iter *iter);

/* Names @cursor's tree in volume->error unless a place below did. Returns @err. */
int scp_search_fail(struct scp_cursor *cursor, int err);

/*
 * For walkers that choose their own way down. They follow no moves: an error may mean that the tree
 * was moved. scp_cursor_to_root() sets path at the root's level alone, slot 0; scp_cursor_descend()
 * sets path[@level - 1] to the child that path[@level]'s slot points to, slot 0.
 */
int scp_cursor_to_root(struct scp_cursor *cursor);
int scp_cursor_descend(struct scp_cursor *cursor, int level);

/* The item the cursor is on. */
struct scp_key scp_cursor_key(const struct scp_cursor *cursor);
const void *scp_cursor_item(const struct scp_cursor *cursor, u32 *size);
/*
 * The same, but -EUCLEAN with reason ITEM_FORMAT and the place if it has fewer than @least bytes.
 */
int scp_cursor_item_least(struct scp_cursor *cursor, u32 least, const void **item, u32 *size);
/* Fails with @reason, placing it at the cursor's leaf, tree and key. */
int scp_cursor_fail(struct scp_cursor *cursor, enum scp_reason reason);

/* The trees that the superblock points to: nothing is read. */
void scp_root_tree_init(struct scp_volume *volume, struct scp_tree *tree);
void scp_chunk_tree_init(struct scp_volume *volume, struct scp_tree *tree);
/* Points @tree, which is one of these two, to where the superblock has it now. */
void scp_superblock_tree_point(struct scp_tree *tree);
/* Any other tree, whose root is still to be looked up. */
void scp_tree_init(struct scp_volume *volume, u64 id, struct scp_tree *tree);
/* Is the root tree there? Reads its root block. */
int scp_tree_probe(struct scp_volume *volume);
/* ROOT_ITEM of tree @id; -ENOENT with TREE_MISSING. */
int scp_root_info_once(struct scp_volume *volume, u64 id, struct scp_root_info *info);

/* The cache that a volume's blocks are in from its opening to its closing. */
int scp_cache_create(struct scp_volume *volume);
void scp_cache_destroy(struct scp_volume *volume);

#endif
