// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Opening the inode whose INODE_ITEM is the change, and creating inodes at the receiver.
 */
#include "send/engine_private.h"
#include "send/identity.h"
#include "send/inode.h"
#include "send/path.h"
#include "send/refs.h"
#include "send/step.h"

void sendcp_set_inode(struct sendcp_state *state, enum sendcp_kind kind,
		      const struct sendcp_inode *inode)
{
	state->kind = kind;
	state->ino = inode->ino;
	state->generation = inode->generation;
	state->size = inode->size;
	state->mode = inode->mode;
}

/*
 * The root directory exists at the receiver from the beginning, and an inode without links is a
 * file that was deleted while it was open: no name leads to it.
 */
static int open_new(struct sendcp_engine *engine, const struct sendcp_inode *inode)
{
	struct sendcp_state *state = &engine->state;

	sendcp_set_inode(state, inode->nlink ? SENDCP_KIND_NEW : SENDCP_KIND_IGNORED, inode);
	if (state->kind == SENDCP_KIND_IGNORED || inode->ino == SENDCP_ROOT_DIR_ID)
		return 0;
	return sendcp_create_inode(engine, inode);
}

/*
 * The number is in both trees: is it the same inode? sendcp_tell_apart() was asked. Without links
 * on one side it is not there for the stream, so it is created, or removed, as if the number were
 * reused.
 */
static int open_changed(struct sendcp_engine *engine, const struct sendcp_inode *now,
			const struct sendcp_inode *before)
{
	struct sendcp_state *state = &engine->state;
	bool other = now->generation != before->generation && now->ino != SENDCP_ROOT_DIR_ID;

	if (!now->nlink && !before->nlink) {
		sendcp_set_inode(state, SENDCP_KIND_IGNORED, now);
		return 0;
	}
	if (other || !now->nlink || !before->nlink) {
		state->new_gen = true;
		state->phase = SENDCP_PHASE_RECREATE_DELETE;
		sendcp_set_inode(state, before->nlink ? SENDCP_KIND_DELETED : SENDCP_KIND_NEW,
				 before->nlink ? before : now);
		return 0;
	}
	sendcp_set_inode(state, SENDCP_KIND_CHANGED, now);
	return 0;
}

/*
 * For every inode that is opened. All inodes before it have had their turn: from now on the
 * receiver has them as the subvolume has them.
 */
static void begin_inode(struct sendcp_engine *engine)
{
	struct sendcp_state *state = &engine->state;

	state->new_gen = false;
	state->last_extent_end = SENDCP_UNKNOWN;
	state->next_write_offset = 0;
	state->send_progress = state->at.key.objectid;
	sendcp_path_clear(&engine->current_path);
	sendcp_refs_clear(engine);
}

int sendcp_open_inode(struct sendcp_engine *engine)
{
	struct sendcp_state *state = &engine->state;
	struct sendcp_inode now;
	struct sendcp_inode before;
	int err = 0;

	if (state->at.result != SENDCP_COMPARE_DELETED)
		err = sendcp_inode_parse(&engine->compare.left.cursor, &now);
	if (!err && state->at.result != SENDCP_COMPARE_NEW)
		err = sendcp_inode_parse(&engine->compare.right.cursor, &before);
	if (!err && state->at.result == SENDCP_COMPARE_CHANGED)
		err = sendcp_tell_apart(engine, &now, &before);
	if (err)
		return err;
	/* It could not be found again, not even when resuming from a checkpoint. */
	if (state->at.key.offset)
		return sendcp_cursor_fail(sendcp_change_cursor(engine), SENDCP_ERR_ITEM_FORMAT);
	begin_inode(engine);
	if (state->at.result == SENDCP_COMPARE_NEW)
		return open_new(engine, &now);
	if (state->at.result == SENDCP_COMPARE_CHANGED)
		return open_changed(engine, &now, &before);
	sendcp_set_inode(state, SENDCP_KIND_DELETED, &before);
	return 0;
}

int sendcp_open_unlike(struct sendcp_engine *engine)
{
	struct sendcp_inode now;
	struct sendcp_inode before;
	int err = sendcp_inode_in_both(engine, engine->state.at.key.objectid, &now, &before);

	if (err || !now.ino || !before.ino)
		return err;
	begin_inode(engine);
	return open_changed(engine, &now, &before);
}

/* The stream has device numbers as the kernel hands them to userspace, 32 bits of them. */
static u64 stream_rdev(u64 rdev)
{
	u64 major = rdev >> 20;
	u64 minor = rdev & 0xfffff;

	return (u32)((minor & 0xff) | (major << 8) | ((minor & ~0xffULL) << 12));
}

static int creation_command(u32 mode)
{
	switch (mode & S_IFMT) {
	case S_IFREG:
		return SENDCP_C_MKFILE;
	case S_IFDIR:
		return SENDCP_C_MKDIR;
	case S_IFLNK:
		return SENDCP_C_SYMLINK;
	case S_IFCHR:
	case S_IFBLK:
		return SENDCP_C_MKNOD;
	case S_IFIFO:
		return SENDCP_C_MKFIFO;
	case S_IFSOCK:
		return SENDCP_C_MKSOCK;
	}
	return -EOPNOTSUPP;
}

/*
 * A target is a text that fits a path: what a receiver could not create is refused here. mkfs.btrfs
 * --rootdir stores the NUL after it, too, and btrfs-convert more of them where the other filesystem
 * pads targets. They are sent as natively: receivers end the text at the first.
 */
static bool symlink_valid(const struct sendcp_extent *extent)
{
	u64 length = extent->ram_bytes;
	u64 i;

	if (extent->type != SENDCP_EXTENT_INLINE || extent->compression ||
	    length > extent->inline_size)
		return false;
	while (length && !extent->inline_data[length - 1])
		length--;
	if (!length || length > SENDCP_PATH_MAX)
		return false;
	for (i = 0; i < length; i++)
		if (!extent->inline_data[i])
			return false;
	return true;
}

/* A symlink's target is the inline extent at offset 0, never compressed. */
static int put_symlink_target(struct sendcp_engine *engine, u64 ino)
{
	struct sendcp_cursor cursor;
	struct sendcp_extent extent;
	int err;

	sendcp_cursor_init(&cursor, engine->tree);
	err = sendcp_extent_get(&cursor, ino, 0, &extent);
	if (err == -ENOENT)
		err = sendcp_send_fail(engine, SENDCP_ERR_INCONSISTENT);
	if (!err && !symlink_valid(&extent))
		err = sendcp_cursor_fail(&cursor, SENDCP_ERR_SYMLINK_FORMAT);
	if (!err)
		sendcp_put_bytes(&engine->encoder, SENDCP_A_PATH_LINK, extent.inline_data,
				 extent.ram_bytes);
	sendcp_cursor_release(&cursor);
	return err;
}

/* The command that makes @ino under its orphan name. */
static int send_creation(struct sendcp_engine *engine, u64 ino, u64 generation, u32 mode, u64 rdev)
{
	int command = creation_command(mode);
	int err;

	if (command < 0)
		return sendcp_send_fail(engine, SENDCP_ERR_INODE_TYPE);
	err = sendcp_orphan_name(engine, ino, generation, &engine->path_a);
	if (err)
		return err;
	sendcp_command_begin(&engine->encoder, command);
	sendcp_put_path(&engine->encoder, SENDCP_A_PATH, &engine->path_a);
	sendcp_put_u64(&engine->encoder, SENDCP_A_INO, ino);
	if (command == SENDCP_C_SYMLINK) {
		err = put_symlink_target(engine, ino);
	} else if (command != SENDCP_C_MKFILE && command != SENDCP_C_MKDIR) {
		sendcp_put_u64(&engine->encoder, SENDCP_A_RDEV, stream_rdev(rdev));
		sendcp_put_u64(&engine->encoder, SENDCP_A_MODE, mode);
	}
	return err ? err : sendcp_command_end(&engine->encoder);
}

static bool remembered_as_made(const struct sendcp_engine *engine, u64 dir)
{
	u32 i;

	for (i = 0; i < SENDCP_MADE_DIRS; i++)
		if (engine->made_dirs[i] == dir)
			return true;
	return false;
}

/* A cache, and a small one: made_already() finds it out without. */
static void remember_as_made(struct sendcp_engine *engine, u64 dir)
{
	engine->made_dirs[engine->made_next] = dir;
	engine->made_next = (engine->made_next + 1) % SENDCP_MADE_DIRS;
}

/* 1: the DIR_INDEX under the cursor names an inode that is at the receiver already. */
static int names_sent_inode(struct sendcp_engine *engine, struct sendcp_cursor *cursor)
{
	struct sendcp_dirent_iter iter;
	struct sendcp_dirent entry;
	int ret;

	sendcp_dirent_iter_init(&iter, cursor);
	while ((ret = sendcp_dirent_iter_next(&iter, &entry)) > 0) {
		if (entry.location.type != SENDCP_ROOT_ITEM &&
		    entry.location.objectid < engine->state.send_progress)
			break;
	}
	return ret;
}

/*
 * 1: the directory was created out of turn. It was if something with a smaller number is in it,
 * since that could not be put there otherwise. Native send asks the same way, so nothing has to be
 * remembered from one command to the next.
 */
static int made_already(struct sendcp_engine *engine, u64 dir)
{
	struct sendcp_key first = { .objectid = dir, .type = SENDCP_DIR_INDEX, .offset = 0 };
	struct sendcp_item_iter iter;
	int ret;

	if (remembered_as_made(engine, dir))
		return 1;
	sendcp_item_iter_init(&iter, engine->tree, &first, SENDCP_DIR_INDEX);
	iter.cursor.readahead = true;
	while ((ret = sendcp_item_iter_next(&iter)) > 0) {
		ret = names_sent_inode(engine, &iter.cursor);
		if (ret)
			break;
	}
	sendcp_item_iter_release(&iter);
	return ret;
}

int sendcp_create_inode(struct sendcp_engine *engine, const struct sendcp_inode *inode)
{
	int made = 0;

	if (S_ISDIR(inode->mode))
		made = made_already(engine, inode->ino);
	if (made)
		return made < 0 ? made : 0;
	return send_creation(engine, inode->ino, inode->generation, inode->mode, inode->rdev);
}

int sendcp_create_dir_early(struct sendcp_engine *engine, u64 dir, u64 generation)
{
	int ret = made_already(engine, dir);

	if (ret)
		return ret < 0 ? ret : 0;
	ret = send_creation(engine, dir, generation, S_IFDIR, 0);
	if (!ret)
		remember_as_made(engine, dir);
	return ret;
}
