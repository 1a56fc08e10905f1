// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The send state as a value: made, kept, set back, given back.
 */
#include "send/state.h"

void scp_state_init(struct scp_state *state)
{
	memset(state, 0, sizeof(*state));
	state->send_progress = SCP_ROOT_DIR_ID;
	state->last_extent_end = SCP_UNKNOWN;
}

void scp_state_release(struct scp_state *state)
{
	scp_inode_set_release(&state->utimes);
	scp_moves_release(&state->moves);
}

/* Member by member, since copying the whole path for each step would cost more than the step. */
static void copy_members(struct scp_state *to, const struct scp_state *from)
{
	to->phase = from->phase;
	to->key = from->key;
	to->result = from->result;
	to->left_key = from->left_key;
	to->right_key = from->right_key;
	to->left_end = from->left_end;
	to->right_end = from->right_end;
	to->at_end = from->at_end;
	to->item = from->item;
	to->entry = from->entry;
	to->send_progress = from->send_progress;
	to->kind = from->kind;
	to->new_gen = from->new_gen;
	to->ino = from->ino;
	to->generation = from->generation;
	to->size = from->size;
	to->mode = from->mode;
	to->next_write_offset = from->next_write_offset;
	to->truncate = from->truncate;
	to->last_extent_end = from->last_extent_end;
	to->path.len = from->path.len;
	memcpy(to->path.bytes, from->path.bytes, from->path.len);
	to->range = from->range;
	to->offset = from->offset;
	to->skip = from->skip;
}

void scp_state_keep(struct scp_state *state, struct scp_state *before)
{
	copy_members(before, state);
	scp_inode_set_keep(&state->utimes);
	scp_moves_keep(&state->moves);
}

void scp_state_undo(struct scp_state *state, const struct scp_state *before)
{
	copy_members(state, before);
	scp_inode_set_undo(&state->utimes);
	scp_moves_undo(&state->moves);
}
