// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Lists and sets of inode ids.
 *
 * A set only ever appends: an id that is taken out leaves a hole in its place, so that undoing is
 * filling the holes made since and dropping the ids appended since. Holes are closed when changes
 * are kept.
 */
#include "format/hash.h"
#include "send/inode_set.h"

#define FIRST_CAPACITY 16u
/* In sendcp_inode_slot.gone: taken out, and none before it since the last keep. */
#define FIRST_GONE (~0u)
/* Likewise: for good. Such slots are in no bucket: an id often moved to the end would fill it. */
#define GONE_FOR_GOOD (~0u - 1)
/* Fewer holes than that are not worth closing. */
#define HOLES_KEPT 64u

int sendcp_id_list_reserve(struct sendcp_id_list *list, u32 capacity)
{
	struct sendcp_inode_id *ids;

	if (list->capacity >= capacity)
		return 0;
	capacity = sendcp_max(capacity, sendcp_max(8, list->capacity * 2ULL));
	ids = sendcp_realloc(list->ids, list->capacity * sizeof(*ids), capacity * sizeof(*ids));
	if (!ids)
		return -ENOMEM;
	list->ids = ids;
	list->capacity = capacity;
	return 0;
}

int sendcp_id_list_add(struct sendcp_id_list *list, u64 ino, u64 generation)
{
	if (sendcp_id_list_reserve(list, list->count + 1))
		return -ENOMEM;
	list->ids[list->count].ino = ino;
	list->ids[list->count].generation = generation;
	list->count++;
	return 0;
}

int sendcp_id_list_copy(struct sendcp_id_list *to, const struct sendcp_id_list *from)
{
	if (sendcp_id_list_reserve(to, from->count))
		return -ENOMEM;
	if (from->count)
		memcpy(to->ids, from->ids, from->count * sizeof(*to->ids));
	to->count = from->count;
	return 0;
}

void sendcp_id_list_release(struct sendcp_id_list *list)
{
	sendcp_free(list->ids);
	memset(list, 0, sizeof(*list));
}

static u32 *bucket_of(const struct sendcp_inode_set *set, const struct sendcp_inode_id *id)
{
	u32 hash = sendcp_hash64(id->ino + (id->generation << 40) + (id->generation >> 24));

	return &set->buckets[hash & (set->bucket_count - 1)];
}

/*
 * Chains are made of numbers of slots, which stay right when the slots are moved to larger memory.
 */
static void link_slot(struct sendcp_inode_set *set, u32 index)
{
	struct sendcp_inode_slot *slot = &set->slots[index];
	u32 *bucket = bucket_of(set, &slot->id);

	slot->hash_next = *bucket;
	*bucket = index + 1;
}

/* All buckets must be empty. */
static void link_all(struct sendcp_inode_set *set)
{
	u32 i;

	for (i = 0; i < set->used; i++)
		if (set->slots[i].gone != GONE_FOR_GOOD)
			link_slot(set, i);
}

/* Makes sure that there is a slot to be used. As many buckets as slots: chains stay short. */
static int grow(struct sendcp_inode_set *set)
{
	u32 capacity = set->capacity ? set->capacity * 2 : FIRST_CAPACITY;
	struct sendcp_inode_slot *slots;
	u32 *buckets;

	if (set->used < set->capacity)
		return 0;
	if (capacity >= GONE_FOR_GOOD / 2)
		return -ENOMEM;
	buckets = sendcp_zalloc(capacity * sizeof(*buckets));
	if (!buckets)
		return -ENOMEM;
	slots = sendcp_realloc(set->slots, set->capacity * sizeof(*slots),
			       capacity * sizeof(*slots));
	if (!slots) {
		sendcp_free(buckets);
		return -ENOMEM;
	}
	sendcp_free(set->buckets);
	set->slots = slots;
	set->buckets = buckets;
	set->capacity = capacity;
	set->bucket_count = capacity;
	link_all(set);
	return 0;
}

static struct sendcp_inode_slot *find(const struct sendcp_inode_set *set, u64 ino, u64 generation)
{
	struct sendcp_inode_id id = { .ino = ino, .generation = generation };
	struct sendcp_inode_slot *slot;
	u32 next;

	if (!set->count)
		return NULL;
	next = *bucket_of(set, &id);
	while (next) {
		slot = &set->slots[next - 1];
		if (!slot->gone && slot->id.ino == ino && slot->id.generation == generation)
			return slot;
		next = slot->hash_next;
	}
	return NULL;
}

bool sendcp_inode_set_has(const struct sendcp_inode_set *set, u64 ino, u64 generation)
{
	return find(set, ino, generation);
}

u64 *sendcp_inode_set_note(const struct sendcp_inode_set *set, u64 ino, u64 generation)
{
	struct sendcp_inode_slot *slot = find(set, ino, generation);

	return slot ? slot->note : NULL;
}

int sendcp_inode_set_add(struct sendcp_inode_set *set, u64 ino, u64 generation)
{
	struct sendcp_inode_slot *slot;

	if (find(set, ino, generation))
		return 0;
	if (grow(set))
		return -ENOMEM;
	slot = &set->slots[set->used];
	memset(slot, 0, sizeof(*slot));
	slot->id.ino = ino;
	slot->id.generation = generation;
	link_slot(set, set->used);
	set->used++;
	set->count++;
	return 0;
}

/*
 * The slot stays in its chain, so that undoing needs no memory and cannot fail; keeping takes it
 * out. The slots emptied since the last keep are linked through their gone members, the latest
 * first.
 */
void sendcp_inode_set_remove(struct sendcp_inode_set *set, u64 ino, u64 generation)
{
	struct sendcp_inode_slot *slot = find(set, ino, generation);

	if (!slot)
		return;
	slot->gone = set->taken_out ? set->taken_out : FIRST_GONE;
	set->taken_out = slot - set->slots + 1;
	set->count--;
	while (set->first < set->used && set->slots[set->first].gone)
		set->first++;
}

bool sendcp_inode_set_next(const struct sendcp_inode_set *set, u32 *at, struct sendcp_inode_id *id)
{
	u32 slot = sendcp_max(*at, set->first);

	while (slot < set->used && set->slots[slot].gone)
		slot++;
	if (slot >= set->used)
		return false;
	*id = set->slots[slot].id;
	*at = slot + 1;
	return true;
}

struct sendcp_inode_id sendcp_inode_set_last(const struct sendcp_inode_set *set)
{
	u32 slot = set->used - 1;

	while (set->slots[slot].gone)
		slot--;
	return set->slots[slot].id;
}

/* There may be many more buckets than slots in use. */
static void empty_buckets(struct sendcp_inode_set *set)
{
	u32 i;

	for (i = 0; i < set->used; i++)
		*bucket_of(set, &set->slots[i].id) = 0;
}

void sendcp_inode_set_clear(struct sendcp_inode_set *set)
{
	empty_buckets(set);
	set->used = 0;
	set->count = 0;
	set->first = 0;
	set->taken_out = 0;
	sendcp_inode_set_keep(set);
}

static void close_holes(struct sendcp_inode_set *set)
{
	u32 to = 0;
	u32 i;

	empty_buckets(set);
	for (i = set->first; i < set->used; i++)
		if (!set->slots[i].gone)
			set->slots[to++] = set->slots[i];
	set->used = to;
	set->first = 0;
	link_all(set);
}

static void unlink_slot(struct sendcp_inode_set *set, struct sendcp_inode_slot *slot)
{
	u32 *at = bucket_of(set, &slot->id);
	u32 number = slot - set->slots + 1;

	while (*at != number)
		at = &set->slots[*at - 1].hash_next;
	*at = slot->hash_next;
}

void sendcp_inode_set_keep(struct sendcp_inode_set *set)
{
	struct sendcp_inode_slot *slot;

	while (set->taken_out) {
		slot = &set->slots[set->taken_out - 1];
		set->taken_out = slot->gone == FIRST_GONE ? 0 : slot->gone;
		slot->gone = GONE_FOR_GOOD;
		unlink_slot(set, slot);
	}
	while (set->used && set->slots[set->used - 1].gone)
		set->used--;
	if (set->used - set->count > set->count + HOLES_KEPT)
		close_holes(set);
	set->first = sendcp_min(set->first, set->used);
	set->kept_used = set->used;
	set->kept_first = set->first;
}

/* Newest first: then each slot that was appended is the first of its chain. */
void sendcp_inode_set_undo(struct sendcp_inode_set *set)
{
	struct sendcp_inode_slot *slot;

	while (set->taken_out) {
		slot = &set->slots[set->taken_out - 1];
		set->taken_out = slot->gone == FIRST_GONE ? 0 : slot->gone;
		slot->gone = 0;
		set->count++;
	}
	while (set->used > set->kept_used) {
		unlink_slot(set, &set->slots[--set->used]);
		set->count--;
	}
	set->first = set->kept_first;
}

void sendcp_inode_set_release(struct sendcp_inode_set *set)
{
	sendcp_free(set->slots);
	sendcp_free(set->buckets);
	memset(set, 0, sizeof(*set));
}
