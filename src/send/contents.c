// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Reading contents of the current inode, and finding out what of them is damaged.
 *
 * The smallest part that is damaged is a sector, or a whole compressed extent. So what is found
 * does not depend on where a read begins: resuming anywhere finds the same.
 */
#include "data/data.h"
#include "send/contents.h"
#include "send/revalidate.h"

/* Times that an extent is looked for again when it moves while it is read. */
#define MOVE_RETRIES 16

int sendcp_contents_read(struct sendcp_engine *engine, u64 offset, u32 length, u8 *to)
{
	const struct sendcp_host *host = engine->volume->host;
	/* The generation makes a host refuse another inode that has got the number since. */
	struct sendcp_file_range range = {
		.root = engine->tree->id,
		.inode = engine->state.ino,
		.generation = engine->state.generation,
		.offset = offset,
		.length = length,
	};

	return host->ops->read_file(host->private, &range, to, &engine->volume->error);
}

/* Errnos of a device that answers and cannot read the sector; all others: it is gone. */
static bool is_medium(int err)
{
	return err == -EIO || err == -ENODATA || err == -EILSEQ;
}

static bool shows_damage(const struct sendcp_error *why)
{
	return why->reason == SENDCP_ERR_DATA_CSUM || why->reason == SENDCP_ERR_DATA_DECOMPRESS ||
	       (why->reason == SENDCP_ERR_DATA_READ && is_medium(why->err));
}

bool sendcp_is_replaced(const struct sendcp_engine *engine)
{
	return sendcp_replaces_damage(engine) && !engine->volume->devices_changed &&
	       shows_damage(&engine->volume->error);
}

/* @cursor on the extent that has the contents at @offset: 1, or 0 if they are stored nowhere. */
static int find_extent(struct sendcp_engine *engine, struct sendcp_cursor *cursor, u64 offset,
		       struct sendcp_extent *extent)
{
	int err = sendcp_extent_find(cursor, engine->state.ino, offset, extent);

	if (err)
		return err == -ENOENT ? 0 : err;
	return sendcp_extent_end(extent, engine->volume->sectorsize) > offset &&
	       extent->type != SENDCP_EXTENT_PREALLOC && !sendcp_extent_is_hole(extent);
}

/* Does the stored form, @bytes, expand to what the extent says? As far as the host can tell. */
static int expand(struct sendcp_engine *engine, const struct sendcp_extent *extent, const u8 *bytes,
		  u32 size, u8 *plain)
{
	const struct sendcp_host *host = engine->volume->host;
	int err;

	if (!host->ops->decompress || extent->ram_bytes > SENDCP_COMPRESSED_MAX)
		return 0;
	err = host->ops->decompress(host->private, extent->compression, engine->volume->sectorsize,
				    bytes, size, plain, (u32)extent->ram_bytes);
	if (!err)
		return 0;
	return sendcp_send_fail(engine, err == -ENOMEM ? SENDCP_ERR_NO_MEMORY :
						       SENDCP_ERR_DATA_DECOMPRESS);
}

/* All of a compressed extent. @scratch: twice the largest one. */
static int look_compressed(struct sendcp_engine *engine, const struct sendcp_extent *extent,
			   u8 *scratch)
{
	u32 size = (u32)extent->disk_num_bytes;
	int err;

	if (extent->type == SENDCP_EXTENT_INLINE)
		return expand(engine, extent, extent->inline_data, extent->inline_size, scratch);
	if (extent->disk_num_bytes > SENDCP_COMPRESSED_MAX)
		return sendcp_send_fail(engine, SENDCP_ERR_INCONSISTENT);
	err = sendcp_volume_read_data(engine->volume, extent->disk_bytenr, size, scratch);
	return err ? err : expand(engine, extent, scratch, size, scratch + SENDCP_COMPRESSED_MAX);
}

/* Reads the sector at @offset, or all of a compressed extent, past the filesystem. */
static int look(struct sendcp_engine *engine, u64 offset, u8 *scratch)
{
	u32 sectorsize = engine->volume->sectorsize;
	struct sendcp_cursor cursor;
	struct sendcp_extent extent;
	u64 into;
	int ret;

	sendcp_cursor_init(&cursor, engine->tree);
	ret = find_extent(engine, &cursor, offset, &extent);
	if (ret > 0 && extent.compression) {
		ret = look_compressed(engine, &extent, scratch);
	} else if (ret > 0) {
		ret = 0;
		into = sendcp_round_down(offset, sectorsize) - extent.file_offset;
		if (extent.type != SENDCP_EXTENT_INLINE)
			ret = sendcp_volume_read_data(engine->volume, extent.disk_bytenr +
						      extent.extent_offset + into, sectorsize,
						      scratch);
	}
	sendcp_cursor_release(&cursor);
	return ret;
}

/* Looks until the extent did not move meanwhile: freed addresses are used for something else. */
static int look_still(struct sendcp_engine *engine, u64 offset, u8 *scratch)
{
	struct sendcp_error why;
	int tries, moved, err;

	for (tries = 0; tries < MOVE_RETRIES; tries++) {
		err = look(engine, offset, scratch);
		if (sendcp_is_final(err))
			return err;
		why = engine->volume->error;
		moved = sendcp_tree_revalidate(engine->tree);
		if (moved < 0)
			return moved;
		engine->volume->error = why;
		if (!moved)
			return err;
	}
	return sendcp_send_fail(engine, SENDCP_ERR_MOVED_TOO_OFTEN);
}

/*
 * A mounted filesystem says EIO of damage, of a device that is gone, and of damaged metadata. So
 * what it cannot read is read past it, checksums verified. 0: that finds nothing wrong.
 */
static int confirm(struct sendcp_engine *engine, u64 offset)
{
	struct sendcp_volume *volume = engine->volume;
	struct sendcp_error said = volume->error;
	u8 *scratch = sendcp_alloc_aligned(2 * (size_t)SENDCP_COMPRESSED_MAX);
	int found;

	if (!scratch)
		return sendcp_send_fail(engine, SENDCP_ERR_NO_MEMORY);
	found = look_still(engine, offset, scratch);
	sendcp_free_aligned(scratch, 2 * (size_t)SENDCP_COMPRESSED_MAX);
	if (!found)
		volume->error = said;
	return found;
}

/* The end of what is damaged with @offset. */
static int find_end(struct sendcp_engine *engine, u64 offset, u64 *end)
{
	u32 sectorsize = engine->volume->sectorsize;
	struct sendcp_cursor cursor;
	struct sendcp_extent extent;
	int ret;

	sendcp_cursor_init(&cursor, engine->tree);
	ret = find_extent(engine, &cursor, offset, &extent);
	sendcp_cursor_release(&cursor);
	if (ret < 0)
		return ret;
	*end = sendcp_round_down(offset, sectorsize) + sectorsize;
	if (ret && extent.compression)
		*end = sendcp_extent_end(&extent, sectorsize);
	return 0;
}

/* A bad sector, or a device that is gone? Then the failure to read the sector stands. */
static int devices_answer(struct sendcp_engine *engine, int err)
{
	struct sendcp_error said = engine->volume->error;
	int ret = sendcp_volume_answers(engine->volume);

	if (!ret || sendcp_is_final(ret))
		return ret;
	engine->volume->error = said;
	return err;
}

/* 0: [@offset, + @length), within a sector, is at @to. 1: it is damaged, with all before *@end. */
static int probe(struct sendcp_engine *engine, u64 offset, u32 length, u8 *to, u64 *end)
{
	const struct sendcp_host *host = engine->volume->host;
	int err, found;

	if (host->ops->interrupted(host->private))
		return sendcp_send_fail(engine, SENDCP_ERR_INTERRUPTED);
	err = sendcp_contents_read(engine, offset, length, to);
	if (!err)
		return 0;
	if (host->mounted && engine->volume->error.reason == SENDCP_ERR_DATA_READ) {
		found = confirm(engine, offset);
		if (!found)
			return err;
		err = found;
	}
	if (!sendcp_is_replaced(engine))
		return err;
	if (engine->volume->error.reason == SENDCP_ERR_DATA_READ) {
		found = devices_answer(engine, err);
		if (found)
			return found;
	}
	err = find_end(engine, offset, end);
	return err ? err : 1;
}

int sendcp_contents_examine(struct sendcp_engine *engine, u64 offset, u32 length, u8 *to,
			    struct sendcp_examined *examined)
{
	u32 sectorsize = engine->volume->sectorsize;
	u64 end = offset + length;
	u64 at = offset;
	u64 next;
	int ret;

	examined->damaged = false;
	while (at < end) {
		next = sendcp_min(sendcp_round_down(at, sectorsize) + sectorsize, end);
		ret = probe(engine, at, (u32)(next - at), to + (at - offset), &next);
		if (ret < 0)
			return ret;
		if (at == offset)
			examined->damaged = ret;
		else if (ret != examined->damaged)
			break;
		at = sendcp_min(next, end);
	}
	examined->length = (u32)(at - offset);
	return 0;
}

/* 1: it can be read, 0: there is damage in it. */
static int is_readable(struct sendcp_engine *engine, u64 offset, u32 length, u8 *scratch)
{
	struct sendcp_examined examined;
	int err = sendcp_contents_read(engine, offset, length, scratch);

	if (!err)
		return 1;
	err = sendcp_explain_read(engine, err);
	if (!sendcp_is_replaced(engine))
		return err;
	err = sendcp_contents_examine(engine, offset, length, scratch, &examined);
	return err ? err : !examined.damaged && examined.length == length;
}

int sendcp_contents_are_readable(struct sendcp_engine *engine, u64 offset, u64 end)
{
	const struct sendcp_host *host = engine->volume->host;
	u8 *scratch = sendcp_alloc_aligned(SENDCP_CHUNK_V2);
	u32 length;
	int ret = 1;

	if (!scratch)
		return sendcp_send_fail(engine, SENDCP_ERR_NO_MEMORY);
	while (ret > 0 && offset < end) {
		length = (u32)sendcp_min(end - offset, SENDCP_CHUNK_V2);
		if (host->ops->interrupted(host->private))
			ret = sendcp_send_fail(engine, SENDCP_ERR_INTERRUPTED);
		else
			ret = is_readable(engine, offset, length, scratch);
		offset += length;
	}
	sendcp_free_aligned(scratch, SENDCP_CHUNK_V2);
	return ret;
}
