// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Ordered lists of names with a hash over them: an inode may have 65,535, and comparing each with
 * each would take minutes.
 *
 * The order is that of the items, and of the commands that result. So nothing is ever taken out: an
 * entry that is cancelled stays in its chain and is skipped. Names and paths are in one block that
 * only grows, referred to by offset, since growing moves it.
 */
#include "send/reflist.h"

#define FIRST_BUCKETS 64u

void sendcp_ref_list_clear(struct sendcp_ref_list *list)
{
	/* Called at every item, while the buckets stay as many as the largest inode needed. */
	if (list->count)
		memset(list->buckets, 0, list->bucket_count * sizeof(*list->buckets));
	list->count = 0;
	list->live = 0;
	list->used = 0;
}

void sendcp_ref_list_release(struct sendcp_ref_list *list)
{
	sendcp_free(list->refs);
	sendcp_free(list->bytes);
	sendcp_free(list->buckets);
	memset(list, 0, sizeof(*list));
}

static u32 hash(u64 dir, const u8 *name, u16 len)
{
	return sendcp_crc32c((u32)dir, name, len);
}

static u32 *bucket_of(const struct sendcp_ref_list *list, u64 dir, const u8 *name, u16 len)
{
	return &list->buckets[hash(dir, name, len) & (list->bucket_count - 1)];
}

static void link_ref(struct sendcp_ref_list *list, u32 index)
{
	struct sendcp_listed_ref *ref = &list->refs[index];
	u32 *bucket = bucket_of(list, ref->dir, list->bytes + ref->name, ref->name_len);

	ref->hash_next = *bucket;
	*bucket = index + 1;
}

struct sendcp_listed_ref *sendcp_ref_list_find(const struct sendcp_ref_list *list,
					       const struct sendcp_ref *ref, u64 dir_generation)
{
	struct sendcp_listed_ref *at;
	u32 next;

	if (!list->live)
		return NULL;
	next = *bucket_of(list, ref->dir, ref->name, ref->name_len);
	while (next) {
		at = &list->refs[next - 1];
		if (!at->cancelled && at->dir == ref->dir &&
		    at->dir_generation == dir_generation && at->name_len == ref->name_len &&
		    !memcmp(list->bytes + at->name, ref->name, ref->name_len))
			return at;
		next = at->hash_next;
	}
	return NULL;
}

static int rehash(struct sendcp_ref_list *list, u32 count)
{
	u32 *buckets = sendcp_zalloc(count * sizeof(*buckets));
	u32 i;

	if (!buckets)
		return -ENOMEM;
	sendcp_free(list->buckets);
	list->buckets = buckets;
	list->bucket_count = count;
	for (i = 0; i < list->count; i++)
		link_ref(list, i);
	return 0;
}

static int reserve_ref(struct sendcp_ref_list *list)
{
	struct sendcp_listed_ref *refs;
	u32 capacity = list->capacity ? list->capacity * 2 : 16;

	if (list->count == list->capacity) {
		refs = sendcp_realloc(list->refs, list->capacity * sizeof(*refs),
				      capacity * sizeof(*refs));
		if (!refs)
			return -ENOMEM;
		list->refs = refs;
		list->capacity = capacity;
	}
	if (list->capacity <= list->bucket_count)
		return 0;
	return rehash(list, sendcp_max(FIRST_BUCKETS, list->capacity));
}

static int add_bytes(struct sendcp_ref_list *list, const u8 *bytes, u16 len, u32 *at)
{
	u64 capacity = sendcp_max(4096, list->bytes_room);
	u8 *block;

	while (capacity - list->used < len)
		capacity *= 2;
	if (capacity > ~0u)
		return -ENOMEM;
	if (capacity > list->bytes_room) {
		block = sendcp_realloc(list->bytes, list->bytes_room, capacity);
		if (!block)
			return -ENOMEM;
		list->bytes = block;
		list->bytes_room = capacity;
	}
	*at = list->used;
	memcpy(list->bytes + list->used, bytes, len);
	list->used += len;
	return 0;
}

int sendcp_ref_list_set_path(struct sendcp_ref_list *list, struct sendcp_listed_ref *ref,
			     const u8 *path, u16 path_len)
{
	ref->path_len = path_len;
	return add_bytes(list, path, path_len, &ref->path);
}

/* Names of one directory mostly follow each other: its path is stored once then. */
static bool has_path(const struct sendcp_ref_list *list, const struct sendcp_listed_ref *ref,
		     const u8 *path, u16 path_len)
{
	return ref->path_len == path_len && !memcmp(list->bytes + ref->path, path, path_len);
}

int sendcp_ref_list_add(struct sendcp_ref_list *list, const struct sendcp_ref *ref,
			u64 dir_generation, const u8 *path, u16 path_len)
{
	struct sendcp_listed_ref *new;

	if (reserve_ref(list))
		return -ENOMEM;
	new = &list->refs[list->count];
	memset(new, 0, sizeof(*new));
	new->dir = ref->dir;
	new->dir_generation = dir_generation;
	new->name_len = ref->name_len;
	if (add_bytes(list, ref->name, ref->name_len, &new->name))
		return -ENOMEM;
	if (list->count && has_path(list, &new[-1], path, path_len)) {
		new->path = new[-1].path;
		new->path_len = path_len;
	} else if (sendcp_ref_list_set_path(list, new, path, path_len)) {
		return -ENOMEM;
	}
	link_ref(list, list->count);
	list->count++;
	list->live++;
	return 0;
}

void sendcp_ref_list_cancel(struct sendcp_ref_list *list, struct sendcp_listed_ref *ref)
{
	ref->cancelled = true;
	list->live--;
}
