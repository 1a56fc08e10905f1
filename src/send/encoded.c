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
#define SCP_MOVE_RETRIES 16

static int find(struct scp_engine *engine, const struct scp_encoded *encoded,
		struct scp_extent *extent)
{
	struct scp_cursor cursor;
	int err;

	scp_cursor_init(&cursor, engine->tree);
	err = scp_extent_get(&cursor, encoded->ino, encoded->offset, extent);
	if (err == -ENOENT || (!err && extent->disk_num_bytes != encoded->length))
		err = scp_send_fail(engine, SCP_CHECKPOINT_POSITION);
	scp_cursor_release(&cursor);
	return err;
}

/* A read that failed is explained if the extent was moved meanwhile: then again. */
static int read_moving(struct scp_engine *engine, const struct scp_encoded *encoded)
{
	struct scp_extent extent;
	struct scp_error why;
	int tries, err, moved;

	for (tries = 0; tries < SCP_MOVE_RETRIES; tries++) {
		err = find(engine, encoded, &extent);
		if (err)
			return err;
		err = scp_data_read(engine->volume, extent.disk_bytenr, encoded->length,
				    encoded->to + encoded->head);
		if (!err || scp_is_final(err))
			return err;
		why = engine->volume->error;
		moved = scp_tree_revalidate(engine->tree);
		if (moved < 0)
			return moved;
		engine->volume->error = why;
		if (!moved)
			return err;
		engine->encoded.moved = true;
	}
	return scp_send_fail(engine, SCP_MOVED_TOO_OFTEN);
}

static int reserve(struct scp_engine *engine)
{
	struct scp_encoded_list *list = &engine->encoded;
	u32 capacity = list->capacity ? 2 * list->capacity : 64;
	struct scp_encoded *grown;

	if (list->count < list->capacity)
		return 0;
	grown = scp_realloc(list->list, list->capacity * sizeof(*grown), capacity * sizeof(*grown));
	if (!grown)
		return scp_send_fail(engine, SCP_NO_MEMORY);
	list->list = grown;
	list->capacity = capacity;
	return 0;
}

int scp_encoded_read(struct scp_engine *engine, const struct scp_encoded *encoded)
{
	int err = reserve(engine);

	if (!err)
		err = read_moving(engine, encoded);
	if (!err)
		engine->encoded.list[engine->encoded.count++] = *encoded;
	return err;
}

static int read_all_again(struct scp_engine *engine)
{
	const struct scp_encoded_list *list = &engine->encoded;
	u32 i;
	int err = 0;

	for (i = 0; !err && i < list->count; i++) {
		err = read_moving(engine, &list->list[i]);
		if (!err)
			scp_command_seal(list->list[i].to,
					 list->list[i].head + list->list[i].length);
	}
	return err;
}

int scp_encoded_prove(struct scp_engine *engine)
{
	int tries, err = 0;

	for (tries = 0; !err && engine->encoded.moved; tries++) {
		if (tries == SCP_MOVE_RETRIES)
			return scp_send_fail(engine, SCP_MOVED_TOO_OFTEN);
		engine->encoded.moved = false;
		err = read_all_again(engine);
		if (!err)
			err = scp_revalidate(engine, SCP_REVALIDATE_NOW);
	}
	return err;
}
