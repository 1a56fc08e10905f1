// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Reading by logical address: ranges cut into pieces, each read from the mirror that was asked
 * for.
 */
#include "volume/internal.h"

#define SCP_PIECES 8

/* Errnos that mean something else further up are not for devices to choose. */
static int device_errno(int err)
{
	return err >= 0 || err == -ENOENT || err == -ESTALE ? -EIO : err;
}

int scp_device_read(struct scp_volume *volume, struct scp_io *ios, unsigned int count)
{
	const struct scp_host *host = volume->host;
	int ret;

	if (!volume->securing && host->ops->interrupted &&
	    host->ops->interrupted(host->private))
		return scp_fail_detail(volume, SCP_INTERRUPTED, NULL);
	volume->stats.device_calls++;
	volume->stats.device_reads += count;
	ret = host->ops->read(host->private, ios, count);
	if (scp_is_final(ret))
		return scp_fail_detail(volume, ret == -EINTR ? SCP_INTERRUPTED : SCP_NO_MEMORY,
				       NULL);
	if (ret)
		return scp_fail_device(volume, SCP_DEVICE_READ, device_errno(ret), ios->device,
				       SCP_NOWHERE);
	return 0;
}

int scp_fail_io(struct scp_volume *volume, const struct scp_io *io)
{
	return scp_fail_device(volume, SCP_DEVICE_READ, device_errno(io->result), io->device,
			       SCP_NOWHERE);
}

int scp_stripe_io(struct scp_volume *volume, const struct scp_chunk *chunk, u32 stripe,
		  u64 stripe_offset, u32 length, void *buffer, struct scp_io *io)
{
	const struct scp_chunk_stripe *at = &chunk->stripes[stripe];

	if (at->device == SCP_NO_DEVICE) {
		scp_fail_detail(volume, SCP_DEVICE_MISSING, NULL);
		snprintf(volume->error.detail, sizeof(volume->error.detail), "device id %llu",
			 (unsigned long long)at->devid);
		return volume->error.err;
	}
	*io = (struct scp_io) {
		.device = at->device,
		.length = length,
		.offset = at->offset + stripe_offset,
		.buffer = buffer,
	};
	return 0;
}

int scp_volume_mirrors(struct scp_volume *volume, u64 logical)
{
	const struct scp_chunk *chunk = scp_chunk_find(volume, logical);

	if (!chunk)
		return scp_fail(volume, SCP_CHUNK_UNMAPPED, 0,
				&(struct scp_place){ .bytenr = logical });
	return (int)scp_chunk_mirrors(chunk);
}

u32 scp_volume_contiguous(struct scp_volume *volume, u64 logical, u32 length)
{
	const struct scp_chunk *chunk = scp_chunk_find(volume, logical);

	return chunk ? scp_chunk_contiguous(chunk, logical, length) : 0;
}

/* Plain reads that wait to be done together. */
struct scp_pieces {
	struct scp_io ios[SCP_PIECES];
	unsigned int count;
};

static int pieces_read(struct scp_volume *volume, struct scp_pieces *pieces)
{
	unsigned int i, count = pieces->count;
	int ret;

	pieces->count = 0;
	if (!count)
		return 0;
	ret = scp_device_read(volume, pieces->ios, count);
	for (i = 0; i < count && !ret; i++)
		if (pieces->ios[i].result)
			ret = scp_fail_io(volume, &pieces->ios[i]);
	return ret;
}

/* @length bytes in one contiguous of @chunk: read later if plain, made at once if not. */
static int piece_add(struct scp_volume *volume, const struct scp_chunk *chunk, u64 logical,
		     u32 length, u32 mirror_num, void *buffer, struct scp_pieces *pieces)
{
	struct scp_location where;
	struct scp_mirror mirror;
	int ret = 0;

	scp_chunk_locate(chunk, logical, &where);
	scp_chunk_choose(volume, chunk, &where, mirror_num, &mirror);
	if (mirror.kind != SCP_MIRROR_PLAIN)
		return scp_raid56_rebuild(volume, chunk, &where, &mirror, length, buffer);
	if (pieces->count == SCP_PIECES)
		ret = pieces_read(volume, pieces);
	if (!ret)
		ret = scp_stripe_io(volume, chunk, mirror.stripe, where.stripe_offset, length,
				    buffer, &pieces->ios[pieces->count]);
	if (!ret)
		pieces->count++;
	return ret;
}

static int read_pieces(struct scp_volume *volume, const struct scp_chunk *chunk, u64 logical,
		       u32 length, u32 mirror_num, void *buffer)
{
	struct scp_pieces pieces = { .count = 0 };
	u8 *to = buffer;
	u32 contiguous;
	int ret;

	while (length) {
		contiguous = scp_chunk_contiguous(chunk, logical, length);
		ret = piece_add(volume, chunk, logical, contiguous, mirror_num, to, &pieces);
		if (ret)
			return ret;
		logical += contiguous;
		to += contiguous;
		length -= contiguous;
	}
	return pieces_read(volume, &pieces);
}

int scp_volume_read_mirror(struct scp_volume *volume, u64 logical, u32 length, int mirror_num,
			   void *buffer)
{
	const struct scp_chunk *chunk = scp_chunk_find(volume, logical);
	int ret;

	if (!chunk || length > chunk->start + chunk->length - logical)
		return scp_fail(volume, SCP_CHUNK_UNMAPPED, 0,
				&(struct scp_place){ .bytenr = logical });
	if (mirror_num < 0 || (u32)mirror_num >= scp_chunk_mirrors(chunk))
		return scp_fail(volume, SCP_DEVICE_READ, 0,
				&(struct scp_place){ .bytenr = logical });
	ret = read_pieces(volume, chunk, logical, length, (u32)mirror_num, buffer);
	if (ret)
		volume->error.bytenr = logical;
	return ret;
}

int scp_volume_plain_io(struct scp_volume *volume, u64 logical, u32 length, void *buffer,
			struct scp_io *io)
{
	const struct scp_chunk *chunk = scp_chunk_find(volume, logical);
	struct scp_location where;
	struct scp_mirror mirror;

	if (!chunk || scp_chunk_contiguous(chunk, logical, length) < length)
		return -EUCLEAN;
	scp_chunk_locate(chunk, logical, &where);
	scp_chunk_choose(volume, chunk, &where, 0, &mirror);
	if (mirror.kind != SCP_MIRROR_PLAIN)
		return -ENODEV;
	return scp_stripe_io(volume, chunk, mirror.stripe, where.stripe_offset, length, buffer, io);
}
