// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Decompression of file extents.
 *
 * Everything here works on bytes that anybody may have written: the libraries' bounds-checking
 * entry points are used, and lzo's framing is checked field by field.
 */
#include <lzo/lzo1x.h>
#include <stdlib.h>
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>
#include <sendcp/ondisk.h>

#include "backend/decompress.h"

/* btrfs writes no larger windows, so a larger one is a trap for our memory. */
#define ZSTD_WINDOW_LOG_MAX 17
#define LZO_LENGTH 4u
/* A segment that does not compress grows, by this much at most. */
#define LZO_SEGMENT_MAX(sectorsize) ((sectorsize) + (sectorsize) / 16 + 64 + 3)

struct decompressor {
	ZSTD_DStream *zstd;
	z_stream zlib;
	/* One lzo segment, where the caller's buffer ends before the segment does. */
	u8 segment[SENDCP_NODESIZE_MAX];
};

struct decompressor *sendcp_decompressor_new(void)
{
	struct decompressor *d = calloc(1, sizeof(*d));

	if (!d)
		return NULL;
	if (lzo_init() != LZO_E_OK || inflateInit(&d->zlib) != Z_OK)
		goto fail;
	d->zstd = ZSTD_createDStream();
	if (!d->zstd)
		goto fail_zlib;
	ZSTD_DCtx_setParameter(d->zstd, ZSTD_d_windowLogMax, ZSTD_WINDOW_LOG_MAX);
	return d;

fail_zlib:
	inflateEnd(&d->zlib);
fail:
	free(d);
	return NULL;
}

void sendcp_decompressor_free(struct decompressor *d)
{
	if (!d)
		return;
	ZSTD_freeDStream(d->zstd);
	inflateEnd(&d->zlib);
	free(d);
}

/* The functions below return how many bytes of @out they filled, -EIO, or -ENOMEM. */

static s64 expand_zlib(struct decompressor *d, const u8 *in, u32 in_size, u8 *out, u32 out_size)
{
	z_stream *z = &d->zlib;
	int ret;

	if (inflateReset(z) != Z_OK)
		return -EIO;
	z->next_in = (Bytef *)(uintptr_t)in;
	z->avail_in = in_size;
	z->next_out = out;
	z->avail_out = out_size;
	ret = inflate(z, Z_SYNC_FLUSH);
	if (ret == Z_MEM_ERROR)
		return -ENOMEM;
	/* A full buffer is enough, even if the stream is longer. */
	if (ret != Z_STREAM_END && ret != Z_OK && !(ret == Z_BUF_ERROR && !z->avail_out))
		return -EIO;
	if (ret != Z_STREAM_END && z->avail_out)
		return -EIO;
	return out_size - z->avail_out;
}

static s64 expand_zstd(struct decompressor *d, const u8 *in, u32 in_size, u8 *out, u32 out_size)
{
	ZSTD_inBuffer source = { .src = in, .size = in_size };
	ZSTD_outBuffer target = { .dst = out, .size = out_size };
	size_t hint = 1;

	ZSTD_DCtx_reset(d->zstd, ZSTD_reset_session_only);
	/* After the first frame there is only padding. */
	while (hint && target.pos < target.size) {
		size_t before = source.pos + target.pos;

		hint = ZSTD_decompressStream(d->zstd, &target, &source);
		if (ZSTD_isError(hint))
			return ZSTD_getErrorCode(hint) == ZSTD_error_memory_allocation ? -ENOMEM :
			       -EIO;
		if (hint && source.pos + target.pos == before)
			return -EIO;
	}
	return (s64)target.pos;
}

/*
 * Reads the length of the segment at *@at and moves *@at to its data. A length never crosses a
 * sector's end: fewer bytes than a length takes are padding.
 */
static int lzo_segment(const u8 *in, u32 total, u32 sectorsize, u32 *at, u32 *length)
{
	u32 left = sectorsize - *at % sectorsize;

	if (left < LZO_LENGTH)
		*at += left;
	if (*at > total || total - *at < LZO_LENGTH)
		return -EIO;
	*length = sendcp_get_le32(in + *at);
	*at += LZO_LENGTH;
	if (*length > total - *at || *length > LZO_SEGMENT_MAX(sectorsize))
		return -EIO;
	return 0;
}

/*
 * Expands one segment to at most a sector of @out, or @capacity bytes. Returns the number of bytes,
 * or -EIO.
 */
static s64 lzo_expand_segment(struct decompressor *d, const u8 *in, u32 in_size, u32 sectorsize,
			      u8 *out, u32 capacity)
{
	u8 *target = capacity < sectorsize ? d->segment : out;
	lzo_uint made = sectorsize;

	if (lzo1x_decompress_safe(in, in_size, target, &made, NULL) != LZO_E_OK)
		return -EIO;
	if (target == out)
		return (s64)made;
	made = sendcp_min(made, capacity);
	memcpy(out, target, made);
	return (s64)made;
}

static s64 expand_lzo(struct decompressor *d, const u8 *in, u32 in_size, u32 sectorsize, u8 *out,
		      u32 out_size)
{
	u32 at = LZO_LENGTH;
	u32 filled = 0;
	u32 total;

	if (in_size < LZO_LENGTH)
		return -EIO;
	total = sendcp_get_le32(in);
	if (total > in_size)
		return -EIO;
	while (at < total && filled < out_size) {
		u32 length;
		s64 made;

		/* Every segment but the last one is a sector. */
		if (filled % sectorsize || lzo_segment(in, total, sectorsize, &at, &length))
			return -EIO;
		made = lzo_expand_segment(d, in + at, length, sectorsize, out + filled,
					  out_size - filled);
		if (made < 0)
			return -EIO;
		at += length;
		filled += (u32)made;
	}
	return filled;
}

int sendcp_decompress(struct decompressor *d, u8 compression, u32 sectorsize, const void *in,
		      u32 in_size, void *out, u32 out_size)
{
	s64 filled;

	switch (compression) {
	case SENDCP_COMPRESS_ZLIB:
		filled = expand_zlib(d, in, in_size, out, out_size);
		break;
	case SENDCP_COMPRESS_LZO:
		filled = expand_lzo(d, in, in_size, sectorsize, out, out_size);
		break;
	case SENDCP_COMPRESS_ZSTD:
		filled = expand_zstd(d, in, in_size, out, out_size);
		break;
	default:
		return -EIO;
	}
	if (filled < 0)
		return (int)filled;
	memset((u8 *)out + filled, 0, out_size - (size_t)filled);
	return 0;
}
