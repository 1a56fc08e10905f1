/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Everything that lives from one command to the next: the struct a checkpoint is made of.
 *
 * A member is either serialised by checkpoint.c or marked as recomputable, with from what. What is
 * only a cache lives in struct scp_engine (engine_private.h) instead, and may vanish at any time.
 */
#ifndef SCP_SEND_STATE_H
#define SCP_SEND_STATE_H

#include "items/items.h"
#include "format/stream.h"

/* What the next step does. Numbers are stored in checkpoints: append only. */
enum scp_phase {
	/* Stream header and SUBVOL. */
	SCP_PHASE_BEGIN = 0,
	/* state.key is dealt with: find the following item. */
	SCP_PHASE_EVENT = 1,
	/* state.key is the next event: finish what the inode before it still owes. */
	SCP_PHASE_FINISH = 2,
	/* The event itself. */
	SCP_PHASE_HANDLE = 3,
	/* Entry state.entry of the XATTR_ITEM at state.key. */
	SCP_PHASE_XATTR = 4,
	/* Data of the EXTENT_DATA at state.key: state.run. */
	SCP_PHASE_RUN = 5,
	/* No more items: finish the last inode. */
	SCP_PHASE_LAST_FINISH = 6,
	/* Deferred utimes, newest first. */
	SCP_PHASE_FLUSH = 7,
	SCP_PHASE_END = 8,
	SCP_PHASE_DONE = 9,
	SCP_PHASE_COUNT
};

/* What the current inode is to this send. Stored in checkpoints: append only. */
enum scp_kind {
	SCP_KIND_NONE = 0,
	SCP_KIND_NEW = 1,
	/* No links are left: an open but deleted file; nothing of it is sent. */
	SCP_KIND_IGNORED = 2,
	SCP_KIND_COUNT
};

/* A path relative to the subvolume, without leading slash; empty for its root. No NUL. */
struct scp_path {
	u16 len;
	u8 bytes[SCP_PATH_MAX];
};

/* An inode number alone does not name an inode for ever: numbers are reused. */
struct scp_inode_id {
	u64 ino;
	u64 generation;
};

/* Oldest first. */
struct scp_id_list {
	struct scp_inode_id *ids;
	u32 count;
	u32 room;
};

/* The contents of one file extent on their way out. */
struct scp_run {
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
	/* Where in the extent the range begins; moves on with offset. */
	u64 extent_offset;
	/* The first item of the source to look at has at least this file offset ... */
	u64 clone_next;
	/* ... or, at the beginning, is the last one at or before clone_offset. */
	bool clone_started;
};

struct scp_state {
	enum scp_phase phase;
	/* Position; meaning depends on phase. */
	struct scp_key key;
	/* Next entry of the XATTR_ITEM. */
	u32 entry;
	/*
	 * The mark: inodes below it are at the receiver as in the subvolume, all others are not there
	 * yet under their names.
	 */
	u64 mark;
	/* Current inode; meaningless while kind is NONE. */
	enum scp_kind kind;
	u64 ino;
	/* Recomputable from the INODE_ITEM of ino. */
	u64 generation;
	u64 size;
	u32 mode;
	/* How far the file's contents are at the receiver. */
	u64 next_write_offset;
	/* The path that commands for the current inode use; empty: not known yet. */
	struct scp_path path;
	/* Directories whose times are sent later. */
	struct scp_id_list utimes;
	struct scp_run run;
	/* Stream bytes before the next command. */
	u64 offset;
	/*
	 * This many commands of the next finish step with names to process are out already: drop
	 * them. See window.c.
	 */
	u32 skip;
};

void scp_state_init(struct scp_state *state);
void scp_state_release(struct scp_state *state);
/* -ENOMEM leaves @to as it was. */
int scp_state_copy(struct scp_state *to, const struct scp_state *from);

int scp_id_list_reserve(struct scp_id_list *list, u32 room);

#endif
