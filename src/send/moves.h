/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Directories whose turn is not over when the stream passes them: those that wait to be moved, and
 * those that wait to be removed.
 *
 * A set of plain lists, since they are nearly always empty and rarely long; the version tells
 * whether anything changed, so that nobody copies them for nothing.
 */
#ifndef SCP_SEND_MOVES_H
#define SCP_SEND_MOVES_H

#include <sendcp/platform.h>

/* An inode number alone does not name an inode for ever: numbers are reused. */
struct scp_inode_id {
	u64 ino;
	u64 generation;
};

/* In the order they were added. */
struct scp_id_list {
	struct scp_inode_id *ids;
	u32 count;
	u32 room;
};

/* -ENOMEM leaves the list as it was. */
int scp_id_list_reserve(struct scp_id_list *list, u32 room);
int scp_id_list_add(struct scp_id_list *list, u64 ino, u64 generation);
bool scp_id_list_has(const struct scp_id_list *list, u64 ino, u64 generation);
int scp_id_list_copy(struct scp_id_list *to, const struct scp_id_list *from);
void scp_id_list_release(struct scp_id_list *list);

/* A directory whose move is delayed until that of another inode is done. */
struct scp_move {
	struct scp_inode_id dir;
	/* Inode whose turn it waits for. */
	u64 waits_for;
	/* Its turn has come: place in the line of moves being applied; 0 between steps. */
	u32 queued;
	/* It stands under its orphan name meanwhile, not under its old one. */
	bool orphanised;
	/* A doomed directory that can be removed once this one has left it; ino 0: none. */
	struct scp_inode_id removes;
	/* Directories that get new times when it is moved. */
	struct scp_id_list touched;
};

struct scp_moves {
	/* In the order they were registered. */
	struct scp_move *moves;
	u32 count;
	u32 room;
	/* Directories to be removed as soon as they are empty; they stand under orphan names. */
	struct scp_id_list doomed;
	/* Number of the last place in the line. */
	u32 last_queued;
	/* Changes whenever anything here does. */
	u64 version;
};

/* The delayed move of directory @ino (by number alone, as the kernel looks); NULL: none. */
struct scp_move *scp_moves_find(const struct scp_moves *moves, u64 ino);
/*
 * Registers *@move, taking its list over; -EEXIST if the directory has one already, -ENOMEM: then
 * the list stays the caller's.
 */
int scp_moves_add(struct scp_moves *moves, struct scp_move *move);
/* Puts all that wait for @ino at the end of the line. */
void scp_moves_queue(struct scp_moves *moves, u64 ino);
/* Takes the first in the line out into *@move; false: nobody is there. */
bool scp_moves_take(struct scp_moves *moves, struct scp_move *move);
bool scp_moves_any_waits_for(const struct scp_moves *moves, u64 ino);
void scp_moves_changed(struct scp_moves *moves);

bool scp_moves_is_doomed(const struct scp_moves *moves, u64 ino, u64 generation);
int scp_moves_doom(struct scp_moves *moves, u64 ino, u64 generation);
void scp_moves_pardon(struct scp_moves *moves, u64 ino, u64 generation);

/* Does nothing if both have the same version. -ENOMEM leaves @to usable, but different. */
int scp_moves_copy(struct scp_moves *to, const struct scp_moves *from);
void scp_moves_release(struct scp_moves *moves);

#endif
