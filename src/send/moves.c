// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Delayed moves: found by their directory, lined up by the inode they wait for.
 *
 * Those that wait for the same inode are a chain, whose first one (its head) is known by that
 * inode; when its turn comes the chain is put at the end of the ready moves. A move is in one chain
 * or in the line of ready ones, linked by next in both, and in the table by directory in either
 * case. Only heads are in the second table and in the list from oldest to newest, whose order
 * checkpoints keep.
 *
 * Every change is noted with what it takes to undo it, and undone from the last to the first. So
 * what is taken out or unlinked keeps its own links: when its turn to be undone comes, its
 * neighbours are those it had. Memory of a move that was taken is freed when the change is kept,
 * not before.
 */
#include "format/hash.h"
#include "send/moves.h"

#define FIRST_BUCKETS 16u

enum change_kind {
	/* @move was added, after @before in its chain, if that is not NULL. */
	CHANGE_ADD,
	/* The chain of @move was put after @before into the ready moves, if that is not NULL. */
	CHANGE_QUEUE,
	/* @move was the first ready one. */
	CHANGE_TAKE,
	/* @move was orphanized as said here, and removed what is said here. */
	CHANGE_SET,
};

struct sendcp_moves_change {
	enum change_kind kind;
	struct sendcp_move *move;
	struct sendcp_move *before;
	bool orphanized;
	struct sendcp_inode_id removes;
};

static struct sendcp_move **bucket_of(const struct sendcp_moves *moves, u64 ino)
{
	return &moves->buckets[sendcp_hash64(ino) & (moves->bucket_count - 1)];
}

static struct sendcp_move **head_bucket_of(const struct sendcp_moves *moves, u64 ino)
{
	return &moves->head_buckets[sendcp_hash64(ino) & (moves->bucket_count - 1)];
}

struct sendcp_move *sendcp_moves_find(const struct sendcp_moves *moves, u64 ino)
{
	struct sendcp_move *move;

	if (!moves->count)
		return NULL;
	move = *bucket_of(moves, ino);
	while (move && move->dir.ino != ino)
		move = move->hash_next;
	return move;
}

/* The first one that waits for @ino. */
static struct sendcp_move *find_head(const struct sendcp_moves *moves, u64 ino)
{
	struct sendcp_move *move;

	if (!moves->count)
		return NULL;
	move = *head_bucket_of(moves, ino);
	while (move && move->blocked_on != ino)
		move = move->head_hash_next;
	return move;
}

static void hash_in(struct sendcp_moves *moves, struct sendcp_move *move)
{
	struct sendcp_move **bucket = bucket_of(moves, move->dir.ino);

	move->hash_next = *bucket;
	*bucket = move;
}

static void hash_out(struct sendcp_moves *moves, struct sendcp_move *move)
{
	struct sendcp_move **at = bucket_of(moves, move->dir.ino);

	while (*at != move)
		at = &(*at)->hash_next;
	*at = move->hash_next;
}

static void hash_in_head(struct sendcp_moves *moves, struct sendcp_move *head)
{
	struct sendcp_move **bucket = head_bucket_of(moves, head->blocked_on);

	head->head_hash_next = *bucket;
	*bucket = head;
}

/* Among the heads, where its own links say. */
static void link_head(struct sendcp_moves *moves, struct sendcp_move *head)
{
	if (head->older)
		head->older->newer = head;
	else
		moves->oldest = head;
	if (head->newer)
		head->newer->older = head;
	else
		moves->newest = head;
	hash_in_head(moves, head);
}

static void unlink_head(struct sendcp_moves *moves, struct sendcp_move *head)
{
	struct sendcp_move **at = head_bucket_of(moves, head->blocked_on);

	while (*at != head)
		at = &(*at)->head_hash_next;
	*at = head->head_hash_next;
	if (head->older)
		head->older->newer = head->newer;
	else
		moves->oldest = head->newer;
	if (head->newer)
		head->newer->older = head->older;
	else
		moves->newest = head->older;
}

static void hash_chain(struct sendcp_moves *moves, struct sendcp_move *move)
{
	for (; move; move = move->next)
		hash_in(moves, move);
}

/* More buckets, when there are more moves than buckets. */
static int grow(struct sendcp_moves *moves)
{
	u32 count = moves->bucket_count ? moves->bucket_count * 2 : FIRST_BUCKETS;
	struct sendcp_move **buckets;
	struct sendcp_move *head;

	if (moves->count < moves->bucket_count || count < moves->bucket_count)
		return 0;
	buckets = sendcp_zalloc(2ULL * count * sizeof(struct sendcp_move *));
	if (!buckets)
		return -ENOMEM;
	sendcp_free(moves->buckets);
	moves->buckets = buckets;
	moves->head_buckets = buckets + count;
	moves->bucket_count = count;
	for (head = moves->oldest; head; head = head->newer) {
		hash_in_head(moves, head);
		hash_chain(moves, head);
	}
	hash_chain(moves, moves->ready_moves);
	return 0;
}

/* A place to note a change in; it counts once change_count does. */
static struct sendcp_moves_change *next_change(struct sendcp_moves *moves)
{
	u32 capacity = moves->change_room ? moves->change_room * 2 : 8;
	struct sendcp_moves_change *changes = moves->changes;

	if (moves->change_count == moves->change_room) {
		changes = sendcp_realloc(changes, moves->change_room * sizeof(*changes),
					 capacity * sizeof(*changes));
		if (!changes)
			return NULL;
		moves->changes = changes;
		moves->change_room = capacity;
	}
	return &changes[moves->change_count];
}

static void append_to_line(struct sendcp_moves *moves, struct sendcp_move *first,
			   struct sendcp_move *last)
{
	if (moves->ready_end)
		moves->ready_end->next = first;
	else
		moves->ready_moves = first;
	moves->ready_end = last;
}

/* Returns what is before it among the ready ones or in its chain. */
static struct sendcp_move *place(struct sendcp_moves *moves, struct sendcp_move *move)
{
	struct sendcp_move *head = move->queued ? NULL : find_head(moves, move->blocked_on);
	struct sendcp_move *before = moves->ready_end;

	if (move->queued) {
		append_to_line(moves, move, move);
		return before;
	}
	if (head) {
		before = head->last;
		before->next = move;
		head->last = move;
		return before;
	}
	move->last = move;
	move->older = moves->newest;
	link_head(moves, move);
	return NULL;
}

/*
 * All memory is taken before anything is changed: there is nothing to be set back if there is none.
 */
int sendcp_moves_add(struct sendcp_moves *moves, struct sendcp_move *from)
{
	struct sendcp_moves_change *change;
	struct sendcp_move *move;

	if (sendcp_moves_find(moves, from->dir.ino))
		return -EEXIST;
	change = next_change(moves);
	if (!change || grow(moves))
		return -ENOMEM;
	move = sendcp_zalloc(sizeof(*move));
	if (!move)
		return -ENOMEM;
	move->dir = from->dir;
	move->blocked_on = from->blocked_on;
	move->queued = from->queued;
	move->orphanized = from->orphanized;
	move->removes = from->removes;
	move->touched = from->touched;
	memset(&from->touched, 0, sizeof(from->touched));
	change->kind = CHANGE_ADD;
	change->move = move;
	change->before = place(moves, move);
	hash_in(moves, move);
	moves->change_count++;
	moves->count++;
	return 0;
}

/* @move is about to be changed: notes its members, to be set back. */
static int note_set(struct sendcp_moves *moves, struct sendcp_move *move)
{
	struct sendcp_moves_change *change = next_change(moves);

	if (!change)
		return -ENOMEM;
	change->kind = CHANGE_SET;
	change->move = move;
	change->orphanized = move->orphanized;
	change->removes = move->removes;
	moves->change_count++;
	return 0;
}

int sendcp_moves_set_removes(struct sendcp_moves *moves, struct sendcp_move *move,
			     const struct sendcp_inode_id *dir)
{
	if (note_set(moves, move))
		return -ENOMEM;
	move->removes = *dir;
	return 0;
}

int sendcp_moves_orphanize(struct sendcp_moves *moves, struct sendcp_move *move)
{
	if (note_set(moves, move))
		return -ENOMEM;
	move->orphanized = true;
	return 0;
}

static void set_queued(struct sendcp_move *first, bool queued)
{
	for (; first; first = first->next)
		first->queued = queued;
}

int sendcp_moves_queue(struct sendcp_moves *moves, u64 ino)
{
	struct sendcp_move *head = find_head(moves, ino);
	struct sendcp_moves_change *change;

	if (!head)
		return 0;
	change = next_change(moves);
	if (!change)
		return -ENOMEM;
	change->kind = CHANGE_QUEUE;
	change->move = head;
	change->before = moves->ready_end;
	moves->change_count++;
	unlink_head(moves, head);
	set_queued(head, true);
	append_to_line(moves, head, head->last);
	return 0;
}

int sendcp_moves_take(struct sendcp_moves *moves, const struct sendcp_move **out)
{
	struct sendcp_move *move = moves->ready_moves;
	struct sendcp_moves_change *change;

	*out = move;
	if (!move)
		return 0;
	change = next_change(moves);
	if (!change)
		return -ENOMEM;
	change->kind = CHANGE_TAKE;
	change->move = move;
	moves->change_count++;
	moves->count--;
	hash_out(moves, move);
	moves->ready_moves = move->next;
	if (!move->next)
		moves->ready_end = NULL;
	return 0;
}

void sendcp_moves_each(const struct sendcp_moves *moves,
		       void (*function)(void *private, const struct sendcp_move *move),
		       void *private)
{
	const struct sendcp_move *head;
	const struct sendcp_move *move;

	for (head = moves->oldest; head; head = head->newer)
		for (move = head; move; move = move->next)
			function(private, move);
	for (move = moves->ready_moves; move; move = move->next)
		function(private, move);
}

static void free_move(struct sendcp_move *move)
{
	sendcp_id_list_release(&move->touched);
	sendcp_free(move);
}

void sendcp_moves_keep(struct sendcp_moves *moves)
{
	u32 i;

	for (i = 0; i < moves->change_count; i++)
		if (moves->changes[i].kind == CHANGE_TAKE)
			free_move(moves->changes[i].move);
	moves->change_count = 0;
	sendcp_inode_set_keep(&moves->pending_rmdirs);
}

/* @last is the last ready one again. */
static void cut_line(struct sendcp_moves *moves, struct sendcp_move *last)
{
	if (last)
		last->next = NULL;
	else
		moves->ready_moves = NULL;
	moves->ready_end = last;
}

static void undo_add(struct sendcp_moves *moves, const struct sendcp_moves_change *change)
{
	struct sendcp_move *move = change->move;
	struct sendcp_move *head;

	hash_out(moves, move);
	moves->count--;
	if (move->queued) {
		cut_line(moves, change->before);
	} else if (change->before) {
		change->before->next = NULL;
		head = find_head(moves, move->blocked_on);
		if (head)
			head->last = change->before;
	} else {
		unlink_head(moves, move);
	}
	free_move(move);
}

static void undo_queue(struct sendcp_moves *moves, const struct sendcp_moves_change *change)
{
	cut_line(moves, change->before);
	set_queued(change->move, false);
	link_head(moves, change->move);
}

static void undo_take(struct sendcp_moves *moves, struct sendcp_move *move)
{
	if (!moves->ready_moves)
		moves->ready_end = move;
	move->next = moves->ready_moves;
	moves->ready_moves = move;
	hash_in(moves, move);
	moves->count++;
}

static void undo_change(struct sendcp_moves *moves, const struct sendcp_moves_change *change)
{
	switch (change->kind) {
	case CHANGE_ADD:
		undo_add(moves, change);
		break;
	case CHANGE_QUEUE:
		undo_queue(moves, change);
		break;
	case CHANGE_TAKE:
		undo_take(moves, change->move);
		break;
	case CHANGE_SET:
		change->move->orphanized = change->orphanized;
		change->move->removes = change->removes;
		break;
	}
}

void sendcp_moves_undo(struct sendcp_moves *moves)
{
	while (moves->change_count)
		undo_change(moves, &moves->changes[--moves->change_count]);
	sendcp_inode_set_undo(&moves->pending_rmdirs);
}

static void free_chain(struct sendcp_move *move)
{
	struct sendcp_move *next;

	for (; move; move = next) {
		next = move->next;
		free_move(move);
	}
}

void sendcp_moves_release(struct sendcp_moves *moves)
{
	struct sendcp_move *newer;
	struct sendcp_move *head;

	sendcp_moves_keep(moves);
	for (head = moves->oldest; head; head = newer) {
		newer = head->newer;
		free_chain(head);
	}
	free_chain(moves->ready_moves);
	sendcp_free(moves->buckets);
	sendcp_free(moves->changes);
	sendcp_inode_set_release(&moves->pending_rmdirs);
	memset(moves, 0, sizeof(*moves));
}
