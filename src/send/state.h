/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Everything that lives from one command to the next: what a checkpoint is made of.
 *
 * That is three things, by what setting them back costs. struct sendcp_state is plain data:
 * assigning it copies it whole, so nothing in it may point to what changes. The path of the current
 * inode (engine.current_path) is too long to be copied for each step byte by byte, unused ones
 * included. The sets of struct sendcp_deferred have no bound and note what is done to them instead.
 *
 * A member is either serialised by checkpoint_encode.c or marked as recomputable, with its source.
 * Caches are in struct sendcp_engine (engine_private.h) instead, and may be dropped at any time.
 */
#ifndef SENDCP_SEND_STATE_H
#define SENDCP_SEND_STATE_H

#include <sendcp/stream.h>
#include "encode/encode.h"
#include "items/items.h"
#include "send/moves.h"

/* The subject of the next step. Numbers are stored in checkpoints: append only. */
enum sendcp_phase {
	/* Stream header and SUBVOL or SNAPSHOT. */
	SENDCP_PHASE_BEGIN = 0,
	/* The change state.at is dealt with: find the following one. */
	SENDCP_PHASE_CHANGE = 1,
	/*
	 * state.at is the next change (or there is none: state.at.at_end). Names that the current
	 * inode still waits for, ...
	 */
	SENDCP_PHASE_FINISH = 2,
	/* ... a hole at its end, ... */
	SENDCP_PHASE_FINISH_HOLE = 3,
	/* ... its attributes. Directories that waited for it follow. */
	SENDCP_PHASE_FINISH_INODE = 4,
	/* The change itself. */
	SENDCP_PHASE_HANDLE = 5,
	/* Entry state.entry of the XATTR_ITEM state.item. */
	SENDCP_PHASE_XATTR = 6,
	/* Contents of the EXTENT_DATA state.item: state.range. */
	SENDCP_PHASE_RANGE = 7,
	/* A hole before the EXTENT_DATA state.item. */
	SENDCP_PHASE_HOLE = 8,
	/* An inode number used again: the old inode is deleted, the new one created. */
	SENDCP_PHASE_RECREATE_DELETE = 9,
	SENDCP_PHASE_RECREATE_CREATE = 10,
	SENDCP_PHASE_RECREATE_NAMES = 11,
	/* The first of its extents, then xattrs, after state.item. */
	SENDCP_PHASE_RECREATE_EXTENTS = 12,
	SENDCP_PHASE_RECREATE_XATTRS = 13,
	/* Deferred utimes, newest first. */
	SENDCP_PHASE_FLUSH = 14,
	SENDCP_PHASE_END = 15,
	SENDCP_PHASE_DONE = 16,
	/* After the other finish phases: deferred utimes that are too many, one a step. */
	SENDCP_PHASE_TRIM = 17,
	/*
	 * Before SENDCP_PHASE_FINISH_HOLE: contents after the end that the file had in the parent.
	 */
	SENDCP_PHASE_FINISH_TAIL = 18,
	/* After SENDCP_PHASE_FINISH_INODE: directories that waited for the inode, one a step. */
	SENDCP_PHASE_FINISH_MOVES = 19,
	SENDCP_PHASE_COUNT
};

/* The result of comparing an item of the subvolume with its parent. Stored: append only. */
enum sendcp_compare_result {
	/* Nothing compared yet. */
	SENDCP_COMPARE_NONE = 0,
	SENDCP_COMPARE_NEW = 1,
	SENDCP_COMPARE_DELETED = 2,
	SENDCP_COMPARE_CHANGED = 3,
	SENDCP_COMPARE_SAME = 4,
	SENDCP_COMPARE_COUNT
};

/* The role of the current inode in this send. Stored in checkpoints: append only. */
enum sendcp_kind {
	SENDCP_KIND_NONE = 0,
	SENDCP_KIND_NEW = 1,
	/* No links are left: an open but deleted file; nothing of it is sent. */
	SENDCP_KIND_IGNORED = 2,
	SENDCP_KIND_CHANGED = 3,
	SENDCP_KIND_DELETED = 4,
	SENDCP_KIND_COUNT
};

/* Stored in checkpoints: append only. */
enum sendcp_range_kind {
	SENDCP_RANGE_DATA = 0,
	SENDCP_RANGE_HOLE = 1,
	SENDCP_RANGE_COUNT
};

/* A range of the current inode's contents on its way out. */
struct sendcp_data_range {
	enum sendcp_range_kind kind;
	/* The phase that follows the range. */
	enum sendcp_phase then;
	/* The file range that is left: [offset, end). */
	u64 offset;
	u64 end;
	/* The part of it that is already decided to be written: [offset, write_end). */
	u64 write_end;
	/* The rest is cloned, as far as the source goes; else it is written. */
	bool cloning;
	/* The clone source: subvolume, inode, position in that file. */
	u64 clone_root;
	u64 clone_ino;
	u64 clone_offset;
	/* Offset in the extent of the range; advances with offset. */
	u64 extent_offset;
	/* The first item of the source to look at has at least this file offset ... */
	u64 clone_next;
	/* ... or, at the beginning, is the last one at or before clone_offset. */
	bool clone_started;
};

/* An end that is not known: the extents before it were not looked at. */
#define SENDCP_UNKNOWN (~0ULL)

/*
 * Where the walk is: all it takes to come to a change and handle it again. Keys instead of blocks
 * and slots, since a mounted filesystem may move the trees meanwhile, and a process that resumes
 * has neither.
 */
struct sendcp_position {
	/* The change: its key, and its kind. Meaning depends on phase. */
	struct sendcp_key key;
	enum sendcp_compare_result result;
	/*
	 * Incremental: the position in each tree, or that it is at its end. A tree that is not is
	 * at an item at every change; which of them advances next follows from result.
	 */
	struct sendcp_key left_key;
	struct sendcp_key right_key;
	bool left_end;
	bool right_end;
	/* No change is left: the finish phases are run for the last time. */
	bool at_end;
};

/*
 * Plain data. These hold between members; checkpoint_decode.c refuses what could do harm otherwise.
 *
 * While there is a current inode, send_progress is its number, or the next one once it has its
 * names. In a full send there is no right side, no CHANGED and no DELETED inode, and no move waits.
 *
 * In a range, offset and write_end are at most end; that of an extent ends within the file, so that
 * no contents are read after its end.
 *
 * new_gen says that the number is in both trees: kind is DELETED until the old inode has gone, then
 * NEW, and never CHANGED.
 */
struct sendcp_state {
	enum sendcp_phase phase;
	struct sendcp_position at;
	/* The item that XATTR, RANGE and the RECREATE phases are at. */
	struct sendcp_key item;
	/* Next entry of the XATTR_ITEM. */
	u32 entry;
	/*
	 * As in btrfs: inodes below it are at the receiver as in the subvolume, all others as in
	 * the parent, or not there yet under their names.
	 */
	u64 send_progress;
	/* Current inode; meaningless while kind is NONE. */
	enum sendcp_kind kind;
	/* Its number was used again: its items are dealt with, changes of them mean nothing. */
	bool new_gen;
	u64 ino;
	/* Recomputable from the INODE_ITEM of ino: the parent's if DELETED. */
	u64 generation;
	u64 size;
	u32 mode;
	/* End of the file's contents that are at the receiver. */
	u64 next_write_offset;
	/* Its size is to be set when it is finished. */
	bool truncate;
	/* End of the last extent looked at, or SENDCP_UNKNOWN. */
	u64 last_extent_end;
	struct sendcp_data_range range;
	/* Stream bytes before the next command. */
	u64 offset;
	/* This many commands of the next step that is replayed are out already. See replay.c. */
	u32 skip;
};

/* Directories that are not finished when the stream passes them. */
struct sendcp_deferred {
	/* Whose times are sent later, least recently touched first. */
	struct sendcp_inode_set utimes;
	/* That are moved or removed later. */
	struct sendcp_moves moves;
};

/* The state before the first command; all else is empty then. */
void sendcp_state_init(struct sendcp_state *state);

/* What was done to @deferred is kept: this is where sendcp_deferred_undo() goes back to. */
void sendcp_deferred_keep(struct sendcp_deferred *deferred);
/* Cannot fail. */
void sendcp_deferred_undo(struct sendcp_deferred *deferred);
void sendcp_deferred_release(struct sendcp_deferred *deferred);

#endif
