// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Revalidating a mounted filesystem's subvolumes: are the bytes that were read those of the
 * subvolume that was to be sent?
 *
 * File contents are read through the filesystem, which also gives those of a subvolume that was
 * made writable meanwhile; encoded ones are read past it, where a freed extent may have been
 * overwritten. So bytes count only when, after they were read, the subvolume, its parent and the
 * clone sources are seen to be as they were when the engine was opened.
 *
 * There are two sources. The filesystem's own answer about the subvolume costs a system call and
 * shows at once that it is writable. The root items on the devices cost a superblock from each
 * device, and show the other subvolumes, too. Neither shows a write to a file that is still in the
 * page cache, once the subvolume is read-only again: the transaction id changes only when it is
 * written out. So before a stream ends the filesystem is made to do that. Until then, a checkpoint
 * may be after such contents; it is of no use, since the id it pins will not come back.
 */
#include "send/engine_private.h"
#include "send/revalidate.h"

static bool is_mounted(const struct sendcp_engine *engine)
{
	return engine->volume->host->mounted;
}

bool sendcp_is_stale(const struct sendcp_engine *engine, int err)
{
	enum sendcp_reason reason = engine->volume->error.reason;

	return err == -ESTALE &&
	       (reason == SENDCP_ERR_SUBVOLUME_GONE || reason == SENDCP_ERR_SUBVOLUME_CHANGED ||
		reason == SENDCP_ERR_SUBVOLUME_REPLACED);
}

static int cannot_tell(struct sendcp_engine *engine, int err)
{
	return sendcp_fail(engine->volume, SENDCP_ERR_REVALIDATE, err,
			   &(struct sendcp_place){ .root = engine->tree->id });
}

static int commit(struct sendcp_engine *engine)
{
	const struct sendcp_host *host = engine->volume->host;
	int err = host->ops->commit ? host->ops->commit(host->private) : 0;

	return err ? cannot_tell(engine, err) : 0;
}

/* Looks all root items up again, if there was a commit since that was done last. */
static int look_at_roots(struct sendcp_engine *engine)
{
	struct sendcp_volume *volume = engine->volume;
	struct sendcp_root_pointer known = engine->tree->info.node;
	u64 generation;
	int ret;
	u32 i;

	ret = sendcp_volume_refresh(volume);
	if (ret < 0)
		return ret;
	/* Another commit may come while they are looked up: the next time is for that. */
	generation = volume->generation;
	if (generation == engine->seen_generation)
		return 0;
	ret = engine->parent ? sendcp_tree_reopen(engine->parent) : 0;
	for (i = 0; !ret && i < engine->root_count; i++)
		ret = sendcp_tree_reopen(&engine->roots[i].tree);
	if (ret)
		return ret;
	if (engine->tree->moved || !sendcp_root_is(&known, &engine->tree->info.node))
		engine->encoded.moved = true;
	engine->tree->moved = false;
	engine->seen_generation = generation;
	return 0;
}

static int get_root_dir(struct sendcp_engine *engine)
{
	struct sendcp_inode dir;
	int err;

	if (engine->root_dir_generation)
		return 0;
	err = sendcp_inode_get(engine->tree, SENDCP_ROOT_DIR_ID, &dir);
	if (err == -ENOENT)
		return sendcp_fail(engine->volume, SENDCP_ERR_ITEM_MISSING, 0,
				   &(struct sendcp_place){ .root = engine->tree->id, .inode =
				   SENDCP_ROOT_DIR_ID, .offset = SENDCP_NOWHERE, });
	if (!err)
		engine->root_dir_generation = dir.generation;
	return err;
}

/*
 * Checks the filesystem's own answer about the subvolume. Of the others nothing is read through it.
 */
static int look_at_filesystem(struct sendcp_engine *engine)
{
	const struct sendcp_host *host = engine->volume->host;
	struct sendcp_root_info info = engine->tree->info;
	struct sendcp_mounted_subvolume now;
	enum sendcp_reason reason = SENDCP_ERR_SUBVOLUME_GONE;
	int err;

	if (!host->ops->look)
		return 0;
	err = get_root_dir(engine);
	if (err)
		return err;
	err = host->ops->look(host->private, info.id, engine->root_dir_generation, &now);
	if (err && err != -ESTALE)
		return cannot_tell(engine, err);
	if (!err) {
		info.flags = now.flags;
		info.ctransid = now.ctransid;
		info.otransid = now.otransid;
		/* For one that has none on the disk, the kernel makes one up in memory. */
		if (!sendcp_uuid_is_zero(info.uuid))
			memcpy(info.uuid, now.uuid, SENDCP_UUID_SIZE);
		reason = sendcp_pin_broken(&engine->tree->info, &info);
	}
	if (!reason)
		return 0;
	return sendcp_fail(engine->volume, reason, 0, &(struct sendcp_place){ .root = info.id });
}

static bool is_due(const struct sendcp_engine *engine)
{
	return sendcp_now() - engine->seen_at >= SENDCP_REVALIDATE_INTERVAL;
}

static int look(struct sendcp_engine *engine, enum sendcp_revalidate how)
{
	u64 now = sendcp_now();
	int err = 0;

	if (how == SENDCP_REVALIDATE_COMMITTED)
		err = commit(engine);
	if (!err && (how != SENDCP_REVALIDATE_IF_DUE || is_due(engine)))
		err = look_at_roots(engine);
	else
		now = engine->seen_at;
	if (!err)
		err = look_at_filesystem(engine);
	if (!err)
		engine->seen_at = now;
	return err;
}

/* Commands already made are being secured: interrupting that would only lose them. */
int sendcp_revalidate(struct sendcp_engine *engine, enum sendcp_revalidate how)
{
	int err;

	if (!is_mounted(engine))
		return 0;
	engine->volume->securing = true;
	err = look(engine, how);
	engine->volume->securing = false;
	return err;
}

int sendcp_explain_read(struct sendcp_engine *engine, int err)
{
	struct sendcp_error why = engine->volume->error;
	int changed;

	if (!is_mounted(engine) || sendcp_is_final(err))
		return err;
	changed = sendcp_revalidate(engine, SENDCP_REVALIDATE_COMMITTED);
	if (sendcp_is_stale(engine, changed))
		return changed;
	engine->volume->error = why;
	if (err != -ESTALE)
		return err;
	/* The subvolume is as it was, and has an inode that its filesystem does not find. */
	engine->volume->error.reason = SENDCP_ERR_INCONSISTENT;
	engine->volume->error.err = sendcp_reason_errno(SENDCP_ERR_INCONSISTENT);
	return engine->volume->error.err;
}

/* With devices removed, damage that is found is explained by that. */
static int explain_damage(struct sendcp_volume *volume, int err)
{
	struct sendcp_error why = volume->error;

	if (!volume->devices_changed || (err != -EUCLEAN && err != -EIO && err != -ENODEV))
		return err;
	return sendcp_fail(volume, SENDCP_ERR_DEVICES_CHANGED, 0, &(struct sendcp_place){
		.bytenr = why.bytenr,
		.root = why.root,
		.inode = why.inode,
		.offset = why.offset,
	});
}

static void set_lost(struct sendcp_engine *engine, int err)
{
	engine->lost = err;
	engine->lost_error = engine->error;
}

int sendcp_call_failed(struct sendcp_engine *engine, int err)
{
	struct sendcp_volume *volume = engine->volume;

	if (!err)
		return 0;
	err = explain_damage(volume, err);
	engine->error = volume->error;
	if (sendcp_is_stale(engine, err))
		set_lost(engine, err);
	return err;
}

int sendcp_call_lost(struct sendcp_engine *engine, int err)
{
	err = sendcp_call_failed(engine, err);
	set_lost(engine, err);
	return err;
}

int sendcp_call_begin(struct sendcp_engine *engine)
{
	if (engine->lost) {
		engine->error = engine->lost_error;
		engine->volume->error = engine->lost_error;
	}
	return engine->lost;
}

int sendcp_engine_revalidate(struct sendcp_engine *engine)
{
	int err = sendcp_call_begin(engine);

	return err ? err : sendcp_call_failed(engine, sendcp_revalidate(engine,
									SENDCP_REVALIDATE_NOW));
}

bool sendcp_engine_is_void(const struct sendcp_engine *engine)
{
	return engine->lost;
}
