/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Directories whose turn is not over when the stream passes them: those that wait to be moved, and
 * those that wait to be removed.
 *
 * There may be hundreds of thousands of them, so a step costs what it does here, not what is here;
 * and what it did can be undone without copying the rest.
 */
#ifndef SENDCP_SEND_MOVES_H
#define SENDCP_SEND_MOVES_H

#include "send/inode_set.h"

/* A directory whose move is delayed until that of another inode is done. */
struct sendcp_move {
	struct sendcp_inode_id dir;
	/* Inode whose turn it waits for. */
	u64 blocked_on;
	/* That turn has come: it is in the list of those to be moved now. */
	bool queued;
	/* It has its orphan name meanwhile, not its old one. */
	bool orphanized;
	/* A directory to be removed that can be removed once this one has left it; ino 0: none. */
	struct sendcp_inode_id removes;
	/* Directories that get new times when it is moved. */
	struct sendcp_id_list touched;

	/* moves.c's own. The next one with the same hash of dir.ino. */
	struct sendcp_move *hash_next;
	/* The next ready one, or of those that wait for the same inode. */
	struct sendcp_move *next;
	/* Of the first one that waits for an inode only: the last one; its hash; its neighbours. */
	struct sendcp_move *last;
	struct sendcp_move *head_hash_next;
	struct sendcp_move *older;
	struct sendcp_move *newer;
};

struct sendcp_moves_change;

struct sendcp_moves {
	u32 count;
	/* Those to be moved now, first to last. */
	struct sendcp_move *ready_moves;
	struct sendcp_move *ready_end;
	/* The first ones that wait for an inode, in the order in which somebody began to. */
	struct sendcp_move *oldest;
	struct sendcp_move *newest;
	/* All by directory, and the first ones that wait by what they wait for. */
	struct sendcp_move **buckets;
	struct sendcp_move **head_buckets;
	u32 bucket_count;
	/* Changes since sendcp_moves_keep(), to be undone from the last to the first. */
	struct sendcp_moves_change *changes;
	u32 change_count;
	u32 change_room;
	/* Directories to be removed as soon as they are empty; they have their orphan names. */
	struct sendcp_inode_set pending_rmdirs;
};

/* The delayed move of directory @ino (by number alone, as the kernel looks); NULL: none. */
struct sendcp_move *sendcp_moves_find(const struct sendcp_moves *moves, u64 ino);
/*
 * Registers a move as @move says, at the end of the ready ones if it is queued. Takes its list
 * over. -EEXIST if the directory has one already, -ENOMEM: then the list stays the caller's.
 */
int sendcp_moves_add(struct sendcp_moves *moves, struct sendcp_move *from);
/* @dir can be removed once @move is made. -ENOMEM. */
int sendcp_moves_set_removes(struct sendcp_moves *moves, struct sendcp_move *move,
			     const struct sendcp_inode_id *dir);
/* The directory of @move has its orphan name from now on. -ENOMEM. */
int sendcp_moves_orphanize(struct sendcp_moves *moves, struct sendcp_move *move);
/* Puts all that wait for @ino at the end of the ready ones. -ENOMEM. */
int sendcp_moves_queue(struct sendcp_moves *moves, u64 ino);
/*
 * Takes the first ready one: *@move, which stays valid until sendcp_moves_keep(); NULL:
 * nobody is there. -ENOMEM.
 */
int sendcp_moves_take(struct sendcp_moves *moves, const struct sendcp_move **out);
/*
 * Calls @function for each: those that wait, by what they wait for, then the ready ones. Added in
 * that order to empty moves, they are as they are here.
 */
void sendcp_moves_each(const struct sendcp_moves *moves,
		       void (*function)(void *private, const struct sendcp_move *move),
		       void *private);

static inline bool sendcp_moves_rmdir_pending(const struct sendcp_moves *moves, u64 ino,
					      u64 generation)
{
	return sendcp_inode_set_has(&moves->pending_rmdirs, ino, generation);
}

/* Keeps all changes: sendcp_moves_undo() returns to this state. */
void sendcp_moves_keep(struct sendcp_moves *moves);
/* Cannot fail. */
void sendcp_moves_undo(struct sendcp_moves *moves);
void sendcp_moves_release(struct sendcp_moves *moves);

#endif
