// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Size, owner, mode, flags and times.
 */
#include "send/attributes.h"
#include "send/engine_private.h"
#include "send/exists.h"
#include "send/path.h"

int scp_begin_for_current(struct scp_engine *engine, enum scp_command command)
{
	int err = scp_current_path(engine, &engine->path_a);

	if (err)
		return err;
	scp_command_begin(&engine->encoder, command);
	scp_put_path(&engine->encoder, SCP_A_PATH, &engine->path_a);
	return 0;
}

int scp_send_truncate(struct scp_engine *engine, u64 size)
{
	int err = scp_begin_for_current(engine, SCP_C_TRUNCATE);

	if (err)
		return err;
	scp_put_u64(&engine->encoder, SCP_A_SIZE, size);
	return scp_command_end(&engine->encoder);
}

int scp_send_chown(struct scp_engine *engine, const struct scp_inode *inode)
{
	int err = scp_begin_for_current(engine, SCP_C_CHOWN);

	if (err)
		return err;
	scp_put_u64(&engine->encoder, SCP_A_UID, inode->uid);
	scp_put_u64(&engine->encoder, SCP_A_GID, inode->gid);
	return scp_command_end(&engine->encoder);
}

int scp_send_chmod(struct scp_engine *engine, const struct scp_inode *inode)
{
	int err = scp_begin_for_current(engine, SCP_C_CHMOD);

	if (err)
		return err;
	scp_put_u64(&engine->encoder, SCP_A_MODE, inode->mode & 07777);
	return scp_command_end(&engine->encoder);
}

/* The inode's flags as they are on the disk. */
int scp_send_fileattr(struct scp_engine *engine, const struct scp_inode *inode)
{
	int err = scp_begin_for_current(engine, SCP_C_FILEATTR);

	if (err)
		return err;
	scp_put_u64(&engine->encoder, SCP_A_FILEATTR, inode->flags);
	return scp_command_end(&engine->encoder);
}

/* 1: (ino, generation) was deleted for good; another one may have its number in the subvolume. */
static int is_gone(struct scp_engine *engine, u64 ino, u64 generation)
{
	int inode_state;

	if (ino == SCP_ROOT_DIR_ID || !engine->parent)
		return 0;
	inode_state = scp_inode_state(engine, ino, generation);
	if (inode_state != SCP_INODE_DID_DELETE)
		return inode_state < 0 && inode_state != -ENOENT ? inode_state : 0;
	return !scp_moves_rmdir_pending(&engine->deferred.moves, ino, generation);
}

/* No command for a directory that has been removed since its times were put off. */
int scp_send_utimes(struct scp_engine *engine, u64 ino, u64 generation)
{
	struct scp_inode inode;
	int ret = scp_inode_get(engine->tree, ino, &inode);

	if (ret)
		return ret == -ENOENT ? scp_send_fail(engine, SCP_INCONSISTENT) : ret;
	ret = is_gone(engine, ino, generation);
	if (ret)
		return ret < 0 ? ret : 0;
	ret = scp_path_of(engine, ino, generation, &engine->path_a);
	if (ret)
		return ret;
	scp_command_begin(&engine->encoder, SCP_C_UTIMES);
	scp_put_path(&engine->encoder, SCP_A_PATH, &engine->path_a);
	scp_put_time(&engine->encoder, SCP_A_ATIME, inode.atime.sec, inode.atime.nsec);
	scp_put_time(&engine->encoder, SCP_A_MTIME, inode.mtime.sec, inode.mtime.nsec);
	scp_put_time(&engine->encoder, SCP_A_CTIME, inode.ctime.sec, inode.ctime.nsec);
	if (engine->encoder.protocol >= 2)
		scp_put_time(&engine->encoder, SCP_A_OTIME, inode.otime.sec, inode.otime.nsec);
	return scp_command_end(&engine->encoder);
}
