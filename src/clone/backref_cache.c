// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The backref cache: which clone roots the leaves met last are reachable from.
 *
 * It is more than a cache: a leaf that is in it has its candidates visited earlier, which decides
 * between equal ones. So contents and order are part of a checkpoint, and a search that failed or
 * has to be repeated must leave them as they were.
 */
#include "clone/backref_walk.h"

struct cache_state {
	u32 count;
	/* Ticks with every use. */
	u64 clock;
	u64 leaves[SENDCP_BACKREF_CACHE_LEAVES];
	u64 used[SENDCP_BACKREF_CACHE_LEAVES];
	/* False: it is known that the leaf is here, but its roots have to be looked up. */
	bool roots_known[SENDCP_BACKREF_CACHE_LEAVES];
	u8 root_counts[SENDCP_BACKREF_CACHE_LEAVES];
	u64 roots[SENDCP_BACKREF_CACHE_LEAVES][SENDCP_BACKREF_CACHE_ROOTS];
};

struct sendcp_backref_cache {
	struct cache_state now;
	/* As it was when the running search began, if it has changed since. */
	struct cache_state before;
	bool changed;
	/* The volume's when the roots were looked up. */
	u64 generation;
};

int sendcp_backref_cache_create(struct sendcp_volume *volume, struct sendcp_backref_cache **out)
{
	*out = sendcp_zalloc(sizeof(**out));
	return *out ? 0 : sendcp_fail_detail(volume, SENDCP_ERR_NO_MEMORY, NULL);
}

void sendcp_backref_cache_destroy(struct sendcp_backref_cache *cache)
{
	sendcp_free(cache);
}

void sendcp_backref_cache_begin(struct sendcp_backref_walk *walk)
{
	struct sendcp_backref_cache *cache = walk->search->backref_cache;

	cache->changed = false;
	if (cache->generation == walk->generation)
		return;
	/*
	 * There was a commit, and blocks may have moved: the roots known of leaves may be wrong
	 * now.
	 */
	memset(cache->now.roots_known, 0, sizeof(cache->now.roots_known));
	cache->generation = walk->generation;
}

/* Copying waits for the first change: most searches end before they get here. */
static void will_change(struct sendcp_backref_cache *cache)
{
	if (cache->changed)
		return;
	cache->before = cache->now;
	cache->changed = true;
}

void sendcp_backref_cache_rollback(struct sendcp_backref_cache *cache)
{
	if (cache->changed)
		cache->now = cache->before;
	cache->changed = false;
}

/* Slot of @leaf, or count if it is not there. */
static u32 find(const struct cache_state *state, u64 leaf)
{
	u32 i;

	for (i = 0; i < state->count; i++) {
		if (state->leaves[i] == leaf)
			break;
	}
	return i;
}

static u32 least_recent(const struct cache_state *state)
{
	u32 i, least = 0;

	for (i = 1; i < state->count; i++) {
		if (state->used[i] < state->used[least])
			least = i;
	}
	return least;
}

/* A slot for @leaf, which is not there; a full one loses its least recent one. */
static u32 claim(struct cache_state *state, u64 leaf)
{
	u32 slot = state->count < SENDCP_BACKREF_CACHE_LEAVES ? state->count++ :
		least_recent(state);

	state->leaves[slot] = leaf;
	state->used[slot] = ++state->clock;
	state->roots_known[slot] = false;
	return slot;
}

static void drop(struct cache_state *state, u32 slot)
{
	u32 last = --state->count;

	state->leaves[slot] = state->leaves[last];
	state->used[slot] = state->used[last];
	state->roots_known[slot] = state->roots_known[last];
	state->root_counts[slot] = state->root_counts[last];
	memcpy(state->roots[slot], state->roots[last], sizeof(state->roots[slot]));
}

/*
 * Those of walk->roots that are clone roots, into @ids; more than SENDCP_BACKREF_CACHE_ROOTS if too
 * many.
 */
static u32 clone_roots_found(struct sendcp_backref_walk *walk, u64 *ids)
{
	u32 i, count = 0;

	for (i = 0; i < walk->roots.count; i++) {
		if (sendcp_clone_root_index(walk->search, walk->roots.ids[i]) < 0)
			continue;
		if (count == SENDCP_BACKREF_CACHE_ROOTS)
			return count + 1;
		ids[count++] = walk->roots.ids[i];
	}
	return count;
}

/* False: they are too many. */
static bool fill(struct sendcp_backref_walk *walk, struct cache_state *state, u32 slot)
{
	u64 ids[SENDCP_BACKREF_CACHE_ROOTS];
	u32 count = clone_roots_found(walk, ids);

	if (count > SENDCP_BACKREF_CACHE_ROOTS)
		return false;
	memcpy(state->roots[slot], ids, count * sizeof(*ids));
	state->root_counts[slot] = count;
	state->roots_known[slot] = true;
	return true;
}

int sendcp_backref_cache_lookup(struct sendcp_backref_walk *walk, u64 bytenr, const u64 **roots,
				u32 *count)
{
	struct sendcp_backref_cache *cache = walk->search->backref_cache;
	struct cache_state *state = &cache->now;
	u32 slot = find(state, bytenr);
	int err;

	if (slot == state->count)
		return 0;
	will_change(cache);
	/* Loaded from a checkpoint. Looking up what was known then gives what was known then. */
	if (!state->roots_known[slot]) {
		err = sendcp_leaf_roots(walk, bytenr);
		if (err)
			return err;
		if (!fill(walk, state, slot)) {
			drop(state, slot);
			return 0;
		}
	}
	state->used[slot] = ++state->clock;
	*roots = state->roots[slot];
	*count = state->root_counts[slot];
	return 1;
}

/* A leaf without clone roots is remembered too: it takes a place. */
void sendcp_backref_cache_store(struct sendcp_backref_walk *walk, u64 bytenr)
{
	struct sendcp_backref_cache *cache = walk->search->backref_cache;
	u64 ids[SENDCP_BACKREF_CACHE_ROOTS];

	if (clone_roots_found(walk, ids) > SENDCP_BACKREF_CACHE_ROOTS)
		return;
	will_change(cache);
	fill(walk, &cache->now, claim(&cache->now, bytenr));
}

/* Slots are in no order; a leaf's place is the number of those last used before it. */
u32 sendcp_backref_cache_save(const struct sendcp_clone_search *search, u64 *leaves, u32 capacity)
{
	const struct cache_state *state = &search->backref_cache->now;
	u32 i, place, other;

	for (i = 0; i < state->count; i++) {
		place = 0;
		for (other = 0; other < state->count; other++)
			place += state->used[other] < state->used[i];
		if (place < capacity)
			leaves[place] = state->leaves[i];
	}
	return state->count;
}

/* From a checkpoint, hence anything: a leaf that comes twice counts where it comes last. */
int sendcp_backref_cache_load(struct sendcp_clone_search *search, const u64 *leaves, u32 count)
{
	struct cache_state *state = &search->backref_cache->now;
	u32 i, slot;

	memset(state, 0, sizeof(*state));
	for (i = 0; i < count; i++) {
		slot = find(state, leaves[i]);
		if (slot == state->count)
			slot = claim(state, leaves[i]);
		state->used[slot] = ++state->clock;
	}
	return 0;
}
