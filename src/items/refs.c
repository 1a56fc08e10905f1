// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * INODE_REF and INODE_EXTREF: the names of an inode.
 *
 * Paths of a stream are made of these names and of nothing else, hence this is the place where
 * names that are no names are refused.
 */
#include "items/names.h"

bool sendcp_name_is_component(const u8 *name, u16 len)
{
	u16 i;

	if (!len || len > SENDCP_NAME_MAX)
		return false;
	if (name[0] == '.' && (len == 1 || (len == 2 && name[1] == '.')))
		return false;
	for (i = 0; i < len; i++) {
		if (!name[i] || name[i] == '/')
			return false;
	}
	return true;
}

void sendcp_name_set(struct sendcp_name *name, u64 dir, const u8 *bytes, u16 len)
{
	name->dir = dir;
	name->len = len;
	memcpy(name->bytes, bytes, len);
}

static u32 header_size(const struct sendcp_ref_iter *iter)
{
	return iter->extended ? sizeof(struct sendcp_disk_inode_extref) :
				sizeof(struct sendcp_disk_inode_ref);
}

void sendcp_ref_iter_init(struct sendcp_ref_iter *iter, struct sendcp_cursor *cursor)
{
	struct sendcp_key key = sendcp_cursor_key(cursor);

	iter->cursor = cursor;
	iter->extended = key.type == SENDCP_INODE_EXTREF;
	iter->dir = key.offset;
	iter->at = NULL;
}

static int enter_item(struct sendcp_ref_iter *iter)
{
	const void *item;
	u32 size;
	int err;

	/* An item goes away with its last entry, so there is always one. */
	err = sendcp_cursor_item_least(iter->cursor, header_size(iter) + 1, &item, &size);
	if (err)
		return err;
	iter->at = item;
	iter->end = iter->at + size;
	return 0;
}

/* The root directory's own name is "..", and nobody puts it into a path. */
static bool name_allowed(struct sendcp_ref_iter *iter, const struct sendcp_ref *ref)
{
	if (sendcp_name_is_component(ref->name, ref->name_len))
		return true;
	return sendcp_cursor_key(iter->cursor).objectid == SENDCP_ROOT_DIR_ID &&
	       ref->name_len == 2 && !memcmp(ref->name, "..", 2);
}

/* The plain item has its directory in the key, the extended one in each entry. */
static void read_header(const struct sendcp_ref_iter *iter, struct sendcp_ref *ref)
{
	const struct sendcp_disk_inode_extref *extref = (const void *)iter->at;
	const struct sendcp_disk_inode_ref *plain = (const void *)iter->at;

	if (iter->extended) {
		ref->dir = le64_to_cpu(extref->parent);
		ref->name_len = le16_to_cpu(extref->name_len);
	} else {
		ref->dir = iter->dir;
		ref->name_len = le16_to_cpu(plain->name_len);
	}
	ref->name = iter->at + header_size(iter);
}

int sendcp_ref_iter_next(struct sendcp_ref_iter *iter, struct sendcp_ref *ref)
{
	u32 header = header_size(iter);
	size_t left;
	int err = iter->at ? 0 : enter_item(iter);

	if (err)
		return err;
	left = iter->end - iter->at;
	if (!left)
		return 0;
	if (left < header)
		return sendcp_cursor_fail(iter->cursor, SENDCP_ERR_ITEM_FORMAT);
	read_header(iter, ref);
	/* The entry ends with its name, so the next one begins there or the item ends. */
	if (ref->name_len > left - header || !name_allowed(iter, ref))
		return sendcp_cursor_fail(iter->cursor, SENDCP_ERR_ITEM_FORMAT);
	iter->at = ref->name + ref->name_len;
	return 1;
}

void sendcp_inode_ref_iter_init(struct sendcp_inode_ref_iter *iter, struct sendcp_tree *tree,
				u64 ino)
{
	struct sendcp_key first = { .objectid = ino, .type = SENDCP_INODE_REF, .offset = 0 };

	sendcp_item_iter_init(&iter->items, tree, &first, SENDCP_INODE_EXTREF);
	iter->in_item = false;
}

int sendcp_inode_ref_iter_next(struct sendcp_inode_ref_iter *iter, struct sendcp_ref *ref)
{
	int ret;

	for (;;) {
		ret = iter->in_item ? sendcp_ref_iter_next(&iter->entries, ref) : 0;
		if (ret)
			return ret;
		ret = sendcp_item_iter_next(&iter->items);
		if (ret <= 0)
			return ret;
		sendcp_ref_iter_init(&iter->entries, &iter->items.cursor);
		iter->in_item = true;
	}
}

void sendcp_inode_ref_iter_release(struct sendcp_inode_ref_iter *iter)
{
	sendcp_item_iter_release(&iter->items);
}

int sendcp_first_ref(struct sendcp_tree *tree, u64 ino, struct sendcp_name *name)
{
	struct sendcp_inode_ref_iter iter;
	struct sendcp_ref ref;
	int ret;

	sendcp_inode_ref_iter_init(&iter, tree, ino);
	ret = sendcp_inode_ref_iter_next(&iter, &ref);
	if (ret > 0)
		sendcp_name_set(name, ref.dir, ref.name, ref.name_len);
	sendcp_inode_ref_iter_release(&iter);
	if (ret < 0)
		return ret;
	return ret ? 0 : -ENOENT;
}
