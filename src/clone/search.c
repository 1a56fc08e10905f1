// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The search for a clone source: which candidate wins, and starting over when the trees moved.
 *
 * Everything one search reads must belong to one commit, as the references of one do not fit the
 * trees of another. A mounted filesystem may commit in the middle, which shows as a volume whose
 * generation has grown; then the search is worth nothing and starts over.
 */
#include "clone/backref_walk.h"

/* A mounted filesystem commits every half minute; a search takes milliseconds. */
#define MAX_TRIES 8

int sendcp_clone_search_init(struct sendcp_clone_search *search, struct sendcp_volume *volume,
			     struct sendcp_clone_root *roots, u32 root_count)
{
	search->volume = volume;
	search->roots = roots;
	search->root_count = root_count;
	search->alone = root_count == 1;
	return sendcp_backref_cache_create(volume, &search->backref_cache);
}

void sendcp_clone_search_release(struct sendcp_clone_search *search)
{
	sendcp_backref_cache_destroy(search->backref_cache);
	search->backref_cache = NULL;
}

int sendcp_clone_root_index(const struct sendcp_clone_search *search, u64 id)
{
	u32 low = 0, high = search->root_count;

	while (low < high) {
		u32 middle = low + (high - low) / 2;

		if (search->roots[middle].tree.id < id)
			low = middle + 1;
		else
			high = middle;
	}
	return low < search->root_count && search->roots[low].tree.id == id ? (int)low : -1;
}

/* In the sent subvolume: contents that are not at the receiver yet, and the wanted item itself. */
static bool not_there_yet(const struct sendcp_backref_walk *walk,
			  const struct sendcp_candidate *candidate)
{
	const struct sendcp_clone_wanted *wanted = walk->wanted;

	if (candidate->ino != wanted->ino)
		return candidate->ino > wanted->ino;
	return candidate->offset == wanted->extent->file_offset ||
	       candidate->offset + walk->length > wanted->next_write_offset;
}

/*
 * A longer item replaces a shorter one, an equal one does not: of those the first that was visited
 * stays, which is why the order of visits is part of the behaviour.
 */
bool sendcp_walk_visit(struct sendcp_backref_walk *walk, u64 root,
		       const struct sendcp_candidate *candidate)
{
	int index = sendcp_clone_root_index(walk->search, root);

	if (index < 0 || (root == walk->send_root && not_there_yet(walk, candidate)))
		return false;
	if (candidate->length > walk->best[index].length)
		walk->best[index] = *candidate;
	return candidate->length >= walk->length;
}

/* The clone roots that contain leaf @bytenr. */
static int roots_of_leaf(struct sendcp_backref_walk *walk, u64 bytenr, const u64 **roots,
			 u32 *count)
{
	int ret;

	ret = sendcp_backref_cache_lookup(walk, bytenr, roots, count);
	if (ret)
		return ret < 0 ? ret : 0;
	ret = sendcp_leaf_roots(walk, bytenr);
	if (ret)
		return ret;
	sendcp_backref_cache_store(walk, bytenr);
	*roots = walk->roots.ids;
	*count = walk->roots.count;
	return 0;
}

static bool visit_chain(struct sendcp_backref_walk *walk, u64 root,
			const struct sendcp_chain *chain)
{
	u32 index;

	for (index = chain->first; index != SENDCP_CHAIN_END; index =
	     walk->candidates[index].next) {
		if (sendcp_walk_visit(walk, root, &walk->candidates[index]))
			return true;
	}
	return false;
}

/* Leaf by leaf, in each root by root: not candidate by candidate. */
static int visit_leaves(struct sendcp_backref_walk *walk)
{
	const u64 *roots;
	u32 i, k, count;
	int err;

	for (i = 0; i < walk->leaf_count; i++) {
		err = roots_of_leaf(walk, walk->leaves[i].bytenr, &roots, &count);
		if (err)
			return err;
		for (k = 0; k < count; k++) {
			if (visit_chain(walk, roots[k], &walk->leaves[i].chain))
				return SENDCP_CLONE_STOP;
		}
	}
	return 0;
}

/* 1 with *@source, or 0: the longest item wins, the lowest root among equals. */
static int choose(const struct sendcp_backref_walk *walk, struct sendcp_clone_source *source)
{
	const struct sendcp_candidate *best = NULL;
	u32 i;

	for (i = 0; i < walk->search->root_count; i++) {
		if (walk->best[i].length <= (best ? best->length : 0))
			continue;
		best = &walk->best[i];
		source->root = i;
		if (best->length >= walk->length)
			break;
	}
	if (!best)
		return 0;
	source->ino = best->ino;
	source->offset = best->offset;
	return 1;
}

/* With nothing else to clone from, the reference that the wanted item itself makes is of no use. */
static void ignore_own_ref(struct sendcp_backref_walk *walk)
{
	const struct sendcp_clone_wanted *wanted = walk->wanted;
	u64 start = wanted->extent->file_offset - wanted->extent->extent_offset;
	struct sendcp_backref *ref;
	u32 i;

	if (!walk->search->alone)
		return;
	for (i = 0; i < walk->shared_at; i++) {
		ref = &walk->found.refs[i];
		if (ref->root == wanted->leaf_owner && ref->key.objectid == wanted->ino &&
		    ref->key.offset == start)
			ref->count = 0;
	}
}

/* None of these can be outgrown: see sendcp_backref_walk. */
static int allocate(struct sendcp_backref_walk *walk)
{
	u32 capacity = walk->found.capacity;
	int err;

	err = sendcp_backrefs_reset(walk->volume, &walk->resolved, capacity);
	if (err)
		return err;
	walk->trees = sendcp_zalloc(SENDCP_KNOWN_TREES * sizeof(*walk->trees));
	walk->best = sendcp_zalloc(walk->search->root_count * sizeof(*walk->best));
	walk->candidates = sendcp_alloc(capacity * sizeof(*walk->candidates));
	walk->leaves = sendcp_alloc(capacity * sizeof(*walk->leaves));
	if (!walk->trees || !walk->best || !walk->candidates || !walk->leaves)
		return sendcp_fail_detail(walk->volume, SENDCP_ERR_NO_MEMORY, NULL);
	return 0;
}

static void run_release(struct sendcp_backref_walk *walk)
{
	sendcp_id_set_release(&walk->roots);
	sendcp_id_set_release(&walk->blocks);
	sendcp_free(walk->block_refs.refs);
	sendcp_free(walk->leaves);
	sendcp_free(walk->candidates);
	sendcp_free(walk->best);
	sendcp_free(walk->trees);
	sendcp_free(walk->resolved.refs);
	sendcp_free(walk->found.refs);
}

/* Bytes after the file's end need not be found elsewhere. */
static u64 wanted_length(const struct sendcp_clone_wanted *wanted)
{
	const struct sendcp_extent *extent = wanted->extent;

	return sendcp_min(extent->num_bytes, wanted->inode_size - extent->file_offset);
}

static void run_init(struct sendcp_backref_walk *walk, struct sendcp_clone_search *search,
		     const struct sendcp_clone_wanted *wanted)
{
	u32 i;

	memset(walk, 0, sizeof(*walk));
	walk->search = search;
	walk->wanted = wanted;
	walk->volume = search->volume;
	walk->generation = search->volume->generation;
	walk->bytenr = wanted->extent->disk_bytenr;
	/* Any part of a compressed extent will do, so the place in it is no matter. */
	walk->position = wanted->extent->compression ? 0 : wanted->extent->extent_offset;
	walk->length = wanted_length(wanted);
	for (i = 0; i < search->root_count; i++) {
		if (search->roots[i].is_send_root)
			walk->send_root = search->roots[i].tree.id;
	}
	sendcp_backref_cache_begin(walk);
}

/*
 * A mounted filesystem's extent that has no item was relocated after the wanted item had been read:
 * the data is there all the same, but who shares it cannot be known any more.
 */
static bool is_gone(const struct sendcp_volume *volume, int ret)
{
	return ret < 0 && volume->host->mounted && volume->error.reason == SENDCP_ERR_ITEM_MISSING;
}

/*
 * Fills walk->found. 0: there is nothing to look for. Most extents have one reference, so that
 * comes before anything is allocated.
 */
static int collect_refs(struct sendcp_backref_walk *walk)
{
	struct sendcp_extent_entry entry;
	struct sendcp_cursor cursor;
	int ret;

	ret = sendcp_tree_open(walk->volume, SENDCP_EXTENT_TREE_ID, false, &walk->extent_tree);
	if (ret)
		return ret;
	sendcp_cursor_init(&cursor, &walk->extent_tree);
	ret = sendcp_extent_entry_find(&cursor, walk->bytenr, false, &entry);
	if (is_gone(walk->volume, ret)) {
		ret = 0;
		goto out;
	}
	if (ret)
		goto out;
	if (entry.refs <= SENDCP_CLONE_MAX_REFS && (entry.refs > 1 || !walk->search->alone))
		ret = sendcp_backrefs_collect(&cursor, &entry, &walk->found);
	if (!ret && walk->found.count)
		ret = 1;
out:
	sendcp_cursor_release(&cursor);
	return ret;
}

static int search_refs(struct sendcp_backref_walk *walk)
{
	int ret;

	/* In descending order those without a root are the last ones. */
	while (walk->shared_at < walk->found.count && !walk->found.refs[walk->shared_at].parent)
		walk->shared_at++;
	ignore_own_ref(walk);
	ret = allocate(walk);
	if (!ret)
		ret = sendcp_resolve_refs(walk);
	if (!ret)
		ret = sendcp_resolve_leaves(walk);
	if (!ret)
		ret = visit_leaves(walk);
	/* Too many blocks above a leaf: the sources found until then have to do. */
	return ret == -E2BIG ? 0 : ret;
}

static int find_once(struct sendcp_clone_search *search, const struct sendcp_clone_wanted *wanted,
		     struct sendcp_clone_source *source)
{
	struct sendcp_backref_walk walk;
	int ret;

	run_init(&walk, search, wanted);
	ret = collect_refs(&walk);
	if (ret > 0) {
		ret = search_refs(&walk);
		if (ret >= 0)
			ret = choose(&walk, source);
	}
	run_release(&walk);
	if (ret < 0)
		sendcp_backref_cache_rollback(search->backref_cache);
	return ret;
}

/*
 * After a try on a mounted filesystem that began at @generation and gave @err: 1 if there is
 * something newer on the disk, so that trying again makes sense; 0 if @err is the answer.
 */
static int moved(struct sendcp_volume *volume, u64 generation, int ret)
{
	struct sendcp_error why = volume->error;
	int newer;

	if (sendcp_is_final(ret))
		return 0;
	/* Part of it was read from one commit, part of it from the next one. */
	if (volume->generation != generation)
		return 1;
	if (ret >= 0)
		return 0;
	newer = sendcp_volume_refresh(volume);
	if (newer >= 0)
		volume->error = why;
	return newer;
}

int sendcp_clone_find(struct sendcp_clone_search *search, const struct sendcp_clone_wanted *wanted,
		      struct sendcp_clone_source *source)
{
	const struct sendcp_extent *extent = wanted->extent;
	struct sendcp_volume *volume = search->volume;
	int ret, again, tries;

	if (extent->type == SENDCP_EXTENT_INLINE || !extent->disk_bytenr ||
	    extent->file_offset >= wanted->inode_size)
		return 0;
	for (tries = 0; tries < MAX_TRIES; tries++) {
		u64 generation = volume->generation;

		ret = find_once(search, wanted, source);
		if (!volume->host->mounted)
			return ret;
		again = moved(volume, generation, ret);
		if (again < 0)
			return again;
		if (!again)
			return is_gone(volume, ret) ? 0 : ret;
		sendcp_backref_cache_rollback(search->backref_cache);
	}
	/*
	 * Commits outran the search, as they do while a balance moves everything. That says nothing
	 * bad of the filesystem, and writing the data is always right.
	 */
	return 0;
}
