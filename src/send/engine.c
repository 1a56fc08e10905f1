// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The engine's life: opened for a request, re-armed from a checkpoint, closed.
 */
#include "send/checkpoint_codec.h"
#include "send/engine_private.h"
#include "send/refs.h"
#include "send/revalidate.h"
#include "send/step.h"
#include "send/replay.h"

#define KNOWN_FLAGS (SENDCP_SEND_NO_FILE_DATA | SENDCP_SEND_OMIT_HEADER | SENDCP_SEND_OMIT_END | \
		     SENDCP_SEND_COMPRESSED | SENDCP_SEND_WRITABLE_OK | SENDCP_SEND_DATA_ZERO | \
		     SENDCP_SEND_DATA_SKIP)
/* As many as the kernel's own interface takes. */
#define MAX_CLONE_SOURCES 209715u

int sendcp_send_fail(struct sendcp_engine *engine, enum sendcp_reason reason)
{
	const struct sendcp_state *state = &engine->state;
	u64 ino = state->kind == SENDCP_KIND_NONE ? 0 : state->ino;

	return sendcp_fail(engine->volume, reason, 0, &(struct sendcp_place){
		.root = engine->tree->id, .inode = ino, .offset = SENDCP_NOWHERE });
}

/* A command that cannot be encoded is a failure at the current inode. */
static int encoder_fail(void *owner, enum sendcp_reason reason)
{
	return sendcp_send_fail(owner, reason);
}

int sendcp_engine_fail(struct sendcp_engine *engine, enum sendcp_reason reason, const char *detail)
{
	return sendcp_fail_detail(engine->volume, reason, detail);
}

/* Everything here can be found out again from the trees and the state, which is why it may go. */
void sendcp_engine_forget(struct sendcp_engine *engine)
{
	sendcp_walk_off(engine);
	sendcp_refs_clear(engine);
	memset(engine->made_dirs, 0, sizeof(engine->made_dirs));
	engine->stalled_moves = 0;
}

static int check_request(struct sendcp_volume *volume, const struct sendcp_request *request)
{
	if (request->protocol < SENDCP_PROTOCOL_MIN || request->protocol > SENDCP_PROTOCOL_MAX)
		return sendcp_fail_detail(volume, SENDCP_ERR_PROTOCOL, NULL);
	if (request->flags & ~KNOWN_FLAGS)
		return sendcp_fail_detail(volume, SENDCP_ERR_FLAGS, "unknown flag");
	if ((request->flags & SENDCP_SEND_COMPRESSED) && request->protocol < 2)
		return sendcp_fail_detail(volume, SENDCP_ERR_FLAGS,
					  "compressed data needs protocol 2");
	if ((request->flags & SENDCP_SEND_DATA_ZERO) && (request->flags & SENDCP_SEND_DATA_SKIP))
		return sendcp_fail_detail(volume, SENDCP_ERR_FLAGS,
					  "damaged data are sent as zeros or not at all");
	if (request->clone_count > MAX_CLONE_SOURCES)
		return sendcp_fail_detail(volume, SENDCP_ERR_FLAGS, "too many clone sources");
	return 0;
}

static int compare_ids(const void *a, const void *b)
{
	u64 x = *(const u64 *)a;
	u64 y = *(const u64 *)b;

	return x < y ? -1 : x > y;
}

/*
 * The subvolume and its clone sources, by ascending id, each once: the clone search looks them up
 * by halving, prefers the lowest id among equal sources, and checkpoints pin them in this order.
 */
static int list_roots(struct sendcp_engine *engine, const struct sendcp_request *request)
{
	u32 count = request->clone_count + 1;
	u64 *ids = sendcp_alloc(count * sizeof(*ids));
	u32 i;

	engine->roots = sendcp_zalloc(count * sizeof(*engine->roots));
	if (!ids || !engine->roots) {
		sendcp_free(ids);
		return sendcp_fail_detail(engine->volume, SENDCP_ERR_NO_MEMORY, NULL);
	}
	ids[0] = request->subvolume;
	if (request->clone_count)
		memcpy(&ids[1], request->clone_sources, request->clone_count * sizeof(*ids));
	sendcp_sort(ids, count, sizeof(*ids), compare_ids);
	for (i = 0; i < count; i++)
		if (!i || ids[i] != ids[i - 1])
			engine->roots[engine->root_count++].tree.id = ids[i];
	sendcp_free(ids);
	return 0;
}

/* Opens subvolume @id, which must not change while it is used. */
static int open_subvolume(struct sendcp_engine *engine, u64 id, bool writable_ok,
			  struct sendcp_tree *tree)
{
	enum sendcp_reason reason = SENDCP_ERR_NONE;
	int err = -ENOENT;

	if (sendcp_is_subvolume_id(id))
		err = sendcp_tree_open(engine->volume, id, true, tree);
	if (err == -ENOENT || (!err && (!tree->info.refs || (tree->info.flags & SENDCP_ROOT_DEAD))))
		reason = SENDCP_ERR_SUBVOLUME_MISSING;
	else if (!err && !writable_ok && !(tree->info.flags & SENDCP_ROOT_READONLY))
		reason = SENDCP_ERR_SUBVOLUME_WRITABLE;
	if (reason)
		return sendcp_fail(engine->volume, reason, 0, &(struct sendcp_place){ .root = id });
	return err;
}

/*
 * A stream names a clone source by its UUID. One that has none would be taken by the receiver for
 * the subvolume being received, if that has none either: nothing is cloned from it.
 */
static void drop_unnamed(struct sendcp_engine *engine)
{
	u32 count = engine->root_count;
	u32 i;

	engine->root_count = 0;
	for (i = 0; i < count; i++) {
		struct sendcp_clone_root *root = &engine->roots[i];

		if (!root->is_send_root && sendcp_uuid_is_zero(sendcp_sent_uuid(&root->tree.info)))
			continue;
		engine->roots[engine->root_count] = *root;
		if (root->is_send_root)
			engine->tree = &engine->roots[engine->root_count].tree;
		engine->root_count++;
	}
}

static int open_roots(struct sendcp_engine *engine, const struct sendcp_request *request)
{
	bool writable_ok = request->flags & SENDCP_SEND_WRITABLE_OK;
	struct sendcp_clone_root *root;
	u32 i;
	int err;

	err = list_roots(engine, request);
	if (err)
		return err;
	for (i = 0; i < engine->root_count; i++) {
		root = &engine->roots[i];
		err = open_subvolume(engine, root->tree.id, writable_ok, &root->tree);
		if (err)
			return err;
		if (root->tree.id != request->subvolume)
			continue;
		root->is_send_root = true;
		engine->tree = &root->tree;
	}
	drop_unnamed(engine);
	if (!request->parent)
		return 0;
	engine->parent = &engine->parent_tree;
	return open_subvolume(engine, request->parent, writable_ok, engine->parent);
}

/* Root items are looked up as they are now: the volume may have been opened long ago. */
static int open_current(struct sendcp_engine *engine, const struct sendcp_request *request)
{
	int ret = sendcp_volume_refresh(engine->volume);

	if (ret < 0)
		return ret;
	engine->seen_at = sendcp_now();
	engine->seen_generation = engine->volume->generation;
	return open_roots(engine, request);
}

static int set_up(struct sendcp_engine *engine, const struct sendcp_request *request)
{
	int err = check_request(engine->volume, request);

	if (!err)
		err = open_current(engine, request);
	if (err)
		return err;
	engine->encoder.protocol = request->protocol;
	engine->encoder.fail = encoder_fail;
	engine->encoder.owner = engine;
	engine->flags = request->flags;
	sendcp_state_init(&engine->state);
	/* Reading ahead pays where everything is read; a comparison passes over most. */
	sendcp_compare_init(&engine->compare, engine->tree, engine->parent);
	engine->compare.left.cursor.readahead = !engine->parent;
	sendcp_cursor_init(&engine->item_cursor, engine->tree);
	sendcp_cursor_init(&engine->parent_cursor, engine->parent);
	err = sendcp_clone_search_init(&engine->clones, engine->volume, engine->roots,
				       engine->root_count);
	/* The kernel counts what it was given: naming the subvolume itself is naming a source. */
	engine->clones.alone = !request->clone_count;
	return err;
}

int sendcp_engine_open(struct sendcp_volume *volume, const struct sendcp_request *request,
		       struct sendcp_engine **out, struct sendcp_error *error)
{
	struct sendcp_engine *engine = sendcp_zalloc(sizeof(*engine));
	int err;

	*out = NULL;
	sendcp_error_clear(&volume->error);
	if (!engine) {
		err = sendcp_fail_detail(volume, SENDCP_ERR_NO_MEMORY, NULL);
		goto fail;
	}
	engine->volume = volume;
	sendcp_error_clear(&engine->error);
	err = set_up(engine, request);
	if (err)
		goto fail;
	*out = engine;
	return 0;
fail:
	if (error)
		*error = volume->error;
	sendcp_engine_close(engine);
	return err;
}

void sendcp_engine_close(struct sendcp_engine *engine)
{
	if (!engine)
		return;
	sendcp_walk_off(engine);
	sendcp_replay_close(engine);
	sendcp_ref_list_release(&engine->naming.new_refs);
	sendcp_ref_list_release(&engine->naming.deleted_refs);
	sendcp_inode_set_release(&engine->naming.check_dirs);
	sendcp_inode_set_release(&engine->naming.orphanized);
	sendcp_queue_release(&engine->encoder.queue);
	sendcp_deferred_release(&engine->deferred);
	sendcp_clone_search_release(&engine->clones);
	sendcp_free(engine->encoded.list);
	sendcp_free(engine->roots);
	sendcp_free(engine);
}

int sendcp_engine_checkpoint(struct sendcp_engine *engine, void **blob, size_t *size)
{
	u8 *made = NULL;
	int err = sendcp_checkpoint_encode(engine, &made, size);

	*blob = err ? NULL : made;
	return err ? sendcp_call_failed(engine, err) : 0;
}

int sendcp_engine_rearm(struct sendcp_engine *engine, const void *blob, size_t size)
{
	int err = sendcp_checkpoint_decode(engine, blob, size);

	if (err) {
		engine->error = engine->volume->error;
		return err;
	}
	sendcp_replay_close(engine);
	/* If the subvolumes are not what they were, the next call finds that out again. */
	if (engine->lost)
		engine->seen_at -= sendcp_min(engine->seen_at, SENDCP_REVALIDATE_INTERVAL);
	engine->lost = 0;
	return 0;
}

u64 sendcp_engine_offset(const struct sendcp_engine *engine)
{
	return engine->state.offset;
}

const struct sendcp_error *sendcp_engine_error(const struct sendcp_engine *engine)
{
	return &engine->error;
}
