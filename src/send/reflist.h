/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ordered lists of names, with a fast answer to "is this one in it?".
 */
#ifndef SENDCP_SEND_REFLIST_H
#define SENDCP_SEND_REFLIST_H

#include "items/items.h"

/* A name of the current inode. */
struct sendcp_listed_ref {
	u64 dir;
	u64 dir_generation;
	/* Number of the chunk that has the bytes, and their place in it. */
	u16 chunk;
	u16 at;
	u16 name_len;
	/* It met its counterpart in the other list: neither counts any more. */
	bool cancelled;
	/* Next entry of the same hash, plus one; 0: none. */
	u32 hash_next;
};

struct sendcp_ref_list {
	struct sendcp_listed_ref *refs;
	/* Of the hashes. */
	u64 seed;
	/* All entries, and those that are not cancelled. */
	u32 count;
	u32 live;
	u32 capacity;
	/* The bytes of the names, one after the other in chunks of one size. */
	u8 **chunks;
	u32 chunk_count;
	u32 chunk_room;
	/* Of the last chunk. */
	u32 used;
	/* First entry of each hash, plus one; a power of two of them. */
	u32 *buckets;
	u32 bucket_count;
};

void sendcp_ref_list_clear(struct sendcp_ref_list *list);
void sendcp_ref_list_release(struct sendcp_ref_list *list);
/* The live entry of that directory and name, or NULL. */
struct sendcp_listed_ref *sendcp_ref_list_find(const struct sendcp_ref_list *list,
					       const struct sendcp_ref *ref, u64 dir_generation);
/* Appends a name. -ENOMEM. */
int sendcp_ref_list_add(struct sendcp_ref_list *list, const struct sendcp_ref *ref,
			u64 dir_generation);
void sendcp_ref_list_cancel(struct sendcp_ref_list *list, struct sendcp_listed_ref *ref);

static inline const u8 *sendcp_ref_list_name(const struct sendcp_ref_list *list,
					     const struct sendcp_listed_ref *ref)
{
	return list->chunks[ref->chunk] + ref->at;
}

#endif
