// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * From references to the file items that make them: candidates, chained by the leaf they are in.
 *
 * A reference names a tree, a file and where in it the extent would begin; the count says how many
 * items of that file show parts of it from there. Only items in leaves that the tree made itself
 * count: those in shared leaves are counted for the leaf's maker, or by the leaf's address.
 */
#include "clone/backref_walk.h"

/* Offsets from here on are differences below zero. */
#define BEFORE_THE_FILE 0x7fffffffffffffffULL

static bool is_encoded(const struct sendcp_extent *item)
{
	return item->compression || item->encryption || item->other_encoding;
}

/*
 * Makes a candidate of @item, which refers to the wanted extent. False if the wanted position is
 * not in its part of the extent; parts of an encoded one are taken without looking.
 */
static bool make_candidate(const struct sendcp_backref_walk *walk, const struct sendcp_extent *item,
			   struct sendcp_candidate *candidate)
{
	candidate->ino = item->ino;
	candidate->offset = item->file_offset;
	candidate->length = item->num_bytes;
	candidate->next = SENDCP_CHAIN_END;
	if (is_encoded(item))
		return true;
	if (walk->position < item->extent_offset ||
	    walk->position - item->extent_offset >= item->num_bytes)
		return false;
	candidate->offset += walk->position - item->extent_offset;
	return true;
}

/*
 * Offers @candidate, at once, to the roots that @leaf is known to have. It is offered again with
 * all the others later on, but being first is what counts among equals.
 */
static int visit_remembered(struct sendcp_backref_walk *walk, u64 leaf,
			    const struct sendcp_candidate *candidate)
{
	const u64 *roots;
	u32 i, count;
	int ret;

	ret = sendcp_backref_cache_lookup(walk, leaf, &roots, &count);
	if (ret <= 0)
		return ret;
	for (i = 0; i < count; i++) {
		if (sendcp_walk_visit(walk, roots[i], candidate))
			return SENDCP_CLONE_STOP;
	}
	return 0;
}

/* The item in @slot of @leaf, without parsing it: does it refer to the wanted extent? */
static bool refers(const struct sendcp_backref_walk *walk, const struct sendcp_node *leaf, u32 slot,
		   u64 *data_start)
{
	const struct sendcp_disk_extent_data *disk;
	struct sendcp_key key = sendcp_node_key(leaf, slot);
	u32 size;

	if (key.type != SENDCP_EXTENT_DATA)
		return false;
	disk = sendcp_node_item(leaf, slot, &size);
	if (size < sizeof(*disk) || disk->type == SENDCP_EXTENT_INLINE ||
	    le64_to_cpu(disk->disk_bytenr) != walk->bytenr)
		return false;
	*data_start = key.offset - le64_to_cpu(disk->offset);
	return true;
}

/*
 * Takes the item under @cursor, which refers to the wanted extent. 0 with *@index: it has become
 * that candidate; *@index SENDCP_CHAIN_END: it was filtered out.
 */
static int add_candidate(struct sendcp_backref_walk *walk, struct sendcp_cursor *cursor, u32 *index)
{
	struct sendcp_candidate candidate;
	struct sendcp_extent item;
	int ret;

	*index = SENDCP_CHAIN_END;
	ret = sendcp_extent_parse(cursor, &item);
	if (ret || !make_candidate(walk, &item, &candidate))
		return ret;
	ret = visit_remembered(walk, cursor->path[0]->bytenr, &candidate);
	if (ret)
		return ret;
	/* More of them than the extent has references: the filesystem is damaged. */
	if (walk->candidate_count == walk->found.capacity)
		return sendcp_cursor_fail(cursor, SENDCP_ERR_ITEM_FORMAT);
	*index = walk->candidate_count++;
	walk->candidates[*index] = candidate;
	return 0;
}

static void chain_append(struct sendcp_backref_walk *walk, struct sendcp_chain *chain,
			 const struct sendcp_chain *more)
{
	if (more->first == SENDCP_CHAIN_END)
		return;
	if (chain->first == SENDCP_CHAIN_END)
		chain->first = more->first;
	else
		walk->candidates[chain->last].next = more->first;
	chain->last = more->last;
}

/* Of leaves known by address alone the last item comes first; see scan_leaf(). */
static void chain_prepend(struct sendcp_backref_walk *walk, struct sendcp_chain *chain, u32 index)
{
	walk->candidates[index].next = chain->first;
	if (chain->first == SENDCP_CHAIN_END)
		chain->last = index;
	chain->first = index;
}

/*
 * The resolved reference of @ref in @leaf: the last one made if that is of this leaf, else a new
 * one. The list is large enough: every one has a candidate.
 */
static struct sendcp_backref *resolved_in(struct sendcp_backref_walk *walk,
					  const struct sendcp_backref *ref, u64 leaf, u32 since)
{
	struct sendcp_backref_list *list = &walk->resolved;
	struct sendcp_backref *resolved;

	if (list->count > since && list->refs[list->count - 1].parent == leaf)
		return &list->refs[list->count - 1];
	resolved = &list->refs[list->count++];
	*resolved = *ref;
	resolved->parent = leaf;
	return resolved;
}

/* Is @leaf one whose references are counted elsewhere: by its address, or for another tree? */
static bool is_foreign(const struct sendcp_backref_walk *walk, const struct sendcp_node *leaf,
		       u64 root)
{
	u32 i;

	if (leaf->owner != root)
		return true;
	for (i = walk->shared_at; i < walk->found.count; i++) {
		if (walk->found.refs[i].parent == leaf->bytenr)
			return true;
	}
	return false;
}

/* Puts @cursor where the search for @ref's items begins. -ENOENT: there is no such place. */
static int seek(struct sendcp_backref_walk *walk, struct sendcp_cursor *cursor,
		const struct sendcp_backref *ref)
{
	struct sendcp_key key = ref->key;
	int ret;

	/* The file shows the extent from its middle on: this is where the extent would begin. */
	if (key.offset >= BEFORE_THE_FILE)
		key.offset = 0;
	ret = sendcp_search_slot(cursor, &key, 0);
	if (ret < 0)
		return ret;
	if (cursor->slot[0] >= cursor->path[0]->nritems ||
	    is_foreign(walk, cursor->path[0], ref->root))
		return sendcp_next_leaf(cursor);
	return 0;
}

/* Continues from @cursor until all of @ref's items were seen. -ENOENT: end of the tree. */
static int scan(struct sendcp_backref_walk *walk, struct sendcp_cursor *cursor,
		const struct sendcp_backref *ref)
{
	u32 index, left = ref->count, since = walk->resolved.count;
	struct sendcp_chain chain;
	struct sendcp_key key;
	u64 start;
	int ret = 0;

	while (!ret && left) {
		key = sendcp_cursor_key(cursor);
		if (key.objectid != ref->key.objectid || key.type != SENDCP_EXTENT_DATA)
			break;
		/* Asked at a leaf's first item only: a scan that begins inside one stays in it. */
		if (!cursor->slot[0] && is_foreign(walk, cursor->path[0], ref->root)) {
			ret = sendcp_next_leaf(cursor);
			continue;
		}
		if (refers(walk, cursor->path[0], cursor->slot[0], &start) &&
		    start == ref->key.offset) {
			left--;
			ret = add_candidate(walk, cursor, &index);
			if (ret)
				break;
			chain.first = index;
			chain.last = index;
			if (index != SENDCP_CHAIN_END)
				chain_append(walk, &resolved_in(walk, ref, cursor->path[0]->bytenr,
								since)->chain, &chain);
		}
		ret = sendcp_next(cursor);
	}
	return ret;
}

/* A reference of a tree that does not exist stays unresolved, which is no error. */
static int resolve_ref(struct sendcp_backref_walk *walk, const struct sendcp_backref *ref)
{
	struct sendcp_cursor cursor;
	struct sendcp_tree tree;
	int ret;

	ret = sendcp_walk_tree(walk, ref->root, &tree);
	if (ret)
		return ret == -ENOENT ? 0 : ret;
	sendcp_cursor_init(&cursor, &tree);
	ret = seek(walk, &cursor, ref);
	if (!ret)
		ret = scan(walk, &cursor, ref);
	sendcp_cursor_release(&cursor);
	return ret == -ENOENT ? 0 : ret;
}

int sendcp_resolve_refs(struct sendcp_backref_walk *walk)
{
	struct sendcp_backref_list *list = &walk->resolved;
	const struct sendcp_backref *ref;
	u32 i;
	int ret = 0;

	for (i = 0; !ret && i < walk->found.count; i++) {
		ref = &walk->found.refs[i];
		if (!ref->count)
			continue;
		if (ref->parent)
			list->refs[list->count++] = *ref;
		else
			ret = resolve_ref(walk, ref);
	}
	/* Leaves in descending order of root, file, offset, address; without root at the end. */
	if (!ret)
		sendcp_backrefs_sort(list);
	return ret;
}

/* The candidates in the leaf of @ref, of which only the address is known: last item first. */
static int scan_leaf(struct sendcp_backref_walk *walk, struct sendcp_backref *ref)
{
	struct sendcp_tree tree = walk->extent_tree;
	struct sendcp_cursor cursor;
	u64 start;
	u32 index;
	int ret;

	/* No tree leads to it, so the cursor has the leaf alone; failures name its owner. */
	sendcp_cursor_init(&cursor, &tree);
	ret = sendcp_walk_leaf(walk, ref->parent, &cursor.path[0]);
	if (ret)
		return ret;
	tree.id = cursor.path[0]->owner;
	for (; !ret && cursor.slot[0] < cursor.path[0]->nritems; cursor.slot[0]++) {
		if (!refers(walk, cursor.path[0], cursor.slot[0], &start))
			continue;
		ret = add_candidate(walk, &cursor, &index);
		if (!ret && index != SENDCP_CHAIN_END)
			chain_prepend(walk, &ref->chain, index);
	}
	sendcp_cursor_release(&cursor);
	return ret;
}

/* Linear: there are at most SENDCP_CLONE_MAX_REFS leaves, and mostly one or two. */
static struct sendcp_clone_leaf *leaf_of(struct sendcp_backref_walk *walk, u64 bytenr)
{
	struct sendcp_clone_leaf *leaf;
	u32 i;

	for (i = 0; i < walk->leaf_count; i++) {
		if (walk->leaves[i].bytenr == bytenr)
			return &walk->leaves[i];
	}
	leaf = &walk->leaves[walk->leaf_count++];
	leaf->bytenr = bytenr;
	leaf->chain.first = SENDCP_CHAIN_END;
	leaf->chain.last = SENDCP_CHAIN_END;
	return leaf;
}

/* One leaf may have come about through several references: its chains are joined. */
int sendcp_resolve_leaves(struct sendcp_backref_walk *walk)
{
	struct sendcp_backref *ref;
	u32 i;
	int ret;

	for (i = 0; i < walk->resolved.count; i++) {
		ref = &walk->resolved.refs[i];
		if (!ref->root) {
			ret = scan_leaf(walk, ref);
			if (ret)
				return ret;
		}
		chain_append(walk, &leaf_of(walk, ref->parent)->chain, &ref->chain);
	}
	return 0;
}
