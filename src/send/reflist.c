// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Ordered lists of names with a hash over them: an inode may have 65,535, and comparing each with
 * each would take minutes.
 *
 * The order is that of the items, and of the commands that result. So nothing is ever taken out: an
 * entry that is cancelled stays in its chain and is skipped. An entry has its name and the number
 * of its directory, but no path: users could make a list as large as they like.
 */
#include "format/hash.h"
#include "send/reflist.h"

#define FIRST_BUCKETS 64u
#define CHUNK_SIZE 16384u
/* A list with room for more is freed when it is emptied. */
#define REFS_KEPT 1024u

static void free_chunks(struct sendcp_ref_list *list, u32 kept)
{
	while (list->chunk_count > kept)
		sendcp_free(list->chunks[--list->chunk_count]);
}

/* Called for each inode: after one with very many names the next ones must not pay for it. */
void sendcp_ref_list_clear(struct sendcp_ref_list *list)
{
	if (list->capacity > REFS_KEPT) {
		sendcp_ref_list_release(list);
		return;
	}
	if (list->count)
		memset(list->buckets, 0, list->bucket_count * sizeof(*list->buckets));
	free_chunks(list, 1);
	list->count = 0;
	list->live = 0;
	list->used = 0;
}

void sendcp_ref_list_release(struct sendcp_ref_list *list)
{
	free_chunks(list, 0);
	sendcp_free(list->chunks);
	sendcp_free(list->refs);
	sendcp_free(list->buckets);
	memset(list, 0, sizeof(*list));
}

static u32 *bucket_of(const struct sendcp_ref_list *list, u64 dir, const u8 *name, u16 len)
{
	u32 hash = sendcp_hash_bytes(list->seed ^ sendcp_hash64(dir), name, len);

	return &list->buckets[hash & (list->bucket_count - 1)];
}

static void link_ref(struct sendcp_ref_list *list, u32 index)
{
	struct sendcp_listed_ref *ref = &list->refs[index];
	u32 *bucket = bucket_of(list, ref->dir, sendcp_ref_list_name(list, ref),
			     ref->name_len);

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
		    !memcmp(sendcp_ref_list_name(list, at), ref->name, ref->name_len))
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
	list->seed = sendcp_now();
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

static int add_chunk(struct sendcp_ref_list *list)
{
	u32 room = list->chunk_room ? list->chunk_room * 2 : 4;
	u8 **chunks;

	if (list->chunk_count == list->chunk_room) {
		chunks = sendcp_realloc(list->chunks, list->chunk_room * sizeof(*chunks),
					room * sizeof(*chunks));
		if (!chunks)
			return -ENOMEM;
		list->chunks = chunks;
		list->chunk_room = room;
	}
	list->chunks[list->chunk_count] = sendcp_alloc(CHUNK_SIZE);
	if (!list->chunks[list->chunk_count])
		return -ENOMEM;
	list->chunk_count++;
	list->used = 0;
	return 0;
}

static int add_name(struct sendcp_ref_list *list, const struct sendcp_ref *ref,
		    struct sendcp_listed_ref *new)
{
	if ((!list->chunk_count || CHUNK_SIZE - list->used < ref->name_len) && add_chunk(list))
		return -ENOMEM;
	new->chunk = list->chunk_count - 1;
	new->at = list->used;
	new->name_len = ref->name_len;
	memcpy(list->chunks[new->chunk] + new->at, ref->name, ref->name_len);
	list->used += ref->name_len;
	return 0;
}

int sendcp_ref_list_add(struct sendcp_ref_list *list, const struct sendcp_ref *ref,
			u64 dir_generation)
{
	struct sendcp_listed_ref *new;

	if (reserve_ref(list))
		return -ENOMEM;
	new = &list->refs[list->count];
	memset(new, 0, sizeof(*new));
	new->dir = ref->dir;
	new->dir_generation = dir_generation;
	if (add_name(list, ref, new))
		return -ENOMEM;
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
