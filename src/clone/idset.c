// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A set of numbers that remembers the order in which they came.
 */
#include "clone/backref_walk.h"
#include "format/hash.h"

#define FIRST_CAPACITY 32u

/*
 * The place of @id, or the free one where it would be. Half of the places are always free, so
 * that probing one after the other ends soon.
 */
static u32 probe(const struct sendcp_id_set *set, u64 id)
{
	u32 mask = 2 * set->capacity - 1;
	u32 place = sendcp_hash64(id) & mask;

	while (set->places[place] && set->ids[set->places[place] - 1] != id)
		place = (place + 1) & mask;
	return place;
}

static int grow(struct sendcp_id_set *set)
{
	u32 i, capacity = set->capacity ? 2 * set->capacity : FIRST_CAPACITY;
	u32 *places;
	u64 *ids;

	if (capacity > SENDCP_CLONE_MAX_BLOCKS)
		return -E2BIG;
	places = sendcp_zalloc(2 * (size_t)capacity * sizeof(*places));
	ids = sendcp_realloc(set->ids, set->count * sizeof(*ids), capacity * sizeof(*ids));
	if (ids)
		set->ids = ids;
	if (!ids || !places) {
		sendcp_free(places);
		return -ENOMEM;
	}
	sendcp_free(set->places);
	set->places = places;
	set->capacity = capacity;
	for (i = 0; i < set->count; i++)
		set->places[probe(set, set->ids[i])] = i + 1;
	return 0;
}

int sendcp_id_set_add(struct sendcp_id_set *set, u64 id)
{
	u32 place;
	int err;

	/* Looked up first, so that a full set still knows what is in it. */
	if (set->capacity) {
		place = probe(set, id);
		if (set->places[place])
			return 0;
	}
	if (set->count == set->capacity) {
		err = grow(set);
		if (err)
			return err;
	}
	place = probe(set, id);
	set->ids[set->count++] = id;
	set->places[place] = set->count;
	return 1;
}

/* Keeps the memory: a search fills the same sets once for each leaf. */
void sendcp_id_set_clear(struct sendcp_id_set *set)
{
	if (set->count)
		memset(set->places, 0, 2 * (size_t)set->capacity * sizeof(*set->places));
	set->count = 0;
}

void sendcp_id_set_release(struct sendcp_id_set *set)
{
	sendcp_free(set->ids);
	sendcp_free(set->places);
	memset(set, 0, sizeof(*set));
}
