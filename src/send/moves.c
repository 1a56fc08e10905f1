// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The lists of delayed moves and of doomed directories.
 */
#include "send/moves.h"

int scp_id_list_reserve(struct scp_id_list *list, u32 room)
{
	struct scp_inode_id *ids;

	if (list->room >= room)
		return 0;
	room = scp_max(room, scp_max(8, list->room * 2ULL));
	ids = scp_realloc(list->ids, list->room * sizeof(*ids), room * sizeof(*ids));
	if (!ids)
		return -ENOMEM;
	list->ids = ids;
	list->room = room;
	return 0;
}

int scp_id_list_add(struct scp_id_list *list, u64 ino, u64 generation)
{
	if (scp_id_list_reserve(list, list->count + 1))
		return -ENOMEM;
	list->ids[list->count].ino = ino;
	list->ids[list->count].generation = generation;
	list->count++;
	return 0;
}

static u32 find_id(const struct scp_id_list *list, u64 ino, u64 generation)
{
	u32 i;

	for (i = 0; i < list->count; i++)
		if (list->ids[i].ino == ino && list->ids[i].generation == generation)
			break;
	return i;
}

bool scp_id_list_has(const struct scp_id_list *list, u64 ino, u64 generation)
{
	return find_id(list, ino, generation) < list->count;
}

int scp_id_list_copy(struct scp_id_list *to, const struct scp_id_list *from)
{
	if (scp_id_list_reserve(to, from->count))
		return -ENOMEM;
	if (from->count)
		memcpy(to->ids, from->ids, from->count * sizeof(*to->ids));
	to->count = from->count;
	return 0;
}

void scp_id_list_release(struct scp_id_list *list)
{
	scp_free(list->ids);
	memset(list, 0, sizeof(*list));
}

void scp_moves_changed(struct scp_moves *moves)
{
	moves->version++;
}

struct scp_move *scp_moves_find(const struct scp_moves *moves, u64 ino)
{
	u32 i;

	for (i = 0; i < moves->count; i++)
		if (moves->moves[i].dir.ino == ino)
			return &moves->moves[i];
	return NULL;
}

static int reserve(struct scp_moves *moves, u32 room)
{
	struct scp_move *list;

	if (moves->room >= room)
		return 0;
	room = scp_max(room, scp_max(8, moves->room * 2ULL));
	list = scp_realloc(moves->moves, moves->room * sizeof(*list), room * sizeof(*list));
	if (!list)
		return -ENOMEM;
	moves->moves = list;
	moves->room = room;
	return 0;
}

int scp_moves_add(struct scp_moves *moves, struct scp_move *move)
{
	if (scp_moves_find(moves, move->dir.ino))
		return -EEXIST;
	if (reserve(moves, moves->count + 1))
		return -ENOMEM;
	moves->moves[moves->count++] = *move;
	memset(&move->touched, 0, sizeof(move->touched));
	scp_moves_changed(moves);
	return 0;
}

bool scp_moves_any_waits_for(const struct scp_moves *moves, u64 ino)
{
	u32 i;

	for (i = 0; i < moves->count; i++)
		if (moves->moves[i].waits_for == ino)
			return true;
	return false;
}

void scp_moves_queue(struct scp_moves *moves, u64 ino)
{
	u32 i;

	for (i = 0; i < moves->count; i++)
		if (moves->moves[i].waits_for == ino && !moves->moves[i].queued)
			moves->moves[i].queued = ++moves->last_queued;
	scp_moves_changed(moves);
}

bool scp_moves_take(struct scp_moves *moves, struct scp_move *move)
{
	u32 first = moves->count;
	u32 i;

	for (i = 0; i < moves->count; i++)
		if (moves->moves[i].queued && (first == moves->count ||
		    moves->moves[i].queued < moves->moves[first].queued))
			first = i;
	if (first == moves->count) {
		moves->last_queued = 0;
		return false;
	}
	*move = moves->moves[first];
	moves->count--;
	memmove(&moves->moves[first], &moves->moves[first + 1],
		(moves->count - first) * sizeof(*moves->moves));
	scp_moves_changed(moves);
	return true;
}

bool scp_moves_is_doomed(const struct scp_moves *moves, u64 ino, u64 generation)
{
	return scp_id_list_has(&moves->doomed, ino, generation);
}

int scp_moves_doom(struct scp_moves *moves, u64 ino, u64 generation)
{
	if (scp_moves_is_doomed(moves, ino, generation))
		return 0;
	scp_moves_changed(moves);
	return scp_id_list_add(&moves->doomed, ino, generation);
}

void scp_moves_pardon(struct scp_moves *moves, u64 ino, u64 generation)
{
	struct scp_id_list *list = &moves->doomed;
	u32 i = find_id(list, ino, generation);

	if (i == list->count)
		return;
	list->count--;
	memmove(&list->ids[i], &list->ids[i + 1], (list->count - i) * sizeof(*list->ids));
	scp_moves_changed(moves);
}

static void clear(struct scp_moves *moves)
{
	u32 i;

	for (i = 0; i < moves->count; i++)
		scp_id_list_release(&moves->moves[i].touched);
	moves->count = 0;
}

/* @to->count grows with each list copied, so that what is there can always be given back. */
static int copy_list(struct scp_moves *to, const struct scp_moves *from)
{
	struct scp_move *move;
	u32 i;

	for (i = 0; i < from->count; i++) {
		move = &to->moves[i];
		*move = from->moves[i];
		memset(&move->touched, 0, sizeof(move->touched));
		to->count = i + 1;
		if (scp_id_list_copy(&move->touched, &from->moves[i].touched))
			return -ENOMEM;
	}
	return 0;
}

int scp_moves_copy(struct scp_moves *to, const struct scp_moves *from)
{
	if (to->version == from->version)
		return 0;
	clear(to);
	/* Different from any version there will be, until the copy is complete. */
	to->version = ~0ULL;
	if (reserve(to, from->count) || copy_list(to, from) ||
	    scp_id_list_copy(&to->doomed, &from->doomed))
		return -ENOMEM;
	to->version = from->version;
	return 0;
}

void scp_moves_release(struct scp_moves *moves)
{
	clear(moves);
	scp_free(moves->moves);
	scp_id_list_release(&moves->doomed);
	memset(moves, 0, sizeof(*moves));
}
