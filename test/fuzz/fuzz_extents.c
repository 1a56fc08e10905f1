// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Fuzz target: stored bytes of compressed extents, expanded.
 *
 * Input: options, then the stored bytes; or the contents, which are compressed here and then
 * perhaps changed in one byte. All of the buffer is written, whatever was in it; less of an extent
 * is the beginning of more of it; and what was compressed comes out again.
 */
#include <lzo/lzo1x.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>
#include <sendcp/ondisk.h>

#include "backend/decompress.h"
#include "fuzzer.h"
#include "patches.h"

#define OPTION_COMPRESS 4u
#define OPTION_CHANGE 8u
#define STORED_MAX (256u << 10)

struct options_head {
	/* The two lowest bits: the compression; then OPTION_*; the two highest: the sector size. */
	u8 how;
	u8 change;
	__le16 change_at;
	/* Bytes wanted, in units of 4, plus the lowest bits of ->change: not only whole sectors. */
	__le16 wanted;
} __packed;

static struct decompressor *decompressor;
static u8 stored[STORED_MAX];

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	decompressor = sendcp_decompressor_new();
	return decompressor ? 0 : -1;
}

static size_t put_zlib(const u8 *data, size_t size)
{
	uLongf made = sizeof(stored);

	return compress2(stored, &made, data, size, 3) == Z_OK ? made : 0;
}

/* A content size in the header, as the kernel writes it, and none larger than its window. */
static size_t put_zstd(const u8 *data, size_t size)
{
	size_t made = ZSTD_compress(stored, sizeof(stored), data, size, 3);

	return ZSTD_isError(made) ? 0 : made;
}

static size_t put_le32(size_t at, size_t value)
{
	sendcp_put_le32(stored + at, (u32)value);
	return at + 4;
}

/* A length never crosses a sector's end. */
static size_t put_lzo(const u8 *data, size_t size, u32 sectorsize)
{
	static u8 work[LZO1X_1_MEM_COMPRESS];
	size_t at = 4;

	while (size) {
		lzo_uint part = size < sectorsize ? size : sectorsize, made;
		u32 left = sectorsize - (u32)(at % sectorsize);

		if (at + 2 * sectorsize + 1024 > sizeof(stored))
			return 0;
		if (left < 4) {
			memset(stored + at, 0, left);
			at += left;
		}
		if (lzo1x_1_compress(data, part, stored + at + 4, &made, work) != LZO_E_OK)
			abort();
		at = put_le32(at, made) + made;
		data += part;
		size -= part;
	}
	put_le32(0, at);
	return at;
}

static size_t put_stored(u8 compression, u32 sectorsize, const u8 *data, size_t size)
{
	switch (compression) {
	case SENDCP_COMPRESS_ZLIB:
		return put_zlib(data, size);
	case SENDCP_COMPRESS_LZO:
		return put_lzo(data, size, sectorsize);
	case SENDCP_COMPRESS_ZSTD:
		return size <= 128u << 10 ? put_zstd(data, size) : 0;
	}
	return 0;
}

/* Into memory of just @wanted bytes, all of them @fill before. */
static u8 *expand(const struct options_head *head, u32 sectorsize, const u8 *in, size_t size,
		  u32 wanted, u8 fill)
{
	u8 *out = malloc(wanted ? wanted : 1);

	if (!out)
		abort();
	memset(out, fill, wanted);
	if (!sendcp_decompress(decompressor, head->how & 3, sectorsize, in, (u32)size, out,
			       wanted))
		return out;
	free(out);
	return NULL;
}

static void check(const struct options_head *head, u32 sectorsize, const u8 *in, size_t size,
		  const u8 *contents, size_t contents_size)
{
	u32 wanted = le16_to_cpu(head->wanted) * 4u + (head->change & 3);
	u8 *first = expand(head, sectorsize, in, size, wanted, 0x55);
	u8 *second = expand(head, sectorsize, in, size, wanted, 0xaa);
	u8 *less = expand(head, sectorsize, in, size, wanted / 2, 0x55);

	if (!first != !second || (first && memcmp(first, second, wanted)))
		abort();
	if (first && (!less || memcmp(first, less, wanted / 2)))
		abort();
	if (contents && !first)
		abort();
	for (u32 i = 0; contents && i < wanted; i++)
		if (first[i] != (i < contents_size ? contents[i] : 0))
			abort();
	free(first);
	free(second);
	free(less);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct options_head head;
	const u8 *contents = NULL;
	u32 sectorsize;
	size_t made;

	if (size < sizeof(head))
		return 0;
	memcpy(&head, data, sizeof(head));
	data += sizeof(head);
	size -= sizeof(head);
	sectorsize = 4096u << (head.how >> 6) * 2;
	if (sectorsize > SENDCP_NODESIZE_MAX)
		sectorsize = 8192;
	if (!(head.how & OPTION_COMPRESS)) {
		check(&head, sectorsize, data, size, NULL, 0);
		return 0;
	}
	made = put_stored(head.how & 3, sectorsize, data, size);
	if (!made)
		return 0;
	if (head.how & OPTION_CHANGE)
		stored[le16_to_cpu(head.change_at) % made] ^= head.change;
	else
		contents = data;
	check(&head, sectorsize, stored, made, contents, size);
	return 0;
}

/* Contents that compress well, badly, or not at all; a few sectors. */
static size_t example(u8 *data, size_t max_size, unsigned int *random)
{
	struct options_head head = {
		.how = (u8)(draw(random, 256) | OPTION_COMPRESS),
		.change = (u8)draw(random, 256),
		.change_at = cpu_to_le16((u16)draw(random, draw(random, 2) ? 32 : 65536)),
	};
	u32 size = draw(random, (u32)sendcp_min(max_size - sizeof(head), 16384) + 1);
	u32 range = 1 + draw(random, draw(random, 2) ? 4 : 256);

	head.wanted = cpu_to_le16((u16)(size / 4 + (draw(random, 2) ? 0 : draw(random, 9000))));
	memcpy(data, &head, sizeof(head));
	for (u32 i = 0; i < size; i++)
		data[sizeof(head) + i] = (u8)draw(random, range);
	return sizeof(head) + size;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed)
{
	unsigned int random = seed;

	if (max_size > 64 && !draw(&random, 4))
		return example(data, max_size, &random);
	return LLVMFuzzerMutate(data, size, max_size);
}
