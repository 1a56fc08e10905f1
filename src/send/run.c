// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Carrying out a run: the contents of one extent, one command a step.
 *
 * What was decided (clone source, ranges) is in state.run and so in the checkpoint, since it depends
 * on other subvolumes and may not come out the same a second time.
 */
#include "send/engine_private.h"

static int begin_at_offset(struct scp_engine *engine, enum scp_command command, u64 offset)
{
	int err = scp_current_path(engine, &engine->path_a);

	if (err)
		return err;
	scp_command_begin(engine, command);
	scp_put_path(engine, SCP_A_PATH, &engine->path_a);
	scp_put_u64(engine, SCP_A_FILE_OFFSET, offset);
	return 0;
}

int scp_send_update_extent(struct scp_engine *engine, u64 offset, u64 size)
{
	int err = begin_at_offset(engine, SCP_C_UPDATE_EXTENT, offset);

	if (err)
		return err;
	scp_put_u64(engine, SCP_A_SIZE, size);
	return scp_command_end(engine);
}

static int send_write(struct scp_engine *engine, struct scp_run *run)
{
	struct scp_payload payload = {
		.kind = SCP_PAYLOAD_FILE,
		.offset = run->offset,
		.length = scp_min(run->write_end - run->offset, scp_chunk_size(engine)),
	};
	int err = begin_at_offset(engine, SCP_C_WRITE, run->offset);

	if (err)
		return err;
	run->offset += payload.length;
	return scp_command_end_payload(engine, &payload);
}

/* Number of a compression in the stream; LZO's counts the sector size's doublings from 4 KiB. */
static u32 stream_compression(const struct scp_engine *engine, u8 compression)
{
	u32 lzo = SCP_ENCODED_LZO_4K;
	u32 size;

	if (compression == SCP_COMPRESS_ZLIB)
		return SCP_ENCODED_ZLIB;
	if (compression == SCP_COMPRESS_ZSTD)
		return SCP_ENCODED_ZSTD;
	for (size = SCP_SECTORSIZE_MIN; size < engine->volume->sectorsize; size *= 2)
		lzo++;
	return lzo;
}

static u64 stored_size(const struct scp_extent *extent)
{
	return extent->type == SCP_EXTENT_INLINE ? extent->inline_size : extent->disk_num_bytes;
}

static int send_encoded(struct scp_engine *engine, struct scp_run *run,
			const struct scp_extent *extent)
{
	struct scp_payload payload = { .kind = SCP_PAYLOAD_STORED };
	u64 within = run->offset - extent->file_offset;
	u64 length = extent->num_bytes - within;
	int err = begin_at_offset(engine, SCP_C_ENCODED_WRITE, run->offset);

	if (err)
		return err;
	scp_put_u64(engine, SCP_A_UNENCODED_FILE_LEN, scp_min(length, run->write_end - run->offset));
	scp_put_u64(engine, SCP_A_UNENCODED_LEN, extent->ram_bytes);
	scp_put_u64(engine, SCP_A_UNENCODED_OFFSET, within + extent->extent_offset);
	scp_put_u32(engine, SCP_A_COMPRESSION, stream_compression(engine, extent->compression));
	run->offset = run->write_end;
	if (extent->type == SCP_EXTENT_INLINE)
		return scp_command_end_data(engine, extent->inline_data, extent->inline_size);
	scp_put_u32(engine, SCP_A_ENCRYPTION, 0);
	payload.length = extent->disk_num_bytes;
	payload.offset = extent->file_offset;
	return scp_command_end_payload(engine, &payload);
}

/* The run's extent, as its item says now: it may have been relocated since. */
static int run_extent(struct scp_engine *engine, struct scp_extent *extent)
{
	int err = scp_cursor_to_key(engine);

	return err ? err : scp_extent_parse(&engine->cursor, extent);
}

static int write_range(struct scp_engine *engine, struct scp_run *run)
{
	struct scp_extent extent;
	int err;

	if (engine->flags & SCP_SEND_NO_FILE_DATA) {
		err = scp_send_update_extent(engine, run->offset, run->write_end - run->offset);
		run->offset = run->write_end;
		return err;
	}
	if (!scp_is_compressed_send(engine))
		return send_write(engine, run);
	err = run_extent(engine, &extent);
	if (err)
		return err;
	if (extent.compression && stored_size(&extent) <= run->write_end - run->offset)
		return send_encoded(engine, run, &extent);
	return send_write(engine, run);
}

static void end_run(struct scp_engine *engine)
{
	engine->state.next_write_offset = engine->state.run.end;
	engine->state.phase = SCP_PHASE_EVENT;
}

int scp_step_run(struct scp_engine *engine)
{
	struct scp_run *run = &engine->state.run;
	int err = 0;

	if (run->offset < run->write_end)
		err = write_range(engine, run);
	else if (run->cloning)
		err = scp_step_clone(engine, run);
	else
		run->write_end = run->end;
	if (!err && run->offset == run->end)
		end_run(engine);
	return err;
}
