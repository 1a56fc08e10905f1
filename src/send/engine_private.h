/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The engine's inside: what the files of send/ share.
 */
#ifndef SCP_SEND_ENGINE_PRIVATE_H
#define SCP_SEND_ENGINE_PRIVATE_H

#include <sendcp/engine.h>
#include "clone/clone.h"
#include "send/queue.h"
#include "send/state.h"

/* The kernel release whose decisions are reproduced; stored in checkpoints. */
#define SCP_BEHAVIOUR 618u
/* Names that are processed without opening a window, and the commands one window holds. */
#define SCP_REFS_QUEUED 8u
#define SCP_WINDOW_COMMANDS 1024u
/* Times that file data is looked for again when it moves while it is read. */
#define SCP_MOVE_RETRIES 16
/* Deferred utimes kept from one finish step to the next. */
#define SCP_UTIMES_KEPT 64u
/* Directories remembered as already created. */
#define SCP_MADE_DIRS 64u

/* A name of the current inode, collected but not processed yet. */
struct scp_new_ref {
	u64 dir;
	u64 dir_generation;
	/* In scp_ref_list.names. */
	u32 name;
	u16 name_len;
};

struct scp_ref_list {
	struct scp_new_ref *refs;
	u32 count;
	u32 room;
	/* The names' bytes, one behind the other. */
	u8 *names;
	u32 names_used;
	u32 names_room;
};

/* A finish step too long to queue: see window.c. */
struct scp_window {
	/* Checkpoint from before the names were collected; NULL: no window is open. */
	u8 *origin;
	size_t origin_size;
	/* Commands of the step that were delivered. */
	u32 delivered;
	/* Commands the step has made so far, the dropped ones included. */
	u32 made;
	/* Commands before this one are dropped: they were delivered earlier. */
	u32 from;
	/* The step is being run, and its commands are counted. */
	bool counting;
	/* The step was run to its end. */
	bool ran;
	/* The step made more commands than fit; it will be run again. */
	bool more;
};

struct scp_engine {
	struct scp_volume *volume;
	struct scp_error error;
	/* The request. */
	u32 protocol;
	u32 flags;
	/* The subvolume; the clone roots, this one among them, sorted by id. */
	struct scp_tree *tree;
	struct scp_clone_root *roots;
	u32 root_count;
	struct scp_clone_search clones;

	struct scp_state state;
	struct scp_queue queue;
	struct scp_window window;
	/* State before the step under way, to go back to if it fails. */
	struct scp_state undo;

	/* Names of the current inode; no command is out between the first one and their processing. */
	struct scp_ref_list refs;
	/* The item with the first of them. */
	struct scp_key refs_from;

	/* The directories of these names; only while they are processed. */
	struct scp_id_list touched;

	/* Walks the subvolume's items; off the item when cursor_on is false. */
	struct scp_cursor cursor;
	bool cursor_on;

	/* Caches. */
	u64 made_dirs[SCP_MADE_DIRS];
	u32 made_next;

	/* Bytes of the command being encoded, behind the queue's tail; its first failure. */
	size_t command_length;
	int command_error;
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
	return engine->protocol == 1 ? SCP_CHUNK_V1 : SCP_CHUNK_V2;
}

/* Fails with @reason at the current inode; see scp_fail(). */
int scp_send_fail(struct scp_engine *engine, enum scp_reason reason);

/* How the stream names a subvolume: by where it was received from, if it was. */
static inline const u8 *scp_sent_uuid(const struct scp_root_info *info)
{
	static const u8 zero[SCP_UUID_SIZE];

	return memcmp(info->received_uuid, zero, sizeof(zero)) ? info->received_uuid : info->uuid;
}

/* command.c: one command, attribute by attribute; failures are kept until scp_command_end(). */
void scp_command_begin(struct scp_engine *engine, enum scp_command command);
void scp_put_bytes(struct scp_engine *engine, enum scp_attribute attribute, const void *bytes,
		   size_t length);
void scp_put_u64(struct scp_engine *engine, enum scp_attribute attribute, u64 value);
void scp_put_u32(struct scp_engine *engine, enum scp_attribute attribute, u32 value);
void scp_put_time(struct scp_engine *engine, enum scp_attribute attribute,
		  const struct scp_time *time);
void scp_put_path(struct scp_engine *engine, enum scp_attribute attribute,
		  const struct scp_path *path);
int scp_command_end(struct scp_engine *engine);
/* Ends the command with the attribute DATA, whose contents are read when it is delivered. */
int scp_command_end_payload(struct scp_engine *engine, const struct scp_payload *payload);
/* Ends the command with the attribute DATA and these bytes. */
int scp_command_end_data(struct scp_engine *engine, const void *bytes, u32 length);
/* The stream header, queued as if it were a command. */
int scp_queue_stream_header(struct scp_engine *engine);
/* Length fields and CRC of a complete command of @length bytes (header included). */
void scp_command_seal(u8 *command, u32 length);

/* path.c */
void scp_path_clear(struct scp_path *path);
bool scp_path_equal(const struct scp_path *a, const struct scp_path *b);
void scp_path_copy(struct scp_path *to, const struct scp_path *from);
/* @path += "/" name (just the name under the root). -ENAMETOOLONG. */
int scp_path_append(struct scp_engine *engine, struct scp_path *path, const u8 *name, u16 len);
/* The name an inode has before it has one: see docs/architecture.md. */
int scp_orphan_name(struct scp_engine *engine, u64 ino, u64 generation, struct scp_path *path);
/* Where (ino, generation) is at the receiver now. */
int scp_path_of(struct scp_engine *engine, u64 ino, u64 generation, struct scp_path *path);
/* The same for the current inode, remembered in state.path. */
int scp_current_path(struct scp_engine *engine, struct scp_path *path);
/* Path of an inode in another tree, as it is there. */
int scp_path_in_tree(struct scp_engine *engine, struct scp_tree *tree, u64 ino,
		     struct scp_path *path);

/* inode.c: opening inodes and creating them at the receiver. */
int scp_open_inode(struct scp_engine *engine);
int scp_create_inode(struct scp_engine *engine, const struct scp_inode *inode);
/* MKDIR for a directory whose turn has not come, unless that was done. */
int scp_create_dir_early(struct scp_engine *engine, u64 dir, u64 generation);

/* refs.c: the names of the current inode. */
int scp_collect_refs(struct scp_engine *engine);
int scp_process_refs(struct scp_engine *engine);
void scp_refs_clear(struct scp_engine *engine);
void scp_refs_release(struct scp_engine *engine);

/* attributes.c: chown, chmod, times, xattrs. */
int scp_send_truncate(struct scp_engine *engine, u64 size);
int scp_send_chown(struct scp_engine *engine, const struct scp_inode *inode);
int scp_send_chmod(struct scp_engine *engine, const struct scp_inode *inode);
int scp_send_utimes(struct scp_engine *engine, u64 ino, u64 generation);
int scp_send_capability(struct scp_engine *engine);
int scp_step_xattr(struct scp_engine *engine);

/* utimes.c: directories' times, sent late since every change below sets them again. */
int scp_defer_utimes(struct scp_engine *engine, u64 ino, u64 generation);
int scp_trim_utimes(struct scp_engine *engine);
int scp_step_flush(struct scp_engine *engine);

/* finish.c: what an inode still owes when its items are over. */
int scp_finish(struct scp_engine *engine, bool at_end);
/* Have all names of the current inode been seen, now that the event at state.key is next? */
bool scp_names_are_due(const struct scp_engine *engine, bool at_end);

/* extent.c: what becomes of an EXTENT_DATA item; clone_range.c and run.c: doing it. */
int scp_handle_extent(struct scp_engine *engine);
int scp_step_run(struct scp_engine *engine);
/* Says that a range has contents, instead of sending them. */
int scp_send_update_extent(struct scp_engine *engine, u64 offset, u64 size);
/* Decides the next part of a run that clones: queues a CLONE, or sets write_end. */
int scp_step_clone(struct scp_engine *engine, struct scp_run *run);

/* begin.c */
int scp_step_begin(struct scp_engine *engine);

/* window.c: finish steps with very many commands. */
bool scp_window_needed(const struct scp_engine *engine, bool at_end);
int scp_window_open(struct scp_engine *engine);
/* Is the command just encoded to be queued? */
bool scp_window_takes(struct scp_engine *engine);
void scp_window_counting(struct scp_engine *engine, bool on);
void scp_window_delivered(struct scp_engine *engine);
/* The queue is empty: make the next commands of the step. 1: it was run again; 0: nothing to do. */
int scp_window_next(struct scp_engine *engine);
void scp_window_close(struct scp_engine *engine);

/* step.c */
int scp_step(struct scp_engine *engine);
/* Puts the cursor on the item at state.key. */
int scp_cursor_to_key(struct scp_engine *engine);
void scp_cursor_off(struct scp_engine *engine);

/* checkpoint.c; -ENOMEM or what reading the trees gives. */
int scp_checkpoint_encode(struct scp_engine *engine, u8 **blob, size_t *size);
int scp_checkpoint_decode(struct scp_engine *engine, const u8 *blob, size_t size);

/* Records @reason in engine->error; for failures that are not the volume's. */
int scp_engine_fail(struct scp_engine *engine, enum scp_reason reason, const char *detail);
/* Forgets what is queued, collected and cached; the state is to be replaced. */
void scp_engine_forget(struct scp_engine *engine);

#endif
