// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Extended attributes: those of new inodes, and what changed in those of others.
 */
#include "send/attributes.h"
#include "send/engine_private.h"
#include "send/range.h"
#include "send/step.h"
#include "send/xattrs.h"

#define CAPABILITY "security.capability"
#define ACL_ACCESS "system.posix_acl_access"
#define ACL_DEFAULT "system.posix_acl_default"

static int send_set_xattr(struct sendcp_engine *engine, const u8 *name, u16 name_len,
			  const void *data, u32 data_len)
{
	int err = sendcp_begin_for_current(engine, SENDCP_C_SET_XATTR);

	if (err)
		return err;
	sendcp_put_bytes(&engine->encoder, SENDCP_A_XATTR_NAME, name, name_len);
	sendcp_put_bytes(&engine->encoder, SENDCP_A_XATTR_DATA, data, data_len);
	return sendcp_command_end(&engine->encoder);
}

/* Every chown at the receiver drops capabilities, so they come after it, for every inode. */
int sendcp_send_capability(struct sendcp_engine *engine)
{
	struct sendcp_cursor cursor;
	struct sendcp_dirent entry;
	int err;

	sendcp_cursor_init(&cursor, engine->tree);
	err = sendcp_xattr_find(&cursor, engine->state.ino, CAPABILITY, &entry);
	if (!err)
		err = send_set_xattr(engine, entry.name, entry.name_len, entry.data,
				     entry.data_len);
	else if (err == -ENOENT)
		err = 0;
	sendcp_cursor_release(&cursor);
	return err;
}

static bool is_name(const struct sendcp_dirent *entry, const char *name)
{
	return entry->name_len == strlen(name) && !memcmp(entry->name, name, entry->name_len);
}

static int send_xattr_entry(struct sendcp_engine *engine, const struct sendcp_dirent *entry)
{
	/* An ACL with no entries, as old kernels stored it: version 2 and nothing else. */
	static const u8 empty_acl[4] = { 2, 0, 0, 0 };

	if (is_name(entry, CAPABILITY))
		return 0;
	if (!entry->data_len && (is_name(entry, ACL_ACCESS) || is_name(entry, ACL_DEFAULT)))
		return send_set_xattr(engine, entry->name, entry->name_len, empty_acl,
				      sizeof(empty_acl));
	return send_set_xattr(engine, entry->name, entry->name_len, entry->data, entry->data_len);
}

static int send_remove_xattr(struct sendcp_engine *engine, const struct sendcp_dirent *entry)
{
	int err = sendcp_begin_for_current(engine, SENDCP_C_REMOVE_XATTR);

	if (err)
		return err;
	sendcp_put_bytes(&engine->encoder, SENDCP_A_XATTR_NAME, entry->name, entry->name_len);
	return sendcp_command_end(&engine->encoder);
}

/* Entry @number of the item under @cursor: 1, or 0 if it has fewer; *@number is less those seen. */
static int entry_at(struct sendcp_cursor *cursor, u32 *number, struct sendcp_dirent *entry)
{
	struct sendcp_dirent_iter iter;
	int ret;

	sendcp_dirent_iter_init(&iter, cursor);
	while ((ret = sendcp_dirent_iter_next(&iter, entry)) > 0 && *number)
		--*number;
	return ret;
}

/* 1: the item under @cursor has an entry of that name; its value in *@found. */
static int find_entry(struct sendcp_cursor *cursor, const struct sendcp_dirent *wanted,
		      struct sendcp_dirent *found)
{
	struct sendcp_dirent_iter iter;
	int ret;

	sendcp_dirent_iter_init(&iter, cursor);
	while ((ret = sendcp_dirent_iter_next(&iter, found)) > 0) {
		if (found->name_len == wanted->name_len &&
		    !memcmp(found->name, wanted->name, wanted->name_len))
			break;
	}
	return ret;
}

static int set_if_different(struct sendcp_engine *engine, struct sendcp_cursor *old,
			    const struct sendcp_dirent *entry)
{
	struct sendcp_dirent before;
	int ret = find_entry(old, entry, &before);

	if (ret < 0)
		return ret;
	if (ret && before.data_len == entry->data_len &&
	    !memcmp(before.data, entry->data, entry->data_len))
		return 0;
	return send_xattr_entry(engine, entry);
}

static int remove_if_gone(struct sendcp_engine *engine, struct sendcp_cursor *now,
			  const struct sendcp_dirent *entry)
{
	struct sendcp_dirent after;
	int ret = find_entry(now, entry, &after);

	if (ret)
		return ret < 0 ? ret : 0;
	return send_remove_xattr(engine, entry);
}

static int end_item(struct sendcp_engine *engine)
{
	struct sendcp_state *state = &engine->state;

	state->phase = state->new_gen ? SENDCP_PHASE_RECREATE_XATTRS : SENDCP_PHASE_CHANGE;
	return 0;
}

/* The item is in one of the trees only, or all of it counts as new. */
static int step_one_sided(struct sendcp_engine *engine, struct sendcp_cursor *cursor, bool gone)
{
	u32 number = engine->state.entry;
	struct sendcp_dirent entry;
	int ret = entry_at(cursor, &number, &entry);

	if (ret < 0)
		return ret;
	if (!ret)
		return end_item(engine);
	engine->state.entry++;
	return gone ? send_remove_xattr(engine, &entry) : send_xattr_entry(engine, &entry);
}

/*
 * First xattrs that are new or have another value, then those that were removed, in native send's
 * order. state.entry counts through both: the subvolume's entries, and after the last of them the
 * parent's.
 */
static int step_changed(struct sendcp_engine *engine)
{
	struct sendcp_cursor *now = &engine->compare.left.cursor;
	struct sendcp_cursor *old = &engine->compare.right.cursor;
	u32 number = engine->state.entry;
	struct sendcp_dirent entry;
	bool gone = false;
	int ret = entry_at(now, &number, &entry);

	if (!ret) {
		gone = true;
		ret = entry_at(old, &number, &entry);
	}
	if (ret < 0)
		return ret;
	if (!ret)
		return end_item(engine);
	engine->state.entry++;
	return gone ? remove_if_gone(engine, now, &entry) : set_if_different(engine, old, &entry);
}

/* One entry a step: an item full of colliding names could queue a lot otherwise. */
int sendcp_step_xattr(struct sendcp_engine *engine)
{
	struct sendcp_state *state = &engine->state;
	int err;

	if (state->new_gen) {
		err = sendcp_cursor_to_item(engine);
		return err ? err : step_one_sided(engine, &engine->item_cursor, false);
	}
	err = sendcp_to_change(engine);
	if (err)
		return err;
	if (state->at.result == SENDCP_COMPARE_CHANGED)
		return step_changed(engine);
	return step_one_sided(engine, sendcp_change_cursor(engine),
			      state->at.result == SENDCP_COMPARE_DELETED);
}
