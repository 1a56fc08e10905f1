// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Reading by logical address: ranges cut into pieces, each read from the mirror that was asked
 * for.
 */
#include "volume/internal.h"

#define SENDCP_PIECES 8

/* Errnos that mean something else further up are not for devices to choose. */
static int device_errno(int err)
{
	return err >= 0 || err == -ENOENT || err == -ESTALE ? -EIO : err;
}

int sendcp_device_read(struct sendcp_volume *volume, struct sendcp_io *ios, unsigned int count)
{
	const struct sendcp_host *host = volume->host;
	int ret;

	if (!volume->securing && host->ops->interrupted &&
	    host->ops->interrupted(host->private))
		return sendcp_fail_detail(volume, SENDCP_ERR_INTERRUPTED, NULL);
	volume->stats.device_calls++;
	volume->stats.device_reads += count;
	ret = host->ops->read(host->private, ios, count);
	if (sendcp_is_final(ret))
		return sendcp_fail_detail(volume, ret == -EINTR ? SENDCP_ERR_INTERRUPTED :
					  SENDCP_ERR_NO_MEMORY, NULL);
	if (ret)
		return sendcp_fail_device(volume, SENDCP_ERR_DEVICE_READ, device_errno(ret),
					  ios->device, SENDCP_NOWHERE);
	return 0;
}

int sendcp_fail_io(struct sendcp_volume *volume, const struct sendcp_io *io)
{
	return sendcp_fail_device(volume, SENDCP_ERR_DEVICE_READ, device_errno(io->result),
				  io->device, SENDCP_NOWHERE);
}

int sendcp_stripe_io(struct sendcp_volume *volume, const struct sendcp_chunk *chunk, u32 stripe,
		     u64 stripe_offset, u32 length, void *buffer, struct sendcp_io *io)
{
	const struct sendcp_chunk_stripe *at = &chunk->stripes[stripe];

	if (at->device == SENDCP_NO_DEVICE) {
		sendcp_fail_detail(volume, SENDCP_ERR_DEVICE_MISSING, NULL);
		snprintf(volume->error.detail, sizeof(volume->error.detail), "device id %llu",
			 (unsigned long long)at->devid);
		return volume->error.err;
	}
	*io = (struct sendcp_io) {
		.device = at->device,
		.length = length,
		.offset = at->offset + stripe_offset,
		.buffer = buffer,
	};
	return 0;
}

int sendcp_volume_mirrors(struct sendcp_volume *volume, u64 logical)
{
	const struct sendcp_chunk *chunk = sendcp_chunk_find(volume, logical);

	if (!chunk)
		return sendcp_fail(volume, SENDCP_ERR_CHUNK_UNMAPPED, 0,
				   &(struct sendcp_place){ .bytenr = logical });
	return (int)sendcp_chunk_mirrors(chunk);
}

u32 sendcp_volume_contiguous(struct sendcp_volume *volume, u64 logical, u32 length)
{
	const struct sendcp_chunk *chunk = sendcp_chunk_find(volume, logical);

	return chunk ? sendcp_chunk_contiguous(chunk, logical, length) : 0;
}

/* Plain reads that wait to be done together. */
struct sendcp_pieces {
	struct sendcp_io ios[SENDCP_PIECES];
	unsigned int count;
};

static int pieces_read(struct sendcp_volume *volume, struct sendcp_pieces *pieces)
{
	unsigned int i, count = pieces->count;
	int ret;

	pieces->count = 0;
	if (!count)
		return 0;
	ret = sendcp_device_read(volume, pieces->ios, count);
	for (i = 0; i < count && !ret; i++)
		if (pieces->ios[i].result)
			ret = sendcp_fail_io(volume, &pieces->ios[i]);
	return ret;
}

/* @length bytes in one contiguous of @chunk: read later if plain, made at once if not. */
static int piece_add(struct sendcp_volume *volume, const struct sendcp_chunk *chunk, u64 logical,
		     u32 length, u32 mirror_num, void *buffer, struct sendcp_pieces *pieces)
{
	struct sendcp_location where;
	struct sendcp_mirror mirror;
	int ret = 0;

	sendcp_chunk_locate(chunk, logical, &where);
	sendcp_chunk_choose(volume, chunk, &where, mirror_num, &mirror);
	if (mirror.kind != SENDCP_MIRROR_PLAIN)
		return sendcp_raid56_rebuild(volume, chunk, &where, &mirror, length, buffer);
	if (pieces->count == SENDCP_PIECES)
		ret = pieces_read(volume, pieces);
	if (!ret)
		ret = sendcp_stripe_io(volume, chunk, mirror.stripe, where.stripe_offset, length,
				       buffer, &pieces->ios[pieces->count]);
	if (!ret)
		pieces->count++;
	return ret;
}

static int read_pieces(struct sendcp_volume *volume, const struct sendcp_chunk *chunk, u64 logical,
		       u32 length, u32 mirror_num, void *buffer)
{
	struct sendcp_pieces pieces = { .count = 0 };
	u8 *to = buffer;
	u32 contiguous;
	int ret;

	while (length) {
		contiguous = sendcp_chunk_contiguous(chunk, logical, length);
		ret = piece_add(volume, chunk, logical, contiguous, mirror_num, to, &pieces);
		if (ret)
			return ret;
		logical += contiguous;
		to += contiguous;
		length -= contiguous;
	}
	return pieces_read(volume, &pieces);
}

int sendcp_volume_read_mirror(struct sendcp_volume *volume, u64 logical, u32 length, int mirror_num,
			      void *buffer)
{
	const struct sendcp_chunk *chunk = sendcp_chunk_find(volume, logical);
	int ret;

	if (!chunk || length > chunk->start + chunk->length - logical)
		return sendcp_fail(volume, SENDCP_ERR_CHUNK_UNMAPPED, 0,
				   &(struct sendcp_place){ .bytenr = logical });
	if (mirror_num < 0 || (u32)mirror_num >= sendcp_chunk_mirrors(chunk))
		return sendcp_fail(volume, SENDCP_ERR_DEVICE_READ, 0,
				   &(struct sendcp_place){ .bytenr = logical });
	ret = read_pieces(volume, chunk, logical, length, (u32)mirror_num, buffer);
	if (ret)
		volume->error.bytenr = logical;
	return ret;
}

int sendcp_volume_plain_io(struct sendcp_volume *volume, u64 logical, u32 length, void *buffer,
			   struct sendcp_io *io)
{
	const struct sendcp_chunk *chunk = sendcp_chunk_find(volume, logical);
	struct sendcp_location where;
	struct sendcp_mirror mirror;

	if (!chunk || sendcp_chunk_contiguous(chunk, logical, length) < length)
		return -EUCLEAN;
	sendcp_chunk_locate(chunk, logical, &where);
	sendcp_chunk_choose(volume, chunk, &where, 0, &mirror);
	if (mirror.kind != SENDCP_MIRROR_PLAIN)
		return -ENODEV;
	return sendcp_stripe_io(volume, chunk, mirror.stripe, where.stripe_offset, length, buffer,
				io);
}
