// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The finish step: before each event, what the inodes before it still owe.
 *
 * Names are processed as soon as an event is past the inode's ref items; size, owner, mode and times
 * when an event is past the inode.
 */
#include "send/engine_private.h"

bool scp_names_are_due(const struct scp_engine *engine, bool at_end)
{
	const struct scp_state *state = &engine->state;

	if (!engine->refs.count)
		return false;
	return at_end || state->key.objectid != state->ino ||
	       state->key.type > SCP_INODE_EXTREF;
}

static int finish_names(struct scp_engine *engine, bool at_end)
{
	int err;

	if (!scp_names_are_due(engine, at_end))
		return 0;
	err = scp_process_refs(engine);
	if (err)
		return err;
	scp_refs_clear(engine);
	engine->state.mark = engine->state.ino + 1;
	return 0;
}

static int finish_attributes(struct scp_engine *engine, const struct scp_inode *inode)
{
	const struct scp_state *state = &engine->state;
	int err = 0;

	if (S_ISREG(inode->mode) && state->next_write_offset != inode->size)
		err = scp_send_truncate(engine, inode->size);
	if (!err)
		err = scp_send_chown(engine, inode);
	if (!err && !S_ISLNK(inode->mode))
		err = scp_send_chmod(engine, inode);
	if (!err)
		err = scp_send_capability(engine);
	return err;
}

static int finish_inode(struct scp_engine *engine)
{
	struct scp_state *state = &engine->state;
	struct scp_inode inode;
	int err = scp_inode_get(engine->tree, state->ino, &inode);

	if (err == -ENOENT)
		return scp_send_fail(engine, SCP_INCONSISTENT);
	if (!err)
		err = finish_attributes(engine, &inode);
	if (err)
		return err;
	state->mark = state->ino + 1;
	if (S_ISDIR(inode.mode) && inode.size)
		return scp_defer_utimes(engine, state->ino, state->generation);
	return scp_send_utimes(engine, state->ino, state->generation);
}

int scp_finish(struct scp_engine *engine, bool at_end)
{
	const struct scp_state *state = &engine->state;
	int err;

	if (state->kind == SCP_KIND_IGNORED)
		return 0;
	if (state->kind == SCP_KIND_NONE)
		return scp_trim_utimes(engine);
	err = finish_names(engine, at_end);
	if (!err && (at_end || state->key.objectid != state->ino))
		err = finish_inode(engine);
	return err ? err : scp_trim_utimes(engine);
}
