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

#define KNOWN_FLAGS (SCP_SEND_NO_FILE_DATA | SCP_SEND_OMIT_HEADER | SCP_SEND_OMIT_END | \
		     SCP_SEND_COMPRESSED | SCP_SEND_WRITABLE_OK)
/* As many as the kernel's own interface takes. */
#define MAX_CLONE_SOURCES 209715u

int scp_send_fail(struct scp_engine *engine, enum scp_reason reason)
{
	const struct scp_state *state = &engine->state;
	u64 ino = state->kind == SCP_KIND_NONE ? 0 : state->ino;

	return scp_fail(engine->volume, reason, 0, &(struct scp_place){
		.root = engine->tree->id, .inode = ino, .offset = SCP_NOWHERE });
}

/* A command that cannot be encoded is a failure at the current inode. */
static int encoder_fail(void *owner, enum scp_reason reason)
{
	return scp_send_fail(owner, reason);
}

int scp_engine_fail(struct scp_engine *engine, enum scp_reason reason, const char *detail)
{
	return scp_fail_detail(engine->volume, reason, detail);
}

/* Everything here can be found out again from the trees and the state, which is why it may go. */
void scp_engine_forget(struct scp_engine *engine)
{
	scp_walk_off(engine);
	scp_refs_clear(engine);
	memset(engine->made_dirs, 0, sizeof(engine->made_dirs));
	memset(engine->rmdir_hints, 0, sizeof(engine->rmdir_hints));
	engine->stalled_moves = 0;
}

static int check_request(struct scp_volume *volume, const struct scp_request *request)
{
	if (request->protocol < SCP_PROTOCOL_MIN || request->protocol > SCP_PROTOCOL_MAX)
		return scp_fail_detail(volume, SCP_PROTOCOL, NULL);
	if (request->flags & ~KNOWN_FLAGS)
		return scp_fail_detail(volume, SCP_FLAGS, "unknown flag");
	if ((request->flags & SCP_SEND_COMPRESSED) && request->protocol < 2)
		return scp_fail_detail(volume, SCP_FLAGS, "compressed data needs protocol 2");
	if (request->clone_count > MAX_CLONE_SOURCES)
		return scp_fail_detail(volume, SCP_FLAGS, "too many clone sources");
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
static int list_roots(struct scp_engine *engine, const struct scp_request *request)
{
	u32 count = request->clone_count + 1;
	u64 *ids = scp_alloc(count * sizeof(*ids));
	u32 i;

	engine->roots = scp_zalloc(count * sizeof(*engine->roots));
	if (!ids || !engine->roots) {
		scp_free(ids);
		return scp_fail_detail(engine->volume, SCP_NO_MEMORY, NULL);
	}
	ids[0] = request->subvolume;
	if (request->clone_count)
		memcpy(&ids[1], request->clone_sources, request->clone_count * sizeof(*ids));
	scp_sort(ids, count, sizeof(*ids), compare_ids);
	for (i = 0; i < count; i++)
		if (!i || ids[i] != ids[i - 1])
			engine->roots[engine->root_count++].tree.id = ids[i];
	scp_free(ids);
	return 0;
}

/* Opens subvolume @id, which must not change while it is used. */
static int open_subvolume(struct scp_engine *engine, u64 id, bool writable_ok,
			  struct scp_tree *tree)
{
	enum scp_reason reason = SCP_NONE;
	int err = -ENOENT;

	if (scp_is_subvolume_id(id))
		err = scp_tree_open(engine->volume, id, true, tree);
	if (err == -ENOENT || (!err && (!tree->info.refs || (tree->info.flags & SCP_ROOT_DEAD))))
		reason = SCP_SUBVOLUME_MISSING;
	else if (!err && !writable_ok && !(tree->info.flags & SCP_ROOT_READONLY))
		reason = SCP_SUBVOLUME_WRITABLE;
	if (reason)
		return scp_fail(engine->volume, reason, 0, &(struct scp_place){ .root = id });
	return err;
}

/*
 * A stream names a clone source by its UUID. One that has none would be taken by the receiver for
 * the subvolume being received, if that has none either: nothing is cloned from it.
 */
static void drop_unnamed(struct scp_engine *engine)
{
	u32 count = engine->root_count;
	u32 i;

	engine->root_count = 0;
	for (i = 0; i < count; i++) {
		struct scp_clone_root *root = &engine->roots[i];

		if (!root->is_send_root && scp_uuid_is_zero(scp_sent_uuid(&root->tree.info)))
			continue;
		engine->roots[engine->root_count] = *root;
		if (root->is_send_root)
			engine->tree = &engine->roots[engine->root_count].tree;
		engine->root_count++;
	}
}

static int open_roots(struct scp_engine *engine, const struct scp_request *request)
{
	bool writable_ok = request->flags & SCP_SEND_WRITABLE_OK;
	struct scp_clone_root *root;
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
static int open_current(struct scp_engine *engine, const struct scp_request *request)
{
	int ret = scp_volume_refresh(engine->volume);

	if (ret < 0)
		return ret;
	engine->seen_at = scp_now();
	engine->seen_generation = engine->volume->generation;
	return open_roots(engine, request);
}

static int set_up(struct scp_engine *engine, const struct scp_request *request)
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
	scp_state_init(&engine->state);
	/* Reading ahead pays where everything is read; a comparison passes over most. */
	scp_compare_init(&engine->compare, engine->tree, engine->parent);
	engine->compare.left.cursor.readahead = !engine->parent;
	scp_cursor_init(&engine->item_cursor, engine->tree);
	scp_cursor_init(&engine->parent_cursor, engine->parent);
	err = scp_clone_search_init(&engine->clones, engine->volume, engine->roots,
				    engine->root_count);
	/* The kernel counts what it was given: naming the subvolume itself is naming a source. */
	engine->clones.alone = !request->clone_count;
	return err;
}

int scp_engine_open(struct scp_volume *volume, const struct scp_request *request,
		    struct scp_engine **out, struct scp_error *error)
{
	struct scp_engine *engine = scp_zalloc(sizeof(*engine));
	int err;

	*out = NULL;
	scp_error_clear(&volume->error);
	if (!engine) {
		err = scp_fail_detail(volume, SCP_NO_MEMORY, NULL);
		goto fail;
	}
	engine->volume = volume;
	err = set_up(engine, request);
	if (err)
		goto fail;
	*out = engine;
	return 0;
fail:
	if (error)
		*error = volume->error;
	scp_engine_close(engine);
	return err;
}

void scp_engine_close(struct scp_engine *engine)
{
	if (!engine)
		return;
	scp_walk_off(engine);
	scp_replay_close(engine);
	scp_ref_list_release(&engine->naming.new_refs);
	scp_ref_list_release(&engine->naming.deleted_refs);
	scp_inode_set_release(&engine->naming.check_dirs);
	scp_id_list_release(&engine->naming.orphanized);
	scp_queue_release(&engine->encoder.queue);
	scp_deferred_release(&engine->deferred);
	scp_clone_search_release(&engine->clones);
	scp_free(engine->encoded.list);
	scp_free(engine->roots);
	scp_free(engine);
}

int scp_engine_checkpoint(struct scp_engine *engine, void **blob, size_t *size)
{
	u8 *made = NULL;
	int err = scp_checkpoint_encode(engine, &made, size);

	*blob = err ? NULL : made;
	return err ? scp_call_failed(engine, err) : 0;
}

int scp_engine_rearm(struct scp_engine *engine, const void *blob, size_t size)
{
	int err = scp_checkpoint_decode(engine, blob, size);

	if (err) {
		engine->error = engine->volume->error;
		return err;
	}
	scp_replay_close(engine);
	/* If the subvolumes are not what they were, the next call finds that out again. */
	if (engine->lost)
		engine->seen_at -= scp_min(engine->seen_at, SCP_REVALIDATE_INTERVAL);
	engine->lost = 0;
	return 0;
}

u64 scp_engine_offset(const struct scp_engine *engine)
{
	return engine->state.offset;
}

const struct scp_error *scp_engine_error(const struct scp_engine *engine)
{
	return &engine->error;
}
