// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Back references as the extent tree has them: inside an extent's item and as items after it.
 *
 * Which of the two forms a reference has depends on the extent's history only. The order in which
 * they are found does not matter, since they are used in an order of their own.
 */
#include "clone/backref_walk.h"

/* Of an EXTENT_ITEM for a tree block: key and level, before the inline references. */
#define BLOCK_INFO_SIZE 18u
#define BLOCK_INFO_LEVEL 17u

/* Being filled from one extent's items. */
struct collector {
	struct sendcp_cursor *cursor;
	const struct sendcp_extent_entry *entry;
	struct sendcp_backref_list *list;
	/* Counts added up. Never above what the extent's item says, which bounds the list. */
	u64 total;
};

static int entry_parse(struct sendcp_cursor *cursor, bool is_block,
		       struct sendcp_extent_entry *entry)
{
	const struct sendcp_disk_extent_item *disk;
	struct sendcp_key key = sendcp_cursor_key(cursor);
	const void *item;
	u64 wanted_flag;
	u32 size;
	int err;

	entry->is_block = is_block;
	entry->inline_at = sizeof(*disk);
	if (is_block && key.type == SENDCP_EXTENT_ITEM)
		entry->inline_at += BLOCK_INFO_SIZE;
	err = sendcp_cursor_item_least(cursor, entry->inline_at, &item, &size);
	if (err)
		return err;
	disk = item;
	entry->refs = le64_to_cpu(disk->refs);
	entry->generation = le64_to_cpu(disk->generation);
	/* The item's key has the level of newer (skinny) entries, the item that of older ones. */
	entry->level = key.type == SENDCP_METADATA_ITEM ? sendcp_min(key.offset, SENDCP_MAX_LEVEL) :
		0;
	if (is_block && key.type == SENDCP_EXTENT_ITEM)
		entry->level = ((const u8 *)item)[sizeof(*disk) + BLOCK_INFO_LEVEL];
	wanted_flag = is_block ? SENDCP_EXTENT_FLAG_TREE_BLOCK : SENDCP_EXTENT_FLAG_DATA;
	if (!(le64_to_cpu(disk->flags) & wanted_flag) || entry->level >= SENDCP_MAX_LEVEL)
		return sendcp_cursor_fail(cursor, SENDCP_ERR_ITEM_FORMAT);
	return 0;
}

int sendcp_extent_entry_find(struct sendcp_cursor *cursor, u64 bytenr, bool is_block,
			     struct sendcp_extent_entry *entry)
{
	struct sendcp_key key = {
		.objectid = bytenr,
		.type = SENDCP_METADATA_ITEM,
		.offset = SENDCP_NOWHERE,
	};
	int err;

	/*
	 * Both kinds of item sort before the references that follow them as items, with
	 * nothing between, so the last key of the higher kind finds either.
	 */
	entry->bytenr = bytenr;
	err = sendcp_search_last(cursor, &key);
	if (err && err != -ENOENT)
		return err;
	if (!err) {
		key = sendcp_cursor_key(cursor);
		if (key.objectid == bytenr && (key.type == SENDCP_EXTENT_ITEM ||
					       (is_block && key.type == SENDCP_METADATA_ITEM)))
			return entry_parse(cursor, is_block, entry);
	}
	return sendcp_fail(cursor->tree->volume, SENDCP_ERR_ITEM_MISSING, 0, &(struct sendcp_place){
		.bytenr = bytenr, .root = SENDCP_EXTENT_TREE_ID });
}

int sendcp_backrefs_reset(struct sendcp_volume *volume, struct sendcp_backref_list *list,
			  u32 capacity)
{
	list->count = 0;
	if (capacity <= list->capacity)
		return 0;
	sendcp_free(list->refs);
	list->capacity = 0;
	list->refs = sendcp_alloc(capacity * sizeof(*list->refs));
	if (!list->refs)
		return sendcp_fail_detail(volume, SENDCP_ERR_NO_MEMORY, NULL);
	list->capacity = capacity;
	return 0;
}

/*
 * Adds @ref, @count times. References that add up to more than the extent has would be the only way
 * to more work and memory than the limits allow, so they are a format error.
 */
static int add(struct collector *collector, struct sendcp_backref *ref, u32 count)
{
	struct sendcp_backref_list *list = collector->list;

	collector->total += count;
	if (collector->total > collector->entry->refs)
		return sendcp_cursor_fail(collector->cursor, SENDCP_ERR_ITEM_FORMAT);
	/* Files of relocation in progress are no one's. */
	if (!count || ref->root == SENDCP_DATA_RELOC_TREE_ID)
		return 0;
	ref->count = count;
	ref->chain.first = SENDCP_CHAIN_END;
	ref->chain.last = SENDCP_CHAIN_END;
	list->refs[list->count++] = *ref;
	return 0;
}

static int add_data_ref(struct collector *collector, const u8 *at)
{
	const struct sendcp_disk_extent_data_ref *disk = (const void *)at;
	struct sendcp_backref ref = {
		.root = le64_to_cpu(disk->root),
		.key.objectid = le64_to_cpu(disk->objectid),
		.key.type = SENDCP_EXTENT_DATA,
		.key.offset = le64_to_cpu(disk->offset),
	};

	return add(collector, &ref, le32_to_cpu(disk->count));
}

static int add_parent(struct collector *collector, u64 parent, u32 count)
{
	struct sendcp_backref ref = { .parent = parent };

	return add(collector, &ref, count);
}

static int add_root(struct collector *collector, u64 root)
{
	struct sendcp_backref ref = { .root = root };

	return add(collector, &ref, 1);
}

/*
 * The size of an inline reference after its type byte; 0: no such reference to this kind of extent.
 */
static u32 inline_size(u8 type, bool is_block)
{
	switch (type) {
	case SENDCP_EXTENT_OWNER_REF:
		return sizeof(u64);
	case SENDCP_TREE_BLOCK_REF:
	case SENDCP_SHARED_BLOCK_REF:
		return is_block ? sizeof(u64) : 0;
	case SENDCP_EXTENT_DATA_REF:
		return is_block ? 0 : sizeof(struct sendcp_disk_extent_data_ref);
	case SENDCP_SHARED_DATA_REF:
		return is_block ? 0 : sizeof(u64) + sizeof(u32);
	}
	return 0;
}

static int add_inline(struct collector *collector, u8 type, const u8 *at)
{
	switch (type) {
	case SENDCP_TREE_BLOCK_REF:
		return add_root(collector, sendcp_get_le64(at));
	case SENDCP_SHARED_BLOCK_REF:
		return add_parent(collector, sendcp_get_le64(at), 1);
	case SENDCP_EXTENT_DATA_REF:
		return add_data_ref(collector, at);
	case SENDCP_SHARED_DATA_REF:
		return add_parent(collector, sendcp_get_le64(at),
				  sendcp_get_le32(at + sizeof(u64)));
	}
	/* The owner is for accounting: no reference. */
	return 0;
}

static int collect_inline(struct collector *collector)
{
	u32 size, length, at = collector->entry->inline_at;
	const u8 *item;
	int err;

	item = sendcp_cursor_item(collector->cursor, &size);
	while (at < size) {
		u8 type = item[at++];

		length = inline_size(type, collector->entry->is_block);
		if (!length || length > size - at)
			return sendcp_cursor_fail(collector->cursor, SENDCP_ERR_ITEM_FORMAT);
		err = add_inline(collector, type, item + at);
		if (err)
			return err;
		at += length;
	}
	return 0;
}

static int add_keyed(struct collector *collector, const struct sendcp_key *key)
{
	const void *item;
	u32 size, least = 0;
	int err;

	if (key->type == SENDCP_EXTENT_DATA_REF)
		least = sizeof(struct sendcp_disk_extent_data_ref);
	else if (key->type == SENDCP_SHARED_DATA_REF)
		least = sizeof(u32);
	err = sendcp_cursor_item_least(collector->cursor, least, &item, &size);
	if (err)
		return err;
	switch (key->type) {
	case SENDCP_TREE_BLOCK_REF:
		return add_root(collector, key->offset);
	case SENDCP_SHARED_BLOCK_REF:
		return add_parent(collector, key->offset, 1);
	case SENDCP_EXTENT_DATA_REF:
		return add_data_ref(collector, item);
	case SENDCP_SHARED_DATA_REF:
		return add_parent(collector, key->offset, sendcp_get_le32(item));
	}
	return 0;
}

/* Block group items may come right after, with the same objectid and a higher type. */
static int collect_keyed(struct collector *collector)
{
	struct sendcp_key key;
	int err;

	while (!(err = sendcp_next(collector->cursor))) {
		key = sendcp_cursor_key(collector->cursor);
		if (key.objectid != collector->entry->bytenr || key.type > SENDCP_SHARED_DATA_REF)
			return 0;
		err = add_keyed(collector, &key);
		if (err)
			return err;
	}
	return err == -ENOENT ? 0 : err;
}

/* Below 0: @a comes before @b. */
static int order(const struct sendcp_backref *a, const struct sendcp_backref *b)
{
	if (a->root != b->root)
		return a->root > b->root ? -1 : 1;
	if (a->key.type != b->key.type)
		return a->key.type > b->key.type ? -1 : 1;
	if (a->key.objectid != b->key.objectid)
		return a->key.objectid > b->key.objectid ? -1 : 1;
	if (a->key.offset != b->key.offset)
		return a->key.offset > b->key.offset ? -1 : 1;
	if (a->parent != b->parent)
		return a->parent > b->parent ? -1 : 1;
	return 0;
}

static int compare(const void *a, const void *b)
{
	return order(a, b);
}

/* Equal ones, whose order is not defined, are merged by the caller or do not come up. */
void sendcp_backrefs_sort(struct sendcp_backref_list *list)
{
	sendcp_sort(list->refs, list->count, sizeof(*list->refs), compare);
}

/* A reference may be in the item and after it, which is one reference with both counts. */
static void merge_equal(struct sendcp_backref_list *list)
{
	u32 i, kept = 0;

	for (i = 0; i < list->count; i++) {
		if (kept && !order(&list->refs[kept - 1], &list->refs[i]))
			list->refs[kept - 1].count += list->refs[i].count;
		else
			list->refs[kept++] = list->refs[i];
	}
	list->count = kept;
}

int sendcp_backrefs_collect(struct sendcp_cursor *cursor, const struct sendcp_extent_entry *entry,
			    struct sendcp_backref_list *list)
{
	struct collector collector = { .cursor = cursor, .entry = entry, .list = list };
	int err;

	err = sendcp_backrefs_reset(cursor->tree->volume, list, entry->refs);
	if (!err)
		err = collect_inline(&collector);
	if (!err)
		err = collect_keyed(&collector);
	if (err)
		return err;
	sendcp_backrefs_sort(list);
	merge_equal(list);
	return 0;
}
