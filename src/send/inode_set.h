/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Inodes by number and generation: plain lists, and ordered sets whose changes can be undone.
 *
 * A set has its ids in the order they were added, answers "is it in?" at once, and costs a step
 * what the step does to it, not what is in it: deleting a tree puts hundreds of thousands of
 * directories into one.
 */
#ifndef SENDCP_SEND_INODE_SET_H
#define SENDCP_SEND_INODE_SET_H

#include <sendcp/platform.h>

/* An inode number alone does not name an inode for ever: numbers are reused. */
struct sendcp_inode_id {
	u64 ino;
	u64 generation;
};

/* In the order they were added. */
struct sendcp_id_list {
	struct sendcp_inode_id *ids;
	u32 count;
	u32 capacity;
};

/* -ENOMEM leaves the list as it was. */
int sendcp_id_list_reserve(struct sendcp_id_list *list, u32 capacity);
int sendcp_id_list_add(struct sendcp_id_list *list, u64 ino, u64 generation);
int sendcp_id_list_copy(struct sendcp_id_list *to, const struct sendcp_id_list *from);
void sendcp_id_list_release(struct sendcp_id_list *list);

/* A place in a set; it stays an id's own until that is taken out and the change is kept. */
struct sendcp_inode_slot {
	struct sendcp_inode_id id;
	/* The next one of the same hash, plus one; 0: none. */
	u32 hash_next;
	/* Not 0: it was taken out, and the one taken out before it is this, plus one. */
	u32 gone;
	/* What the set's owner knows of it, 0 at first. Undoing does not set it back. */
	u64 note[2];
};

struct sendcp_inode_set {
	struct sendcp_inode_slot *slots;
	/* Slots in use, and how many of them have an id that is in the set. */
	u32 used;
	u32 count;
	u32 capacity;
	/* No slot before this one has an id that is in the set. */
	u32 first;
	/* First slot of each hash, plus one; a power of two of them. */
	u32 *buckets;
	u32 bucket_count;
	/* At the last keep: slots in use, first. The last slot emptied since, plus one. */
	u32 kept_used;
	u32 kept_first;
	u32 taken_out;
};

bool sendcp_inode_set_has(const struct sendcp_inode_set *set, u64 ino, u64 generation);
/* Its notes, valid until something is added; NULL: it is not in. */
u64 *sendcp_inode_set_note(const struct sendcp_inode_set *set, u64 ino, u64 generation);
/* At the end, unless it is in. -ENOMEM leaves the set as it was. */
int sendcp_inode_set_add(struct sendcp_inode_set *set, u64 ino, u64 generation);
/* Does nothing if it is not in. */
void sendcp_inode_set_remove(struct sendcp_inode_set *set, u64 ino, u64 generation);
/*
 * Walking in order: *@id becomes the first one at or after slot *@at, and *@at the slot after it.
 * False after the last. Begins with 0.
 */
bool sendcp_inode_set_next(const struct sendcp_inode_set *set, u32 *at, struct sendcp_inode_id *id);
/* The last one. The set must not be empty. */
struct sendcp_inode_id sendcp_inode_set_last(const struct sendcp_inode_set *set);
void sendcp_inode_set_clear(struct sendcp_inode_set *set);
/* Keeps all changes: sendcp_inode_set_undo() returns to this state. */
void sendcp_inode_set_keep(struct sendcp_inode_set *set);
/* Cannot fail. */
void sendcp_inode_set_undo(struct sendcp_inode_set *set);
void sendcp_inode_set_release(struct sendcp_inode_set *set);

#endif
