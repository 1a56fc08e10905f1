/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Decompression of file extents: zlib, zstd, and lzo in btrfs' own framing.
 */
#ifndef USER_BACKEND_DECOMPRESS_H
#define USER_BACKEND_DECOMPRESS_H

#include <sendcp/platform.h>

struct decompressor;

/* NULL: out of memory, or a library does not work. */
struct decompressor *sendcp_decompressor_new(void);
void sendcp_decompressor_free(struct decompressor *d);

/*
 * Expands @in into exactly @out_size bytes: a stream that is too short is filled up with zeros, the
 * excess of one that is too long is ignored. @compression is an on-disk SENDCP_COMPRESS_*. -EIO:
 * the stream is corrupt.
 */
int sendcp_decompress(struct decompressor *d, u8 compression, u32 sectorsize, const void *in,
		      u32 in_size, void *out, u32 out_size);

#endif
