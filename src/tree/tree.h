/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Trees: opening by root id, searching by key, walking in key order.
 *
 * On a live volume blocks of a tree may move (balance) while it is read. Everything here is by key,
 * so a search that meets a moved block looks the root up again and starts over by itself, a bounded
 * number of times; a tree that was opened as *pinned* must then still be the same one (uuid and
 * ctransid), otherwise the search fails with -ESTALE.
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
};

/*
 * Opens tree @id at the volume's current superblock. -ENOENT with reason TREE_MISSING if it has no
 * ROOT_ITEM. Nothing to close: a tree holds no reference.
 */
int scp_tree_open(struct scp_volume *volume, u64 id, bool pinned, struct scp_tree *tree);

/*
 * Looks @tree's root up again after scp_volume_refresh(). Pinned: -ESTALE with reason
 * SUBVOLUME_GONE, SUBVOLUME_REPLACED or SUBVOLUME_CHANGED if it is not the same any more.
 */
int scp_tree_reopen(struct scp_tree *tree);

/*
 * For a live volume: is what was read through @tree up to now still what the subvolume has on the
 * disk? Returns 0 if the tree's root is where it was (unmoved since it was opened or reopened), 1
 * if it was moved and has been reopened (raw data read meanwhile is not proven: read it again),
 * or a negative errno. Always 0 when not live.
 */
int scp_tree_confirm(struct scp_tree *tree);

/* Do they point to the same block? */
bool scp_root_is(const struct scp_root_pointer *a, const struct scp_root_pointer *b);

/* Subvolumes from before Linux 3.6 have no UUID, which is all zeros. */
bool scp_uuid_is_zero(const u8 *uuid);

/*
 * SCP_NONE if @now is still what the pinned subvolume @was, else SUBVOLUME_GONE, SUBVOLUME_REPLACED
 * or SUBVOLUME_CHANGED. Being moved is no change.
 */
enum scp_reason scp_pin_broken(const struct scp_root_info *was, const struct scp_root_info *now);

struct scp_cursor {
	struct scp_tree *tree;
	/* path[0] is the leaf; NULL: not positioned. Each is a reference held. */
	struct scp_node *path[SCP_MAX_LEVEL];
	u32 slot[SCP_MAX_LEVEL];
	/* Read children ahead: for callers that walk on. */
	bool walk;
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

/*
 * For walkers that choose their own way down. They follow no moves: an error may mean that the tree
 * was moved. scp_cursor_to_root() sets path at the root's level alone, slot 0; scp_cursor_descend()
 * sets path[@level - 1] to the child that path[@level]'s slot points to, slot 0.
 */
int scp_cursor_to_root(struct scp_cursor *cursor);
int scp_cursor_descend(struct scp_cursor *cursor, int level);

/* How often one call starts over before it gives up. */
#define SCP_LIVE_TRIES 64

/*
 * For the same walkers: after failure @err of reading @tree, entered from the root @used. 1: it has
 * another root by now, start over from there; else what to return, volume->error filled. *@tries
 * counts down; begin with SCP_LIVE_TRIES.
 */
int scp_live_recover(struct scp_tree *tree, struct scp_root_pointer used, int err, int *tries);

/* The item the cursor is on. */
struct scp_key scp_cursor_key(const struct scp_cursor *cursor);
const void *scp_cursor_item(const struct scp_cursor *cursor, u32 *size);
/*
 * The same, but -EUCLEAN with reason ITEM_FORMAT and the place if it has fewer than @least bytes.
 */
int scp_cursor_item_least(struct scp_cursor *cursor, u32 least, const void **item, u32 *size);
/* Fails with @reason, placing it at the cursor's leaf, tree and key. */
int scp_cursor_fail(struct scp_cursor *cursor, enum scp_reason reason);

/* The subvolume (or other tree) @id's ROOT_ITEM; -ENOENT with TREE_MISSING. */
int scp_root_info_get(struct scp_volume *volume, u64 id, struct scp_root_info *info);

#endif
