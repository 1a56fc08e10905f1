// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The send state as a value: made, copied, given back.
 */
#include "send/state.h"

void scp_state_init(struct scp_state *state)
{
	memset(state, 0, sizeof(*state));
	state->mark = SCP_ROOT_DIR_ID;
}

void scp_state_release(struct scp_state *state)
{
	scp_free(state->utimes.ids);
	state->utimes.ids = NULL;
	state->utimes.count = 0;
	state->utimes.room = 0;
}

int scp_id_list_reserve(struct scp_id_list *list, u32 room)
{
	struct scp_inode_id *ids;

	if (list->room >= room)
		return 0;
	room = scp_max(room, scp_max(64, list->room * 2ULL));
	ids = scp_realloc(list->ids, list->room * sizeof(*ids), room * sizeof(*ids));
	if (!ids)
		return -ENOMEM;
	list->ids = ids;
	list->room = room;
	return 0;
}

static int copy_ids(struct scp_id_list *to, const struct scp_id_list *from)
{
	if (scp_id_list_reserve(to, from->count))
		return -ENOMEM;
	if (from->count)
		memcpy(to->ids, from->ids, from->count * sizeof(*to->ids));
	to->count = from->count;
	return 0;
}

/* Member by member, since copying the whole path for each step would cost more than the step. */
int scp_state_copy(struct scp_state *to, const struct scp_state *from)
{
	if (copy_ids(&to->utimes, &from->utimes))
		return -ENOMEM;
	to->phase = from->phase;
	to->key = from->key;
	to->entry = from->entry;
	to->mark = from->mark;
	to->kind = from->kind;
	to->ino = from->ino;
	to->generation = from->generation;
	to->size = from->size;
	to->mode = from->mode;
	to->next_write_offset = from->next_write_offset;
	to->path.len = from->path.len;
	memcpy(to->path.bytes, from->path.bytes, from->path.len);
	to->run = from->run;
	to->offset = from->offset;
	to->skip = from->skip;
	return 0;
}
