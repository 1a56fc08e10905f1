/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The engine's inside: what the files of send/ share.
 */
#ifndef SCP_SEND_ENGINE_PRIVATE_H
#define SCP_SEND_ENGINE_PRIVATE_H

#include <sendcp/engine.h>
#include "clone/clone.h"
#include "encode/encode.h"
#include "send/compare.h"
#include "send/reflist.h"
#include "send/state.h"

/* The kernel release whose decisions are reproduced; stored in checkpoints. */
#define SCP_BEHAVIOUR 618u
/* Names that are processed without opening a window, and commands that one window holds. */
#define SCP_NAMES_QUEUED 8u
#define SCP_WINDOW_COMMANDS 1024u
/* Times that file data is looked for again when it moves while it is read. */
#define SCP_MOVE_RETRIES 16
/* Deferred utimes kept from one finish step to the next. */
#define SCP_UTIMES_KEPT 64u
/* Directories remembered as already created. */
#define SCP_MADE_DIRS 64u

/* Where an event is: enough to handle it again. */
struct scp_position {
	struct scp_key key;
	struct scp_key left_key;
	struct scp_key right_key;
	enum scp_result result;
	bool left_end;
	bool right_end;
};

/* The names of the current inode on their way: what processing them goes by. See names.c. */
struct scp_naming {
	/* Names it gets and names it loses. */
	struct scp_ref_list new;
	struct scp_ref_list gone;
	/* Events of ref items were collected; the first of them. */
	bool collecting;
	struct scp_position from;
	/* Where the inode is now. */
	struct scp_path valid;
	/* That is its orphan name. */
	bool still_orphan;
	/* A directory was moved out of the way: paths collected before may be wrong. */
	bool dir_orphanised;
	/* One above the inode was. */
	bool ancestor_orphanised;
	/* The inode is a directory whose move must wait. */
	bool delayed;
	/* Directories of all these names. */
	struct scp_inode_set touched;
	/* What was moved out of its way, to orphan names. */
	struct scp_id_list aside;
};

/* How far a directory that cannot be removed yet was looked through. */
struct scp_rmdir_hint {
	struct scp_inode_id dir;
	u64 blocker;
	u64 index;
};

#define SCP_RMDIR_HINTS 16u

/* A step too long to queue: see window.c. */
struct scp_window {
	/* Checkpoint from before the names were collected; NULL: no window is open. */
	u8 *origin;
	size_t origin_size;
	/* Commands of the step that were delivered. */
	u32 delivered;
	/* The step was run to its end. */
	bool ran;
};

/* A stored extent's bytes in the caller's buffer, read in this fill and not proven yet. */
struct scp_stored {
	/* The command: @head bytes, then @length ones of the extent. */
	u8 *to;
	u32 head;
	u32 length;
	/* Where its EXTENT_DATA is. */
	u64 ino;
	u64 offset;
};

struct scp_stored_list {
	struct scp_stored *list;
	u32 count;
	u32 room;
	/* The subvolume's root was moved since the fill began: what was read proves nothing. */
	bool moved;
};

struct scp_engine {
	struct scp_volume *volume;
	/* Why the last call failed. */
	struct scp_error error;
	/* The errno if bytes were made that are void: nothing may follow them. See revalidate.c. */
	int lost;
	/* When (scp_now()) and at which generation all root items were last seen unchanged. */
	u64 seen_at;
	u64 seen_generation;
	/* Generation of the subvolume's root directory; 0: not looked up yet. */
	u64 root_dir_generation;
	struct scp_stored_list stored;
	/* The request. */
	u32 flags;
	/* The subvolume; the clone roots, this one among them, sorted by id. */
	struct scp_tree *tree;
	/* Points to parent_tree; NULL in a full send. */
	struct scp_tree *parent;
	struct scp_tree parent_tree;
	struct scp_clone_root *roots;
	u32 root_count;
	struct scp_clone_search clones;

	struct scp_state state;
	/* What is decided and not delivered yet; the stream's protocol. */
	struct scp_encoder encoder;
	struct scp_window window;
	/* State before the step under way, to go back to if it fails: see scp_state_keep(). */
	struct scp_state before;
	/* Moves that had to wait again since one was made: see delay.c. */
	u32 vain_moves;

	struct scp_naming naming;

	/* Walks the subvolume and its parent. A full send uses the left side alone. */
	struct scp_compare walk;

	/* Caches. */
	u64 made_dirs[SCP_MADE_DIRS];
	u32 made_next;
	struct scp_rmdir_hint rmdir_hints[SCP_RMDIR_HINTS];
	u32 rmdir_next;

	/* Of the item that xattrs and contents come from, and its counterpart in the parent. */
	struct scp_cursor item_cursor;
	struct scp_cursor parent_cursor;

	/* Scratch: these are too large for the stack. */
	u64 memo_scratch[SCP_MEMO_LEAVES];
	struct scp_path path_a;
	struct scp_path path_b;
	struct scp_path path_c;
};

static inline bool scp_is_compressed_send(const struct scp_engine *engine)
{
	return engine->flags & SCP_SEND_COMPRESSED;
}

static inline u32 scp_chunk_size(const struct scp_engine *engine)
{
	return engine->encoder.protocol == 1 ? SCP_CHUNK_V1 : SCP_CHUNK_V2;
}

/* Fails with @reason at the current inode; see scp_fail(). */
int scp_send_fail(struct scp_engine *engine, enum scp_reason reason);

/* How the stream names a subvolume: by where it was received from, if it was. */
static inline const u8 *scp_sent_uuid(const struct scp_root_info *info)
{
	static const u8 zero[SCP_UUID_SIZE];

	return memcmp(info->received_uuid, zero, sizeof(zero)) ? info->received_uuid : info->uuid;
}

/*
 * identity.c: inodes as the send sees them. The generation is such that two with one number, one of
 * each tree, are the same inode if and only if their generations are equal. Only for the subvolume
 * and its parent; -ENOENT sets no reason.
 */
int scp_inode_in(struct scp_engine *engine, struct scp_tree *tree, u64 ino,
		 struct scp_inode *inode);
/* Inode number 0 where there is none; never -ENOENT. */
int scp_inode_in_both(struct scp_engine *engine, u64 ino, struct scp_inode *now,
		      struct scp_inode *before);
/* *@generation 0 if @ino is missing in @tree or has no links. */
int scp_generation_in(struct scp_engine *engine, struct scp_tree *tree, u64 ino, u64 *generation);
int scp_generation_in_both(struct scp_engine *engine, u64 ino, u64 *now, u64 *before);
/* The same for two that were read from their items: changes @before's generation if need be. */
int scp_tell_apart(struct scp_engine *engine, const struct scp_inode *now,
		   struct scp_inode *before);

/* exists.c: what is at the receiver now. All return negative errnos as usual. */
enum scp_presence {
	SCP_PRESENT_SAME,
	SCP_DID_CREATE,
	SCP_WILL_CREATE,
	SCP_DID_DELETE,
	SCP_WILL_DELETE,
};

/* An enum scp_presence; -ENOENT (no reason set) if the inode is in neither tree. */
int scp_presence_of(struct scp_engine *engine, u64 ino, u64 generation);
/* The same for an inode that must be in one of them. */
int scp_need_presence(struct scp_engine *engine, u64 ino, u64 generation);
/* 1: it is there, under a name or its orphan name. */
int scp_exists_now(struct scp_engine *engine, u64 ino, u64 generation);
/* 1: another inode, whose turn has been, has taken this name of (ino, generation). */
int scp_is_overwritten(struct scp_engine *engine, const struct scp_name *name, u64 dir_generation,
		       u64 ino, u64 generation);
/* 1: *@in_the_way, of the parent and not yet dealt with, has this name now. */
int scp_find_conflict(struct scp_engine *engine, const struct scp_name *name, u64 dir_generation,
		      struct scp_inode *in_the_way);
/* 1: @ancestor is above @ino in @tree. */
int scp_is_ancestor(struct scp_engine *engine, struct scp_tree *tree, u64 ino,
		    const struct scp_inode_id *ancestor);

/* path.c */
void scp_path_clear(struct scp_path *path);
bool scp_path_begins_with(const struct scp_path *path, const struct scp_path *beginning);
void scp_path_copy(struct scp_path *to, const struct scp_path *from);
/* @path += "/" name (just the name under the root). -ENAMETOOLONG. */
int scp_path_append(struct scp_engine *engine, struct scp_path *path, const u8 *name, u16 len);
/* The name an inode has before it has one: see docs/architecture.md. */
int scp_orphan_name(struct scp_engine *engine, u64 ino, u64 generation, struct scp_path *path);
/*
 * The name by which @id, not waiting for anything, is known now, and the tree its directory's
 * generation is to be taken from. 1: it is known by its orphan name.
 */
int scp_name_now(struct scp_engine *engine, const struct scp_inode_id *id, struct scp_name *name,
		 struct scp_tree **tree);
/* Where (ino, generation) is at the receiver now. */
int scp_path_of(struct scp_engine *engine, u64 ino, u64 generation, struct scp_path *path);
/* The same for the current inode, remembered in state.path. */
int scp_current_path(struct scp_engine *engine, struct scp_path *path);
/* Path of an inode in another tree, as it is there. */
int scp_path_in_tree(struct scp_engine *engine, struct scp_tree *tree, u64 ino,
		     struct scp_path *path);

/* inode.c: opening inodes and creating them at the receiver. */
int scp_open_inode(struct scp_engine *engine);
/* Opens the inode of the event, whose INODE_ITEM is the same in both trees while others differ. */
int scp_open_unlike(struct scp_engine *engine);
/* The current inode is @inode now. */
void scp_set_inode(struct scp_state *state, enum scp_kind kind, const struct scp_inode *inode);
int scp_create_inode(struct scp_engine *engine, const struct scp_inode *inode);
/* MKDIR for a directory whose turn has not come, unless that was done. */
int scp_create_dir_early(struct scp_engine *engine, u64 dir, u64 generation);

/* recreate.c: an inode number used again. */
int scp_step_recreate(struct scp_engine *engine);

/* refs.c: the names of the current inode, collected. */
int scp_collect_refs(struct scp_engine *engine);
/* 1: the event is one although the items are the same: a directory has another generation. */
int scp_refs_differ(struct scp_engine *engine);
/* All names of the current inode in @tree; @gone: as names it loses. */
int scp_collect_all_refs(struct scp_engine *engine, struct scp_tree *tree, bool gone);
void scp_refs_clear(struct scp_engine *engine);

/* names.c: the names of the current inode, processed. */
int scp_process_names(struct scp_engine *engine);
/* Commands about names. */
int scp_send_rename(struct scp_engine *engine, const struct scp_path *from,
		    const struct scp_path *to);
int scp_send_link(struct scp_engine *engine, const struct scp_path *name,
		  const struct scp_path *existing);
int scp_send_unlink(struct scp_engine *engine, const struct scp_path *path);
int scp_send_rmdir(struct scp_engine *engine, const struct scp_path *path);

/* delay.c: directory moves that wait for others. */
/* 1: the current directory's move into @ref's directory must wait, and was registered. */
int scp_must_wait(struct scp_engine *engine, const struct scp_name *name, u64 dir_generation);
/* Lines up the moves that waited for the current inode. */
int scp_queue_moves(struct scp_engine *engine);
/* Makes the first move in the line. 1: it was dealt with; 0: there is none. */
int scp_apply_move(struct scp_engine *engine);

/* remove.c */
/* 1: nothing is left in it; 0: there is, and it is doomed. */
int scp_can_remove(struct scp_engine *engine, u64 dir, u64 generation);

/* attributes.c: size, owner, mode, flags, times. */
/* A command that begins with the current inode's path. */
int scp_begin_for_current(struct scp_engine *engine, enum scp_command command);
int scp_send_truncate(struct scp_engine *engine, u64 size);
int scp_send_chown(struct scp_engine *engine, const struct scp_inode *inode);
int scp_send_chmod(struct scp_engine *engine, const struct scp_inode *inode);
int scp_send_utimes(struct scp_engine *engine, u64 ino, u64 generation);
int scp_send_fileattr(struct scp_engine *engine, const struct scp_inode *inode);

/* xattrs.c */
int scp_send_capability(struct scp_engine *engine);
int scp_step_xattr(struct scp_engine *engine);

/* utimes.c: directories' times, sent late since every change below sets them again. */
int scp_defer_utimes(struct scp_engine *engine, u64 ino, u64 generation);
/* What comes when the finish phases are over; nothing is sent. */
void scp_finished(struct scp_engine *engine);
int scp_step_trim(struct scp_engine *engine);
int scp_step_flush(struct scp_engine *engine);

/* finish.c: what an inode still owes when its items are over. */
int scp_finish_names(struct scp_engine *engine);
int scp_finish_hole(struct scp_engine *engine);
/* The current inode as it was in the parent; only for CHANGED ones. */
int scp_old_inode(struct scp_engine *engine, struct scp_inode *inode);
int scp_finish_inode(struct scp_engine *engine);
int scp_finish_moves(struct scp_engine *engine);
/* Is the event at state.key past the names of the current inode? */
bool scp_past_names(const struct scp_engine *engine);

/* extent.c: what becomes of an EXTENT_DATA item; clone_range.c and run.c: doing it. */
int scp_handle_extent(struct scp_engine *engine);
/* The extent at state.item, of an inode all of whose contents are new. */
int scp_send_extent(struct scp_engine *engine, enum scp_phase then);
/*
 * What @extent, at state.item, has from file offset @from on. Never cloned: looking for a source
 * would change which one is found for later extents, and so make them differ from the kernel's.
 */
void scp_write_extent_end(struct scp_engine *engine, const struct scp_extent *extent, u64 from,
			  enum scp_phase then);
/* The contents of an inode created by this send are zeros where nothing is written. */
bool scp_extent_is_implied(const struct scp_extent *extent);
/* tail.c: the end of a file that was shorter in the parent. */
int scp_finish_tail(struct scp_engine *engine);
int scp_step_run(struct scp_engine *engine);
/* Leaves engine->item_cursor on state.item. */
int scp_cursor_to_item(struct scp_engine *engine);

/* unchanged.c: 1: the parent has the same extent there. */
int scp_is_unchanged(struct scp_engine *engine, const struct scp_extent *extent);

/* hole.c: holes where the parent has data. */
int scp_step_hole(struct scp_engine *engine);
/* Begins a run for what lies between the last extent and @end, if the parent has data there. */
int scp_start_hole(struct scp_engine *engine, u64 end, enum scp_phase then);
/* End of the last extent of the current inode at or before @offset; 0 if there is none. */
int scp_extent_end_before(struct scp_engine *engine, u64 offset, u64 *end);

/* Says that a range has contents, instead of sending them. */
int scp_send_update_extent(struct scp_engine *engine, u64 offset, u64 size);
/* Decides the next part of a run that clones: queues a CLONE, or sets write_end. */
int scp_step_clone(struct scp_engine *engine, struct scp_run *run);

/* begin.c */
int scp_step_begin(struct scp_engine *engine);

/* revalidate.c: is the live subvolume still what was to be sent? */
/* Nanoseconds: reading superblocks takes disks away from what they are at. */
#define SCP_REVALIDATE_INTERVAL 1000000000ULL

enum scp_revalidate {
	/* The root items if that was a second ago; the filesystem itself in any case. */
	SCP_REVALIDATE_IF_DUE,
	SCP_REVALIDATE_NOW,
	/* After a commit: nothing that was changed before can be missed. */
	SCP_REVALIDATE_COMMITTED,
};

/* 0, -ESTALE and one of the three reasons, or what keeps it from being told. */
int scp_revalidate(struct scp_engine *engine, enum scp_revalidate how);
/* Did a call fail with @err for one of those three? */
bool scp_is_stale(const struct scp_engine *engine, int err);
/*
 * Reading a file failed with @err and volume->error: what to return instead, because the subvolume
 * was changed, or because it was not.
 */
int scp_explain_read(struct scp_engine *engine, int err);
/* How each call of the engine begins: not 0 if void bytes were made before. */
int scp_call_begin(struct scp_engine *engine);
/* How one that failed with @err (0: it did not) ends. Returns what it returns. */
int scp_call_failed(struct scp_engine *engine, int err);
/* The same where commands were passed over that are not delivered. */
int scp_call_lost(struct scp_engine *engine, int err);

/* stored.c */
/* Reads the extent of @stored to its place, and notes it. */
int scp_stored_read(struct scp_engine *engine, const struct scp_stored *stored);
/* After scp_revalidate(): what was read is read again as long as the subvolume was moved. */
int scp_stored_prove(struct scp_engine *engine);

/* window.c: steps with very many commands. */
/* Runs @step, in windows if it has many commands, because many names are to be processed. */
int scp_window_run(struct scp_engine *engine, int (*step)(struct scp_engine *engine));
void scp_window_delivered(struct scp_engine *engine);
/* The queue is empty: make the next commands of the step. 1: it was run again; 0: nothing to do. */
int scp_window_next(struct scp_engine *engine);
void scp_window_close(struct scp_engine *engine);

/* step.c */
int scp_step(struct scp_engine *engine);
/* The event, of the subvolume and of its parent; only where the result says there is an item. */
int scp_to_event(struct scp_engine *engine);
struct scp_cursor *scp_event_cursor(struct scp_engine *engine);
void scp_walk_off(struct scp_engine *engine);
void scp_position_save(const struct scp_state *state, struct scp_position *position);
void scp_position_restore(struct scp_state *state, const struct scp_position *position);

/* checkpoint.c; -ENOMEM or what reading the trees gives. */
int scp_checkpoint_encode(struct scp_engine *engine, u8 **blob, size_t *size);
int scp_checkpoint_decode(struct scp_engine *engine, const u8 *blob, size_t size);

/* Records @reason in engine->error; for failures that are not the volume's. */
int scp_engine_fail(struct scp_engine *engine, enum scp_reason reason, const char *detail);
/* Forgets what is queued, collected and cached; the state is to be replaced. */
void scp_engine_forget(struct scp_engine *engine);

#endif
