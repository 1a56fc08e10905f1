// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Reading a checkpoint: everything in it is checked before the engine takes any of it over.
 *
 * A checkpoint is advice, not authority: it may be old, of something else, or forged. Its pins are
 * compared with what is there, and nothing is believed that can be recomputed. The rest can at
 * worst make a wrong stream, never a wrong memory access, an endless stream, or one of another
 * subvolume.
 *
 * All of it is taken into struct sendcp_decoded first. adopt(), which cannot fail, is the only
 * place that changes the engine, so that a refused checkpoint leaves it where it was.
 */
#include "send/checkpoint.h"
#include "send/checkpoint_codec.h"
#include "send/checkpoint_decoded.h"
#include "send/engine_private.h"
#include "send/path.h"

struct reader {
	const u8 *at;
	size_t left;
	bool bad;
};

/*
 * NULL after the end, and bad from then on. Numbers taken then are zeros, which do no harm; so bad
 * is asked where a count or a loop depends on it, and once at the end.
 */
static const void *get_bytes(struct reader *in, size_t size)
{
	const u8 *at = in->at;

	if (size > in->left) {
		in->bad = true;
		return NULL;
	}
	in->at += size;
	in->left -= size;
	return at;
}

static u32 get_le32(struct reader *in)
{
	const void *at = get_bytes(in, sizeof(u32));

	return at ? sendcp_get_le32(at) : 0;
}

static u64 get_le64(struct reader *in)
{
	const void *at = get_bytes(in, sizeof(u64));

	return at ? sendcp_get_le64(at) : 0;
}

/* Is @info still what the pin says it was? */
static enum sendcp_reason compare_pin(const struct sendcp_checkpoint_pin *pin,
				      const struct sendcp_root_info *info)
{
	bool unnamed = sendcp_uuid_is_zero(pin->uuid);

	/* Very old subvolumes have no uuid; then the id must do. A kernel may give them one. */
	if (unnamed && le64_to_cpu(pin->id) != info->id)
		return SENDCP_ERR_SUBVOLUME_REPLACED;
	if (memcmp(pin->uuid, info->uuid, sizeof(pin->uuid)))
		return unnamed ? SENDCP_ERR_SUBVOLUME_CHANGED : SENDCP_ERR_SUBVOLUME_REPLACED;
	if (le64_to_cpu(pin->ctransid) != info->ctransid)
		return SENDCP_ERR_SUBVOLUME_CHANGED;
	return SENDCP_ERR_NONE;
}

static int check_pin(struct sendcp_engine *engine, struct reader *in,
		     const struct sendcp_root_info *info)
{
	const struct sendcp_checkpoint_pin *pin = get_bytes(in, sizeof(*pin));
	enum sendcp_reason reason;

	if (!pin)
		return sendcp_engine_fail(engine, SENDCP_ERR_CHECKPOINT_FORMAT, "cut short");
	reason = compare_pin(pin, info);
	if (!reason)
		return 0;
	return sendcp_fail(engine->volume, reason, 0, &(struct sendcp_place){ .root = info->id });
}

static int check_pins(struct sendcp_engine *engine, struct reader *in, u32 count)
{
	u32 i;
	int err = 0;

	if (count != engine->root_count)
		return sendcp_engine_fail(engine, SENDCP_ERR_CHECKPOINT_REQUEST,
					  "other clone sources");
	for (i = 0; i < count && !err; i++)
		err = check_pin(engine, in, &engine->roots[i].tree.info);
	if (!err && engine->parent)
		err = check_pin(engine, in, &engine->parent->info);
	return err;
}

static int check_header(struct sendcp_engine *engine, const struct sendcp_checkpoint_header *header)
{
	if (memcmp(header->fsid, engine->volume->fsid, sizeof(header->fsid)))
		return sendcp_engine_fail(engine, SENDCP_ERR_FILESYSTEM_OTHER, NULL);
	if (le32_to_cpu(header->protocol) != engine->encoder.protocol)
		return sendcp_engine_fail(engine, SENDCP_ERR_CHECKPOINT_REQUEST, "other protocol");
	if ((le32_to_cpu(header->flags) ^ engine->flags) & ~SENDCP_SEND_WRITABLE_OK)
		return sendcp_engine_fail(engine, SENDCP_ERR_CHECKPOINT_REQUEST, "other flags");
	if (le32_to_cpu(header->compat_kernel) != SENDCP_COMPAT_KERNEL)
		return sendcp_engine_fail(engine, SENDCP_ERR_CHECKPOINT_VERSION,
					  "other compat kernel");
	if (le64_to_cpu(header->subvolume) != engine->tree->id)
		return sendcp_engine_fail(engine, SENDCP_ERR_SUBVOLUME_REPLACED, NULL);
	if (le64_to_cpu(header->parent) != (engine->parent ? engine->parent->id : 0))
		return sendcp_engine_fail(engine, SENDCP_ERR_CHECKPOINT_REQUEST, "other parent");
	return 0;
}

static void get_path(struct reader *in, struct sendcp_path *path)
{
	const void *len = get_bytes(in, sizeof(u16));
	const void *bytes;

	if (!len || sendcp_get_le16(len) > SENDCP_PATH_MAX) {
		in->bad = true;
		return;
	}
	bytes = get_bytes(in, sendcp_get_le16(len));
	if (!bytes)
		return;
	path->len = sendcp_get_le16(len);
	memcpy(path->bytes, bytes, path->len);
}

static void get_bits(u8 bits, struct sendcp_state *state)
{
	state->at.left_end = bits & SENDCP_CHECKPOINT_LEFT_END;
	state->at.right_end = bits & SENDCP_CHECKPOINT_RIGHT_END;
	state->at.at_end = bits & SENDCP_CHECKPOINT_AT_END;
	state->new_gen = bits & SENDCP_CHECKPOINT_NEW_GEN;
	state->truncate = bits & SENDCP_CHECKPOINT_TRUNCATE;
}

/* Numbers of the enums are what switches go by: none gets in that has no name. */
static void get_state(struct reader *in, struct sendcp_state *state)
{
	const struct sendcp_checkpoint_state *disk = get_bytes(in, sizeof(*disk));

	if (!disk || disk->phase >= SENDCP_PHASE_COUNT || disk->kind >= SENDCP_KIND_COUNT ||
	    disk->result >= SENDCP_COMPARE_COUNT) {
		in->bad = true;
		return;
	}
	state->phase = disk->phase;
	state->at.result = disk->result;
	state->kind = disk->kind;
	get_bits(disk->bits, state);
	state->at.key = sendcp_key_from_disk(&disk->key);
	state->at.left_key = sendcp_key_from_disk(&disk->left_key);
	state->at.right_key = sendcp_key_from_disk(&disk->right_key);
	state->item = sendcp_key_from_disk(&disk->item);
	state->entry = le32_to_cpu(disk->entry);
	state->send_progress = le64_to_cpu(disk->send_progress);
	state->ino = le64_to_cpu(disk->ino);
	state->next_write_offset = le64_to_cpu(disk->next_write_offset);
	state->last_extent_end = le64_to_cpu(disk->last_extent_end);
}

static void get_id(struct reader *in, struct sendcp_inode_id *id)
{
	id->ino = get_le64(in);
	id->generation = get_le64(in);
}

/* A count can promise no more entries than there are bytes for. */
static u32 get_count(struct reader *in, size_t entry)
{
	u32 count = get_le32(in);

	if (count <= in->left / entry)
		return count;
	in->bad = true;
	return 0;
}

static int get_list(struct reader *in, u32 count, struct sendcp_id_list *list)
{
	if (count > in->left / (2 * sizeof(u64))) {
		in->bad = true;
		return 0;
	}
	if (sendcp_id_list_reserve(list, count))
		return -ENOMEM;
	while (list->count < count)
		get_id(in, &list->ids[list->count++]);
	return 0;
}

/* Ids taken between two checks whether to stop: forged ones may all have one hash. */
#define INTERRUPT_CHECK_EVERY 256u

static bool is_to_stop(const struct sendcp_engine *engine, u32 taken)
{
	const struct sendcp_host *host = engine->volume->host;

	return sendcp_is_aligned(taken + 1, INTERRUPT_CHECK_EVERY) &&
		host->ops->interrupted(host->private);
}

/*
 * An id that comes twice would be found once and removed once: the set and its count would differ.
 */
static int get_set(struct sendcp_engine *engine, struct reader *in, struct sendcp_inode_set *set)
{
	u32 count = get_count(in, 2 * sizeof(u64));
	struct sendcp_inode_id id;

	while (set->count < count && !in->bad) {
		if (is_to_stop(engine, set->count))
			return -EINTR;
		get_id(in, &id);
		if (sendcp_inode_set_has(set, id.ino, id.generation))
			in->bad = true;
		if (sendcp_inode_set_add(set, id.ino, id.generation))
			return -ENOMEM;
	}
	return 0;
}

/* Two moves of one directory are as impossible as half a move. */
static int get_move(struct reader *in, struct sendcp_moves *moves)
{
	const struct sendcp_checkpoint_move *disk = get_bytes(in, sizeof(*disk));
	struct sendcp_move move = { .queued = false };
	int err;

	if (!disk)
		return 0;
	move.dir.ino = le64_to_cpu(disk->ino);
	move.dir.generation = le64_to_cpu(disk->generation);
	move.blocked_on = le64_to_cpu(disk->blocked_on);
	move.removes.ino = le64_to_cpu(disk->removes_ino);
	move.removes.generation = le64_to_cpu(disk->removes_generation);
	move.orphanized = disk->bits & SENDCP_CHECKPOINT_ORPHANIZED;
	move.queued = disk->bits & SENDCP_CHECKPOINT_QUEUED;
	err = get_list(in, le32_to_cpu(disk->touched_count), &move.touched);
	if (!err)
		err = sendcp_moves_add(moves, &move);
	if (err)
		sendcp_id_list_release(&move.touched);
	if (err == -EEXIST)
		in->bad = true;
	return err == -ENOMEM ? err : 0;
}

static int get_moves(struct sendcp_engine *engine, struct reader *in, struct sendcp_moves *moves)
{
	u32 count = get_count(in, sizeof(struct sendcp_checkpoint_move));
	int err = 0;

	while (moves->count < count && !in->bad && !err) {
		err = is_to_stop(engine, moves->count) ? -EINTR : get_move(in, moves);
		/* Nothing of it will be undone, so notes of it would only take memory. */
		sendcp_moves_keep(moves);
	}
	if (!err && !in->bad)
		err = get_set(engine, in, &moves->pending_rmdirs);
	return err;
}

static void get_range(struct reader *in, struct sendcp_data_range *range)
{
	const struct sendcp_checkpoint_range *disk = get_bytes(in, sizeof(*disk));

	if (!disk || disk->kind >= SENDCP_RANGE_COUNT || disk->then >= SENDCP_PHASE_COUNT) {
		in->bad = true;
		return;
	}
	range->kind = disk->kind;
	range->then = disk->then;
	range->offset = le64_to_cpu(disk->offset);
	range->end = le64_to_cpu(disk->end);
	range->write_end = le64_to_cpu(disk->write_end);
	range->cloning = disk->cloning;
	range->clone_started = disk->clone_started;
	range->clone_root = le64_to_cpu(disk->clone_root);
	range->clone_ino = le64_to_cpu(disk->clone_ino);
	range->clone_offset = le64_to_cpu(disk->clone_offset);
	range->extent_offset = le64_to_cpu(disk->extent_offset);
	range->clone_next = le64_to_cpu(disk->clone_next);
	if (range->offset > range->end || range->write_end > range->end)
		in->bad = true;
}

static void get_backref_cache(struct reader *in, struct sendcp_decoded *next)
{
	u32 count = get_le32(in);
	u32 i;

	if (count > SENDCP_BACKREF_CACHE_LEAVES) {
		in->bad = true;
		return;
	}
	for (i = 0; i < count; i++)
		next->backref_cache[i] = get_le64(in);
	next->cache_count = count;
}

/*
 * The shortest command with contents, without them: a WRITE to a file whose path has one byte. The
 * attribute DATA has no length in protocol 2.
 */
static u32 least_before_payload(u32 protocol)
{
	u32 path = SENDCP_ATTR_HEADER_SIZE + 1;
	u32 offset = SENDCP_ATTR_HEADER_SIZE + sizeof(u64);
	u32 data = protocol == 1 ? SENDCP_ATTR_HEADER_SIZE : SENDCP_ATTR_TYPE_SIZE;

	return SENDCP_COMMAND_HEADER_SIZE + path + offset + data;
}

/*
 * A queued command must at least be framed like one; its contents are as good as the checkpoint.
 * @payload bytes come after those that are known. Callers have buffers for the largest command of
 * the protocol and no more.
 */
static bool is_framed(const u8 *bytes, u32 length, u32 payload, u32 protocol)
{
	u32 least = payload ? least_before_payload(protocol) : SENDCP_COMMAND_HEADER_SIZE;

	if (length == SENDCP_STREAM_HEADER_SIZE &&
	    !memcmp(bytes, SENDCP_STREAM_MAGIC, SENDCP_STREAM_MAGIC_SIZE))
		return !payload;
	if (length < least || (u64)length + payload > sendcp_buffer_min(protocol))
		return false;
	return payload || sendcp_get_le32(bytes) == length - SENDCP_COMMAND_HEADER_SIZE;
}

static bool get_command(struct reader *in, struct sendcp_queue *queue, u32 payload, u32 protocol)
{
	u32 length = get_le32(in);
	const u8 *bytes = get_bytes(in, length);

	if (!bytes || !is_framed(bytes, length, payload, protocol)) {
		in->bad = true;
		return true;
	}
	return !sendcp_queue_push(queue, bytes, length);
}

static void get_payload(struct reader *in, struct sendcp_payload *payload)
{
	const struct sendcp_checkpoint_payload *disk = get_bytes(in, sizeof(*disk));

	if (!disk || disk->kind >= SENDCP_PAYLOAD_COUNT ||
	    le32_to_cpu(disk->length) > SENDCP_CHUNK_V2 ||
	    (disk->kind && !disk->length)) {
		in->bad = true;
		return;
	}
	payload->kind = disk->kind;
	payload->length = le32_to_cpu(disk->length);
	payload->offset = le64_to_cpu(disk->offset);
}

/* Contents belong to the last command, see queue.h, so it alone may be without them. */
static int get_queue(struct reader *in, struct sendcp_queue *queue, u32 protocol)
{
	u32 size = get_le32(in);
	struct reader commands = { .at = get_bytes(in, size), .left = size };
	u32 payload;
	bool last;

	if (in->bad)
		return 0;
	get_payload(in, &queue->payload);
	while (commands.left && !commands.bad && !in->bad) {
		last = commands.left >= sizeof(u32) &&
		       sendcp_get_le32(commands.at) + sizeof(u32) == commands.left;
		payload = last && queue->payload.kind ? queue->payload.length : 0;
		if (!get_command(&commands, queue, payload, protocol))
			return -ENOMEM;
	}
	if (commands.bad || (queue->payload.kind && sendcp_queue_empty(queue)))
		in->bad = true;
	return 0;
}

static int decode_body(struct sendcp_engine *engine, struct reader *in, struct sendcp_decoded *next)
{
	int err;

	get_state(in, &next->state);
	get_path(in, &next->path);
	err = get_set(engine, in, &next->deferred.utimes);
	if (!err && !in->bad)
		err = get_moves(engine, in, &next->deferred.moves);
	get_range(in, &next->state.range);
	get_backref_cache(in, next);
	if (!err && !in->bad)
		err = get_queue(in, &next->queue, engine->encoder.protocol);
	if (err)
		return sendcp_engine_fail(engine, err == -EINTR ? SENDCP_ERR_INTERRUPTED :
					  SENDCP_ERR_NO_MEMORY, NULL);
	if (in->bad || in->left)
		return sendcp_engine_fail(engine, SENDCP_ERR_CHECKPOINT_FORMAT,
					  "impossible contents");
	return sendcp_decoded_complete(engine, next);
}

static int decode(struct sendcp_engine *engine, const u8 *blob, size_t size,
		  struct sendcp_decoded *next)
{
	const struct sendcp_checkpoint_header *header = (const void *)blob;
	struct reader in = { .at = blob, .left = size };
	enum sendcp_reason reason;
	int err;

	if (sendcp_checkpoint_verify(blob, size, &reason))
		return sendcp_engine_fail(engine, reason, NULL);
	get_bytes(&in, sizeof(*header));
	err = check_header(engine, header);
	if (!err)
		err = check_pins(engine, &in, le32_to_cpu(header->root_count));
	if (err)
		return err;
	next->state.offset = le64_to_cpu(header->offset);
	next->state.skip = le32_to_cpu(header->skip);
	return decode_body(engine, &in, next);
}

static void adopt(struct sendcp_engine *engine, struct sendcp_decoded *next)
{
	sendcp_engine_forget(engine);
	sendcp_deferred_release(&engine->deferred);
	sendcp_queue_release(&engine->encoder.queue);
	engine->state = next->state;
	sendcp_path_copy(&engine->current_path, &next->path);
	engine->deferred = next->deferred;
	engine->encoder.queue = next->queue;
	memset(&next->deferred, 0, sizeof(next->deferred));
	memset(&next->queue, 0, sizeof(next->queue));
}

int sendcp_checkpoint_decode(struct sendcp_engine *engine, const u8 *blob, size_t size)
{
	struct sendcp_decoded *next = sendcp_zalloc(sizeof(*next));
	int err;

	if (!next)
		return sendcp_engine_fail(engine, SENDCP_ERR_NO_MEMORY, NULL);
	err = decode(engine, blob, size, next);
	if (!err && sendcp_backref_cache_load(&engine->clones, next->backref_cache,
					      next->cache_count))
		err = sendcp_engine_fail(engine, SENDCP_ERR_NO_MEMORY, NULL);
	if (!err)
		adopt(engine, next);
	sendcp_deferred_release(&next->deferred);
	sendcp_queue_release(&next->queue);
	sendcp_free(next);
	return err;
}
