// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Size, owner, mode, times and extended attributes.
 */
#include "send/engine_private.h"

#define CAPABILITY "security.capability"
#define ACL_ACCESS "system.posix_acl_access"
#define ACL_DEFAULT "system.posix_acl_default"

/* A command that begins with the current inode's path. */
static int begin_for_current(struct scp_engine *engine, enum scp_command command)
{
	int err = scp_current_path(engine, &engine->path_a);

	if (err)
		return err;
	scp_command_begin(engine, command);
	scp_put_path(engine, SCP_A_PATH, &engine->path_a);
	return 0;
}

int scp_send_truncate(struct scp_engine *engine, u64 size)
{
	int err = begin_for_current(engine, SCP_C_TRUNCATE);

	if (err)
		return err;
	scp_put_u64(engine, SCP_A_SIZE, size);
	return scp_command_end(engine);
}

int scp_send_chown(struct scp_engine *engine, const struct scp_inode *inode)
{
	int err = begin_for_current(engine, SCP_C_CHOWN);

	if (err)
		return err;
	scp_put_u64(engine, SCP_A_UID, inode->uid);
	scp_put_u64(engine, SCP_A_GID, inode->gid);
	return scp_command_end(engine);
}

int scp_send_chmod(struct scp_engine *engine, const struct scp_inode *inode)
{
	int err = begin_for_current(engine, SCP_C_CHMOD);

	if (err)
		return err;
	scp_put_u64(engine, SCP_A_MODE, inode->mode & 07777);
	return scp_command_end(engine);
}

int scp_send_utimes(struct scp_engine *engine, u64 ino, u64 generation)
{
	struct scp_inode inode;
	int err = scp_inode_get(engine->tree, ino, &inode);

	if (err)
		return err == -ENOENT ? scp_send_fail(engine, SCP_INCONSISTENT) : err;
	err = scp_path_of(engine, ino, generation, &engine->path_a);
	if (err)
		return err;
	scp_command_begin(engine, SCP_C_UTIMES);
	scp_put_path(engine, SCP_A_PATH, &engine->path_a);
	scp_put_time(engine, SCP_A_ATIME, &inode.atime);
	scp_put_time(engine, SCP_A_MTIME, &inode.mtime);
	scp_put_time(engine, SCP_A_CTIME, &inode.ctime);
	if (engine->protocol >= 2)
		scp_put_time(engine, SCP_A_OTIME, &inode.otime);
	return scp_command_end(engine);
}

static int send_set_xattr(struct scp_engine *engine, const u8 *name, u16 name_len,
			  const void *data, u32 data_len)
{
	int err = begin_for_current(engine, SCP_C_SET_XATTR);

	if (err)
		return err;
	scp_put_bytes(engine, SCP_A_XATTR_NAME, name, name_len);
	scp_put_bytes(engine, SCP_A_XATTR_DATA, data, data_len);
	return scp_command_end(engine);
}

/* Every chown at the receiver drops capabilities, so they come behind it, for every inode. */
int scp_send_capability(struct scp_engine *engine)
{
	struct scp_cursor cursor;
	struct scp_dirent entry;
	int err;

	scp_cursor_init(&cursor, engine->tree);
	err = scp_xattr_find(&cursor, engine->state.ino, CAPABILITY, &entry);
	if (!err)
		err = send_set_xattr(engine, entry.name, entry.name_len, entry.data,
				     entry.data_len);
	else if (err == -ENOENT)
		err = 0;
	scp_cursor_release(&cursor);
	return err;
}

static bool is_name(const struct scp_dirent *entry, const char *name)
{
	return entry->name_len == strlen(name) && !memcmp(entry->name, name, entry->name_len);
}

static int send_xattr_entry(struct scp_engine *engine, const struct scp_dirent *entry)
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

/* One entry a step: an item full of colliding names could queue a lot otherwise. */
int scp_step_xattr(struct scp_engine *engine)
{
	struct scp_dirent_iter iter;
	struct scp_dirent entry;
	u32 i;
	int err = scp_cursor_to_key(engine);

	if (!err)
		err = scp_dirent_iter_init(&iter, &engine->cursor);
	if (err)
		return err;
	for (i = 0; i <= engine->state.entry; i++) {
		err = scp_dirent_iter_next(&iter, &entry);
		if (err < 0)
			return err;
		if (!err) {
			engine->state.phase = SCP_PHASE_EVENT;
			return 0;
		}
	}
	engine->state.entry++;
	return send_xattr_entry(engine, &entry);
}
