/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The engine's struct, shared by the files of send/. Its functions are in headers by subject.
 */
#ifndef SENDCP_SEND_ENGINE_PRIVATE_H
#define SENDCP_SEND_ENGINE_PRIVATE_H

#include <sendcp/engine.h>
#include "clone/clone.h"
#include "encode/encode.h"
#include "send/compare.h"
#include "send/reflist.h"
#include "send/state.h"

/* Directories remembered as already created. */
#define SENDCP_MADE_DIRS 64u

/* The directory path that was looked up last for a name of the current inode. */
struct sendcp_dir_path {
	struct sendcp_inode_id dir;
	bool known;
	/* See struct sendcp_naming. */
	bool before_orphanized;
	struct sendcp_path path;
};

/* The names of the current inode while they are processed. See names.c. */
struct sendcp_naming {
	/* Names it gets and names it loses. */
	struct sendcp_ref_list new_refs;
	struct sendcp_ref_list deleted_refs;
	/* Events of ref items were collected; the first of them. */
	bool collecting;
	struct sendcp_position from;
	/* The inode's path at the receiver now. */
	struct sendcp_path valid;
	/* That is its orphan name. */
	bool still_orphan;
	/* One above the inode was. */
	bool ancestor_orphanized;
	/* The inode is a directory whose move must wait. */
	bool delayed;
	/* Directories of all these names. */
	struct sendcp_inode_set check_dirs;
	/* The inodes that were orphanized since they were in its way. */
	struct sendcp_inode_set orphanized;
	/* Paths are looked up as if none of those had been. */
	bool before_orphanized;
	struct sendcp_dir_path dir_path;
	/* How far the processing is: the stage of names.c, the next name or directory in it. */
	u32 stage;
	u32 at;
	/* This many names may still be processed in this run. */
	u32 budget;
};

/* A step too long to queue: see replay.c. */
struct sendcp_replay {
	/* One is under way. */
	bool active;
	/* Checkpoint from before the names were collected; NULL: none was needed yet. */
	u8 *base;
	size_t base_size;
	/* Commands of the step that were emitted. */
	u32 emitted;
	/* It stopped between two names; what it did so far is neither kept nor undone. */
	bool paused;
	/* It was run to its end. */
	bool ran;
};

/* An encoded extent's bytes in the caller's buffer, read in this fill and not proven yet. */
struct sendcp_encoded {
	/* The command: @head bytes, then @length ones of the extent. */
	u8 *to;
	u32 head;
	u32 length;
	/* The key of its EXTENT_DATA. */
	u64 ino;
	u64 offset;
};

struct sendcp_encoded_list {
	struct sendcp_encoded *list;
	u32 count;
	u32 capacity;
	/* The subvolume's root was moved since the fill began: the bytes read prove nothing. */
	bool moved;
};

struct sendcp_engine {
	struct sendcp_volume *volume;
	/* Why the last call failed. */
	struct sendcp_error error;
	/* The errno if bytes were made that are void: nothing may follow them. See revalidate.c. */
	int lost;
	/* Why, while ->lost is set. */
	struct sendcp_error lost_error;
	/* When (sendcp_now()) and at which generation all root items were last seen unchanged. */
	u64 seen_at;
	u64 seen_generation;
	/* Generation of the subvolume's root directory; 0: not looked up yet. */
	u64 root_dir_generation;
	struct sendcp_encoded_list encoded;
	/* The request. */
	u32 flags;
	/* In sendcp_engine_measure(): no contents are read, not even to see that they can be. */
	bool measuring;
	/* The subvolume; the clone roots, this one among them, sorted by id. */
	struct sendcp_tree *tree;
	/* Points to parent_tree; NULL in a full send. */
	struct sendcp_tree *parent;
	struct sendcp_tree parent_tree;
	struct sendcp_clone_root *roots;
	u32 root_count;
	struct sendcp_clone_search clones;

	/* What lives from one command to the next: see state.h. */
	struct sendcp_state state;
	/* The path that commands for the current inode use; empty: not known yet. */
	struct sendcp_path current_path;
	struct sendcp_deferred deferred;
	/* Commands that are decided and not delivered yet; the stream's protocol. */
	struct sendcp_encoder encoder;
	struct sendcp_replay replay;
	/* As they were before the step under way, to be set back if it fails. */
	struct {
		struct sendcp_state state;
		struct sendcp_path path;
		bool collecting;
	} before;
	/* Moves that had to wait again since one was made: see delay.c. */
	u32 stalled_moves;

	struct sendcp_naming naming;

	/* Walks the subvolume and its parent. A full send uses the left side alone. */
	struct sendcp_compare compare;

	/* Caches. */
	u64 made_dirs[SENDCP_MADE_DIRS];
	u32 made_next;

	/* Of the item that xattrs and contents come from, and its counterpart in the parent. */
	struct sendcp_cursor item_cursor;
	struct sendcp_cursor parent_cursor;

	/* Scratch: these are too large for the stack. */
	u64 cache_scratch[SENDCP_BACKREF_CACHE_LEAVES];
	struct sendcp_path path_a;
	struct sendcp_path path_b;
	struct sendcp_path path_c;
};

/*
 * Are compressed extents to be sent encoded, as they are stored? Their own size then limits a
 * command.
 */
static inline bool sendcp_is_compressed_send(const struct sendcp_engine *engine)
{
	return engine->flags & SENDCP_SEND_COMPRESSED;
}

/* Most bytes of contents in one command, as in the kernel: it shows in the stream. */
static inline u32 sendcp_chunk_size(const struct sendcp_engine *engine)
{
	return engine->encoder.protocol == 1 ? SENDCP_CHUNK_V1 : SENDCP_CHUNK_V2;
}

/* Fails with @reason at the current inode: returns its errno, never 0; see sendcp_fail(). */
int sendcp_send_fail(struct sendcp_engine *engine, enum sendcp_reason reason);

/*
 * The UUID by which the stream names a subvolume: that of the one it was received from, if it was.
 */
static inline const u8 *sendcp_sent_uuid(const struct sendcp_root_info *info)
{
	return sendcp_uuid_is_zero(info->received_uuid) ? info->uuid : info->received_uuid;
}

/* Records @reason in engine->error; for failures that are not the volume's. */
int sendcp_engine_fail(struct sendcp_engine *engine, enum sendcp_reason reason, const char *detail);
/* Forgets what is queued, collected and cached; the state is to be replaced. */
void sendcp_engine_forget(struct sendcp_engine *engine);

#endif
