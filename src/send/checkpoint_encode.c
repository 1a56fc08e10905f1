// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Writing a checkpoint: pins, state, and what is queued.
 *
 * The parts have no marks between them: their order here is the order in which checkpoint_decode.c
 * takes them, and encoded_size() counts each to the byte. Adding a member means all three and a new
 * SENDCP_CHECKPOINT_FORMAT_VERSION.
 *
 * Members that follow from the trees are left out: generation, size and mode of the current inode,
 * and the names collected for it. The range under way and the backref cache do not follow from
 * them, since they depend on other subvolumes and on the order of earlier searches. Without these a
 * resumed stream could name another clone source than an uninterrupted one.
 */
#include "send/checkpoint.h"
#include "send/checkpoint_codec.h"
#include "send/engine_private.h"
#include "send/refs.h"
#include "send/revalidate.h"
#include "send/step.h"

/* A block of the final size; `at` moves through it. */
struct writer {
	u8 *at;
};

static void put(struct writer *out, const void *bytes, size_t size)
{
	if (size)
		memcpy(out->at, bytes, size);
	out->at += size;
}

static void put_le32(struct writer *out, u32 value)
{
	sendcp_put_le32(out->at, value);
	out->at += sizeof(value);
}

static void put_le64(struct writer *out, u64 value)
{
	sendcp_put_le64(out->at, value);
	out->at += sizeof(value);
}

static void put_header(struct writer *out, const struct sendcp_engine *engine, size_t size)
{
	struct sendcp_checkpoint_header header = {
		.magic = SENDCP_CHECKPOINT_MAGIC_BYTES,
		.version = cpu_to_le32(SENDCP_CHECKPOINT_FORMAT_VERSION),
		.size = cpu_to_le32(size),
		.compat_kernel = cpu_to_le32(SENDCP_COMPAT_KERNEL),
		.protocol = cpu_to_le32(engine->encoder.protocol),
		.flags = cpu_to_le32(engine->flags),
		.offset = cpu_to_le64(engine->state.offset),
		.skip = cpu_to_le32(engine->state.skip),
		.root_count = cpu_to_le32(engine->root_count),
		.subvolume = cpu_to_le64(engine->tree->id),
	};

	if (engine->parent)
		header.parent = cpu_to_le64(engine->parent->id);
	memcpy(header.fsid, engine->volume->fsid, sizeof(header.fsid));
	put(out, &header, sizeof(header));
}

static void put_pin(struct writer *out, const struct sendcp_root_info *info)
{
	put_le64(out, info->id);
	put(out, info->uuid, sizeof(info->uuid));
	put_le64(out, info->ctransid);
}

/* In the order of engine->roots: check_pins() compares them one by one. */
static void put_pins(struct writer *out, const struct sendcp_engine *engine)
{
	u32 i;

	for (i = 0; i < engine->root_count; i++)
		put_pin(out, &engine->roots[i].tree.info);
	if (engine->parent)
		put_pin(out, &engine->parent->info);
}

static void key_to_disk(const struct sendcp_key *key, struct sendcp_disk_key *disk)
{
	disk->objectid = cpu_to_le64(key->objectid);
	disk->type = key->type;
	disk->offset = cpu_to_le64(key->offset);
}

static u8 state_bits(const struct sendcp_state *state)
{
	return (state->at.left_end ? SENDCP_CHECKPOINT_LEFT_END : 0) |
	       (state->at.right_end ? SENDCP_CHECKPOINT_RIGHT_END : 0) |
	       (state->at.at_end ? SENDCP_CHECKPOINT_AT_END : 0) |
	       (state->new_gen ? SENDCP_CHECKPOINT_NEW_GEN : 0) |
	       (state->truncate ? SENDCP_CHECKPOINT_TRUNCATE : 0);
}

static void put_path(struct writer *out, const struct sendcp_path *path)
{
	u8 len[2];

	sendcp_put_le16(len, path->len);
	put(out, len, sizeof(len));
	put(out, path->bytes, path->len);
}

static void put_state(struct writer *out, const struct sendcp_state *state)
{
	struct sendcp_checkpoint_state disk = {
		.phase = state->phase,
		.result = state->at.result,
		.kind = state->kind,
		.bits = state_bits(state),
		.entry = cpu_to_le32(state->entry),
		.send_progress = cpu_to_le64(state->send_progress),
		.ino = cpu_to_le64(state->ino),
		.next_write_offset = cpu_to_le64(state->next_write_offset),
		.last_extent_end = cpu_to_le64(state->last_extent_end),
	};

	key_to_disk(&state->at.key, &disk.key);
	key_to_disk(&state->at.left_key, &disk.left_key);
	key_to_disk(&state->at.right_key, &disk.right_key);
	key_to_disk(&state->item, &disk.item);
	put(out, &disk, sizeof(disk));
}

static void put_id(struct writer *out, const struct sendcp_inode_id *id)
{
	put_le64(out, id->ino);
	put_le64(out, id->generation);
}

/* In the order of the set, which is part of what it says: see utimes.c. */
static void put_set(struct writer *out, const struct sendcp_inode_set *set)
{
	struct sendcp_inode_id id;
	u32 at = 0;

	put_le32(out, set->count);
	while (sendcp_inode_set_next(set, &at, &id))
		put_id(out, &id);
}

static void put_move(void *private, const struct sendcp_move *move)
{
	struct sendcp_checkpoint_move disk = {
		.ino = cpu_to_le64(move->dir.ino),
		.generation = cpu_to_le64(move->dir.generation),
		.blocked_on = cpu_to_le64(move->blocked_on),
		.removes_ino = cpu_to_le64(move->removes.ino),
		.removes_generation = cpu_to_le64(move->removes.generation),
		.bits = (move->orphanized ? SENDCP_CHECKPOINT_ORPHANIZED : 0) |
			(move->queued ? SENDCP_CHECKPOINT_QUEUED : 0),
		.touched_count = cpu_to_le32(move->touched.count),
	};
	u32 i;

	put(private, &disk, sizeof(disk));
	for (i = 0; i < move->touched.count; i++)
		put_id(private, &move->touched.ids[i]);
}

/* In an order from which sendcp_moves_add() makes the same chains: see sendcp_moves_each(). */
static void put_moves(struct writer *out, const struct sendcp_moves *moves)
{
	put_le32(out, moves->count);
	sendcp_moves_each(moves, put_move, out);
	put_set(out, &moves->pending_rmdirs);
}

static size_t set_size(const struct sendcp_inode_set *set)
{
	return sizeof(u32) + (size_t)set->count * 2 * sizeof(u64);
}

static void add_move_size(void *private, const struct sendcp_move *move)
{
	size_t *size = private;

	*size += sizeof(struct sendcp_checkpoint_move) +
		 (size_t)move->touched.count * 2 * sizeof(u64);
}

static size_t moves_size(const struct sendcp_moves *moves)
{
	size_t size = sizeof(u32) + set_size(&moves->pending_rmdirs);

	sendcp_moves_each(moves, add_move_size, &size);
	return size;
}

static void put_range(struct writer *out, const struct sendcp_data_range *range)
{
	struct sendcp_checkpoint_range disk = {
		.kind = range->kind,
		.then = range->then,
		.offset = cpu_to_le64(range->offset),
		.end = cpu_to_le64(range->end),
		.write_end = cpu_to_le64(range->write_end),
		.cloning = range->cloning,
		.clone_started = range->clone_started,
		.clone_root = cpu_to_le64(range->clone_root),
		.clone_ino = cpu_to_le64(range->clone_ino),
		.clone_offset = cpu_to_le64(range->clone_offset),
		.extent_offset = cpu_to_le64(range->extent_offset),
		.clone_next = cpu_to_le64(range->clone_next),
	};

	put(out, &disk, sizeof(disk));
}

static void put_backref_cache(struct writer *out, const u64 *leaves, u32 count)
{
	u32 i;

	put_le32(out, count);
	for (i = 0; i < count; i++)
		put_le64(out, leaves[i]);
}

/*
 * The first command may have been delivered in part and shortened since. Lengths are in host order
 * in the queue only.
 */
static void put_queue(struct writer *out, const struct sendcp_queue *queue)
{
	struct sendcp_checkpoint_payload payload = {
		.kind = queue->payload.kind,
		.length = cpu_to_le32(queue->payload.length),
		.offset = cpu_to_le64(queue->payload.offset),
	};
	size_t at = queue->head;
	u32 length;

	put_le32(out, queue->tail - queue->head);
	while (at < queue->tail) {
		memcpy(&length, queue->bytes + at, sizeof(length));
		put_le32(out, length);
		put(out, queue->bytes + at + sizeof(length), length);
		at += sizeof(length) + length;
	}
	put(out, &payload, sizeof(payload));
}

static size_t encoded_size(const struct sendcp_engine *engine, u32 cache_count)
{
	size_t size = sizeof(struct sendcp_checkpoint_header) +
		sizeof(struct sendcp_checkpoint_state);

	size += (engine->root_count + !!engine->parent) * sizeof(struct sendcp_checkpoint_pin);
	size += sizeof(u16) + engine->current_path.len;
	size += set_size(&engine->deferred.utimes);
	size += moves_size(&engine->deferred.moves);
	size += sizeof(struct sendcp_checkpoint_range);
	size += sizeof(u32) + cache_count * sizeof(u64);
	size += sizeof(u32) + (engine->encoder.queue.tail - engine->encoder.queue.head);
	return size + sizeof(struct sendcp_checkpoint_payload);
}

/*
 * A long step is under way: the checkpoint is its beginning, and how much of it is out. The step
 * runs from there when it is resumed, and what is out already is dropped by the encoder's filter.
 */
static int encode_base(struct sendcp_engine *engine, u8 **blob, size_t *size)
{
	const struct sendcp_replay *replay = &engine->replay;

	*size = replay->base_size;
	*blob = sendcp_alloc(*size);
	if (!*blob)
		return sendcp_send_fail(engine, SENDCP_ERR_NO_MEMORY);
	memcpy(*blob, replay->base, *size);
	sendcp_put_le64(*blob + offsetof(struct sendcp_checkpoint_header, offset),
			engine->state.offset);
	sendcp_put_le32(*blob + offsetof(struct sendcp_checkpoint_header, skip), replay->emitted);
	sendcp_checkpoint_sign(*blob, *size);
	return 0;
}

static int encode(struct sendcp_engine *engine, u8 **blob, size_t *size)
{
	u32 cache_count = sendcp_backref_cache_save(&engine->clones, engine->cache_scratch,
						    SENDCP_BACKREF_CACHE_LEAVES);
	struct writer out;

	*size = encoded_size(engine, cache_count);
	if (*size > SENDCP_CHECKPOINT_SIZE_MAX)
		return sendcp_send_fail(engine, SENDCP_ERR_CHECKPOINT_SIZE);
	*blob = sendcp_alloc(*size);
	if (!*blob)
		return sendcp_send_fail(engine, SENDCP_ERR_NO_MEMORY);
	out.at = *blob;
	put_header(&out, engine, *size);
	put_pins(&out, engine);
	put_state(&out, &engine->state);
	put_path(&out, &engine->current_path);
	put_set(&out, &engine->deferred.utimes);
	put_moves(&out, &engine->deferred.moves);
	put_range(&out, &engine->state.range);
	put_backref_cache(&out, engine->cache_scratch, cache_count);
	put_queue(&out, &engine->encoder.queue);
	sendcp_checkpoint_sign(*blob, *size);
	return 0;
}

/* Names that are collected but not processed are collected again. */
static int encode_from_names(struct sendcp_engine *engine, u8 **blob, size_t *size)
{
	struct sendcp_state now = engine->state;
	int err;

	if (engine->naming.collecting)
		sendcp_back_to_names(engine);
	err = encode(engine, blob, size);
	engine->state = now;
	return err;
}

/*
 * The base is made when the first checkpoint is asked for, since it may be large: the step is
 * undone, and begins again after that.
 */
static int make_base(struct sendcp_engine *engine)
{
	struct sendcp_replay *replay = &engine->replay;

	if (replay->paused || replay->ran)
		sendcp_undo_step(engine);
	return encode_from_names(engine, &replay->base, &replay->base_size);
}

int sendcp_checkpoint_encode(struct sendcp_engine *engine, u8 **blob, size_t *size)
{
	struct sendcp_replay *replay = &engine->replay;
	int err = sendcp_call_begin(engine);

	if (err)
		return err;
	if (!replay->active)
		return encode_from_names(engine, blob, size);
	if (!replay->base)
		err = make_base(engine);
	return err ? err : encode_base(engine, blob, size);
}
