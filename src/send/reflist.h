/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ordered lists of names, with a fast answer to "is this one in it?".
 */
#ifndef SENDCP_SEND_REFLIST_H
#define SENDCP_SEND_REFLIST_H

#include "items/items.h"

/* A name of the current inode, and its directory's path when it was collected. */
struct sendcp_listed_ref {
	u64 dir;
	u64 dir_generation;
	/* Places in sendcp_ref_list.bytes. */
	u32 name;
	u32 path;
	u16 name_len;
	u16 path_len;
	/* It met its counterpart in the other list: neither counts any more. */
	bool cancelled;
	/* Next entry of the same hash, plus one; 0: none. */
	u32 hash_next;
};

struct sendcp_ref_list {
	struct sendcp_listed_ref *refs;
	/* All entries, and those that are not cancelled. */
	u32 count;
	u32 live;
	u32 capacity;
	/* Names and paths, one after the other. */
	u8 *bytes;
	u32 used;
	u32 bytes_room;
	/* First entry of each hash, plus one; a power of two of them. */
	u32 *buckets;
	u32 bucket_count;
};

void sendcp_ref_list_clear(struct sendcp_ref_list *list);
void sendcp_ref_list_release(struct sendcp_ref_list *list);
/* The live entry of that directory and name, or NULL. */
struct sendcp_listed_ref *sendcp_ref_list_find(const struct sendcp_ref_list *list,
					       const struct sendcp_ref *ref, u64 dir_generation);
/*
 * Appends a name; @path is its directory's path. Bytes of the path are shared with the entry before
 * if that is in the same directory. -ENOMEM.
 */
int sendcp_ref_list_add(struct sendcp_ref_list *list, const struct sendcp_ref *ref,
			u64 dir_generation, const u8 *path, u16 path_len);
void sendcp_ref_list_cancel(struct sendcp_ref_list *list, struct sendcp_listed_ref *ref);
/* Another path for the directory of @ref. -ENOMEM. */
int sendcp_ref_list_set_path(struct sendcp_ref_list *list, struct sendcp_listed_ref *ref,
			     const u8 *path, u16 path_len);

#endif
