// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Size, owner, mode, flags and times.
 */
#include "send/attributes.h"
#include "send/engine_private.h"
#include "send/exists.h"
#include "send/path.h"

int sendcp_begin_for_current(struct sendcp_engine *engine, enum sendcp_command command)
{
	int err = sendcp_current_path(engine, &engine->path_a);

	if (err)
		return err;
	sendcp_command_begin(&engine->encoder, command);
	sendcp_put_path(&engine->encoder, SENDCP_A_PATH, &engine->path_a);
	return 0;
}

int sendcp_send_truncate(struct sendcp_engine *engine, u64 size)
{
	int err = sendcp_begin_for_current(engine, SENDCP_C_TRUNCATE);

	if (err)
		return err;
	sendcp_put_u64(&engine->encoder, SENDCP_A_SIZE, size);
	return sendcp_command_end(&engine->encoder);
}

int sendcp_send_chown(struct sendcp_engine *engine, const struct sendcp_inode *inode)
{
	int err = sendcp_begin_for_current(engine, SENDCP_C_CHOWN);

	if (err)
		return err;
	sendcp_put_u64(&engine->encoder, SENDCP_A_UID, inode->uid);
	sendcp_put_u64(&engine->encoder, SENDCP_A_GID, inode->gid);
	return sendcp_command_end(&engine->encoder);
}

int sendcp_send_chmod(struct sendcp_engine *engine, const struct sendcp_inode *inode)
{
	int err = sendcp_begin_for_current(engine, SENDCP_C_CHMOD);

	if (err)
		return err;
	sendcp_put_u64(&engine->encoder, SENDCP_A_MODE, inode->mode & 07777);
	return sendcp_command_end(&engine->encoder);
}

/* The inode's flags as they are on the disk. */
int sendcp_send_fileattr(struct sendcp_engine *engine, const struct sendcp_inode *inode)
{
	int err = sendcp_begin_for_current(engine, SENDCP_C_FILEATTR);

	if (err)
		return err;
	sendcp_put_u64(&engine->encoder, SENDCP_A_FILEATTR, inode->flags);
	return sendcp_command_end(&engine->encoder);
}

/* 1: (ino, generation) was deleted for good; another one may have its number in the subvolume. */
static int is_gone(struct sendcp_engine *engine, u64 ino, u64 generation)
{
	int inode_state;

	if (ino == SENDCP_ROOT_DIR_ID || !engine->parent)
		return 0;
	inode_state = sendcp_inode_state(engine, ino, generation);
	if (inode_state != SENDCP_INODE_DID_DELETE)
		return inode_state < 0 && inode_state != -ENOENT ? inode_state : 0;
	return !sendcp_moves_rmdir_pending(&engine->deferred.moves, ino, generation);
}

/* No command for a directory that has been removed since its times were put off. */
int sendcp_send_utimes(struct sendcp_engine *engine, u64 ino, u64 generation)
{
	struct sendcp_inode inode;
	int ret = sendcp_inode_get(engine->tree, ino, &inode);

	if (ret)
		return ret == -ENOENT ? sendcp_send_fail(engine, SENDCP_ERR_INCONSISTENT) : ret;
	ret = is_gone(engine, ino, generation);
	if (ret)
		return ret < 0 ? ret : 0;
	ret = sendcp_path_of(engine, ino, generation, &engine->path_a);
	if (ret)
		return ret;
	sendcp_command_begin(&engine->encoder, SENDCP_C_UTIMES);
	sendcp_put_path(&engine->encoder, SENDCP_A_PATH, &engine->path_a);
	sendcp_put_time(&engine->encoder, SENDCP_A_ATIME, inode.atime.sec, inode.atime.nsec);
	sendcp_put_time(&engine->encoder, SENDCP_A_MTIME, inode.mtime.sec, inode.mtime.nsec);
	sendcp_put_time(&engine->encoder, SENDCP_A_CTIME, inode.ctime.sec, inode.ctime.nsec);
	if (engine->encoder.protocol >= 2)
		sendcp_put_time(&engine->encoder, SENDCP_A_OTIME, inode.otime.sec,
				inode.otime.nsec);
	return sendcp_command_end(&engine->encoder);
}
