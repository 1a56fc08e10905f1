// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Stored (compressed) extents: read from the devices as they are.
 *
 * Data has no generation: a freed extent may be overwritten while it is read, and not all of it has
 * a checksum. Bytes read past the filesystem count only if the subvolume's root is seen unmoved
 * after the read. To look at superblocks for each extent would cost more than reading it, so a fill
 * notes the extents it read, and proves them all before anything is delivered.
 */
#include "data/data.h"
#include "send/engine_private.h"
#include "send/revalidate.h"
#include "send/encoded.h"

/* Times that file data is looked for again when it moves while it is read. */
#define SENDCP_MOVE_RETRIES 16

static int find(struct sendcp_engine *engine, const struct sendcp_encoded *encoded,
		struct sendcp_extent *extent)
{
	struct sendcp_cursor cursor;
	int err;

	sendcp_cursor_init(&cursor, engine->tree);
	err = sendcp_extent_get(&cursor, encoded->ino, encoded->offset, extent);
	if (err == -ENOENT || (!err && extent->disk_num_bytes != encoded->length))
		err = sendcp_send_fail(engine, SENDCP_ERR_CHECKPOINT_POSITION);
	sendcp_cursor_release(&cursor);
	return err;
}

/* A read that failed is explained if the extent was moved meanwhile: then again. */
static int read_moving(struct sendcp_engine *engine, const struct sendcp_encoded *encoded)
{
	struct sendcp_extent extent;
	struct sendcp_error why;
	int tries, err, moved;

	for (tries = 0; tries < SENDCP_MOVE_RETRIES; tries++) {
		err = find(engine, encoded, &extent);
		if (err)
			return err;
		err = sendcp_volume_read_data(engine->volume, extent.disk_bytenr, encoded->length,
					      encoded->to + encoded->head);
		if (!err || sendcp_is_final(err))
			return err;
		why = engine->volume->error;
		moved = sendcp_tree_revalidate(engine->tree);
		if (moved < 0)
			return moved;
		engine->volume->error = why;
		if (!moved)
			return err;
		engine->encoded.moved = true;
	}
	return sendcp_send_fail(engine, SENDCP_ERR_MOVED_TOO_OFTEN);
}

static int reserve(struct sendcp_engine *engine)
{
	struct sendcp_encoded_list *list = &engine->encoded;
	u32 capacity = list->capacity ? 2 * list->capacity : 64;
	struct sendcp_encoded *grown;

	if (list->count < list->capacity)
		return 0;
	grown = sendcp_realloc(list->list, list->capacity * sizeof(*grown),
			       capacity * sizeof(*grown));
	if (!grown)
		return sendcp_send_fail(engine, SENDCP_ERR_NO_MEMORY);
	list->list = grown;
	list->capacity = capacity;
	return 0;
}

int sendcp_encoded_read(struct sendcp_engine *engine, const struct sendcp_encoded *encoded)
{
	int err = reserve(engine);

	if (!err)
		err = read_moving(engine, encoded);
	if (!err)
		engine->encoded.list[engine->encoded.count++] = *encoded;
	return err;
}

static int read_all_again(struct sendcp_engine *engine)
{
	const struct sendcp_encoded_list *list = &engine->encoded;
	u32 i;
	int err = 0;

	for (i = 0; !err && i < list->count; i++) {
		err = read_moving(engine, &list->list[i]);
		if (!err)
			sendcp_command_seal(list->list[i].to,
					    list->list[i].head + list->list[i].length);
	}
	return err;
}

int sendcp_encoded_prove(struct sendcp_engine *engine)
{
	int tries, err = 0;

	for (tries = 0; !err && engine->encoded.moved; tries++) {
		if (tries == SENDCP_MOVE_RETRIES)
			return sendcp_send_fail(engine, SENDCP_ERR_MOVED_TOO_OFTEN);
		engine->encoded.moved = false;
		err = read_all_again(engine);
		if (!err)
			err = sendcp_revalidate(engine, SENDCP_REVALIDATE_NOW);
	}
	return err;
}
