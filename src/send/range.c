// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Carrying out a range: the contents of one extent, or of a hole, one command a step.
 *
 * What was decided (clone source, ranges) is in state.range and so in the checkpoint, since it
 * depends on other subvolumes and may not come out the same a second time.
 *
 * Each step takes from the front: [offset, write_end) is to be written, the rest up to end is not
 * decided yet if the range clones. How much one command takes is bounded by the protocol, in native
 * send's sizes, as a receiver can see where one WRITE ends and the next begins.
 */
#include "send/attributes.h"
#include "send/engine_private.h"
#include "send/finish.h"
#include "send/path.h"
#include "send/range.h"

int sendcp_begin_at(struct sendcp_engine *engine, enum sendcp_command command, u64 offset)
{
	int err = sendcp_current_path(engine, &engine->path_a);

	if (err)
		return err;
	sendcp_command_begin(&engine->encoder, command);
	sendcp_put_path(&engine->encoder, SENDCP_A_PATH, &engine->path_a);
	sendcp_put_u64(&engine->encoder, SENDCP_A_FILE_OFFSET, offset);
	return 0;
}

int sendcp_send_update_extent(struct sendcp_engine *engine, u64 offset, u64 size)
{
	int err = sendcp_begin_at(engine, SENDCP_C_UPDATE_EXTENT, offset);

	if (err)
		return err;
	sendcp_put_u64(&engine->encoder, SENDCP_A_SIZE, size);
	return sendcp_command_end(&engine->encoder);
}

static int send_write(struct sendcp_engine *engine, struct sendcp_data_range *range,
		      enum sendcp_payload_kind kind)
{
	struct sendcp_payload payload = {
		.kind = kind,
		.offset = range->offset,
		.length = sendcp_min(range->write_end - range->offset, sendcp_chunk_size(engine)),
	};
	int err = sendcp_begin_at(engine, SENDCP_C_WRITE, range->offset);

	if (err)
		return err;
	range->offset += payload.length;
	return sendcp_command_end_payload(&engine->encoder, &payload);
}

/* Number of a compression in the stream; LZO's counts the sector size's doublings from 4 KiB. */
static u32 stream_compression(const struct sendcp_engine *engine, u8 compression)
{
	u32 lzo = SENDCP_ENCODED_LZO_4K;
	u32 size;

	if (compression == SENDCP_COMPRESS_ZLIB)
		return SENDCP_ENCODED_ZLIB;
	if (compression == SENDCP_COMPRESS_ZSTD)
		return SENDCP_ENCODED_ZSTD;
	for (size = SENDCP_SECTORSIZE_MIN; size < engine->volume->sectorsize; size *= 2)
		lzo++;
	return lzo;
}

static u64 stored_size(const struct sendcp_extent *extent)
{
	return extent->type == SENDCP_EXTENT_INLINE ? extent->inline_size : extent->disk_num_bytes;
}

static int send_encoded(struct sendcp_engine *engine, struct sendcp_data_range *range,
			const struct sendcp_extent *extent)
{
	struct sendcp_payload payload = { .kind = SENDCP_PAYLOAD_ENCODED };
	u64 within = range->offset - extent->file_offset;
	u64 length = extent->num_bytes - within;
	int err = sendcp_begin_at(engine, SENDCP_C_ENCODED_WRITE, range->offset);

	if (err)
		return err;
	sendcp_put_u64(&engine->encoder, SENDCP_A_UNENCODED_FILE_LEN,
		       sendcp_min(length, range->write_end - range->offset));
	sendcp_put_u64(&engine->encoder, SENDCP_A_UNENCODED_LEN, extent->ram_bytes);
	sendcp_put_u64(&engine->encoder, SENDCP_A_UNENCODED_OFFSET, within + extent->extent_offset);
	sendcp_put_u32(&engine->encoder, SENDCP_A_COMPRESSION,
		       stream_compression(engine, extent->compression));
	range->offset = range->write_end;
	if (extent->type == SENDCP_EXTENT_INLINE)
		return sendcp_command_end_data(&engine->encoder, extent->inline_data,
					       extent->inline_size);
	sendcp_put_u32(&engine->encoder, SENDCP_A_ENCRYPTION, 0);
	payload.length = extent->disk_num_bytes;
	payload.offset = extent->file_offset;
	return sendcp_command_end_payload(&engine->encoder, &payload);
}

int sendcp_cursor_to_item(struct sendcp_engine *engine)
{
	struct sendcp_cursor *cursor = &engine->item_cursor;
	struct sendcp_key key;
	int err;

	if (cursor->path[0]) {
		key = sendcp_cursor_key(cursor);
		if (!sendcp_key_compare(&key, &engine->state.item))
			return 0;
	}
	err = sendcp_search_exact(cursor, &engine->state.item);
	return err == -ENOENT ? sendcp_send_fail(engine, SENDCP_ERR_CHECKPOINT_POSITION) : err;
}

/* The extent of the range, as its item says now: it may have been relocated since. */
static int range_extent(struct sendcp_engine *engine, struct sendcp_extent *extent)
{
	int err = sendcp_cursor_to_item(engine);

	return err ? err : sendcp_extent_parse(&engine->item_cursor, extent);
}

/*
 * 1: an encoded write would leave contents of the parent's file in the range.
 *
 * The payload of an inline extent ends with the data, not with its sector. What the file had there
 * in the parent would stay behind an encoded write.
 */
static int leaves_old_data(struct sendcp_engine *engine, const struct sendcp_data_range *range,
			   const struct sendcp_extent *extent)
{
	u64 end = extent->file_offset + extent->ram_bytes;
	struct sendcp_inode old;
	int err;

	if (engine->state.kind != SENDCP_KIND_CHANGED || extent->type != SENDCP_EXTENT_INLINE ||
	    end >= range->write_end)
		return 0;
	err = sendcp_old_inode(engine, &old);
	return err ? err : old.size > end;
}

/* 1: the range goes out as its extent is stored, compressed; 0: its contents do. */
static int is_sent_encoded(struct sendcp_engine *engine, const struct sendcp_data_range *range,
			   const struct sendcp_extent *extent)
{
	int ret;

	if (!extent->compression || stored_size(extent) > range->write_end - range->offset)
		return 0;
	ret = leaves_old_data(engine, range, extent);
	return ret < 0 ? ret : !ret;
}

static int write_range(struct sendcp_engine *engine, struct sendcp_data_range *range)
{
	u64 length = range->write_end - range->offset;
	struct sendcp_extent extent;
	int ret;

	if (engine->flags & SENDCP_SEND_NO_FILE_DATA) {
		ret = sendcp_send_update_extent(engine, range->offset, length);
		range->offset = range->write_end;
		return ret;
	}
	if (!sendcp_is_compressed_send(engine))
		return send_write(engine, range, SENDCP_PAYLOAD_FILE);
	ret = range_extent(engine, &extent);
	if (!ret)
		ret = is_sent_encoded(engine, range, &extent);
	if (ret < 0)
		return ret;
	return ret ? send_encoded(engine, range, &extent) :
		     send_write(engine, range, SENDCP_PAYLOAD_FILE);
}

static int send_data(struct sendcp_engine *engine, struct sendcp_data_range *range)
{
	if (range->offset < range->write_end)
		return write_range(engine, range);
	if (range->cloning)
		return sendcp_step_clone(engine, range);
	range->write_end = range->end;
	return 0;
}

static int punch_hole(struct sendcp_engine *engine, struct sendcp_data_range *range)
{
	int err = sendcp_begin_for_current(engine, SENDCP_C_FALLOCATE);

	if (err)
		return err;
	sendcp_put_u32(&engine->encoder, SENDCP_A_FALLOCATE_MODE, SENDCP_FALLOCATE_HOLE);
	sendcp_put_u64(&engine->encoder, SENDCP_A_FILE_OFFSET, range->offset);
	sendcp_put_u64(&engine->encoder, SENDCP_A_SIZE, range->end - range->offset);
	range->offset = range->end;
	return sendcp_command_end(&engine->encoder);
}

/* Protocol 1 has no word for a hole but zeros. */
static int send_hole(struct sendcp_engine *engine, struct sendcp_data_range *range)
{
	u64 offset = range->offset;

	if (engine->encoder.protocol >= 2)
		return punch_hole(engine, range);
	if (!(engine->flags & SENDCP_SEND_NO_FILE_DATA))
		return send_write(engine, range, SENDCP_PAYLOAD_ZEROS);
	range->offset = range->end;
	return sendcp_send_update_extent(engine, offset, range->end - offset);
}

static bool counts_as_written(const struct sendcp_engine *engine,
			      const struct sendcp_data_range *range)
{
	/* Contents after an old end come last, after ranges that may be after them. */
	if (range->then == SENDCP_PHASE_FINISH_HOLE &&
	    range->end <= engine->state.next_write_offset)
		return false;
	return range->kind == SENDCP_RANGE_DATA ||
	       (engine->encoder.protocol < 2 && !(engine->flags & SENDCP_SEND_NO_FILE_DATA));
}

int sendcp_step_range(struct sendcp_engine *engine)
{
	struct sendcp_data_range *range = &engine->state.range;
	int err = range->kind == SENDCP_RANGE_HOLE ? send_hole(engine, range) :
		  send_data(engine, range);

	if (err || range->offset != range->end)
		return err;
	if (counts_as_written(engine, range))
		engine->state.next_write_offset = range->end;
	engine->state.phase = range->then;
	return 0;
}
