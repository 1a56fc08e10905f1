// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Decompression: round trips through each library, lzo's framing edge by edge, and damaged input.
 */
#include <lzo/lzo1x.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <zlib.h>
#include <zstd.h>
#include <cmocka.h>
#include <sendcp/ondisk.h>

#include "backend/decompress.h"

#define SECTOR 4096u
#define PLAIN_MAX SENDCP_COMPRESSED_MAX
#define PACKED_MAX (2 * PLAIN_MAX)

static struct decompressor *d;
static u8 plain[PLAIN_MAX];
static u8 packed[PACKED_MAX];
static u8 out[PLAIN_MAX + 64];

/* Half text, half noise, so that some segments compress and some grow. */
static void make_plain(void)
{
	u32 seed = 12345;
	u32 i;

	for (i = 0; i < PLAIN_MAX; i++) {
		seed = seed * 1103515245 + 12345;
		plain[i] = (i / 7000) % 2 ? (u8)(seed >> 16) : (u8)("sendcp "[i % 7]);
	}
}

static int setup(void **state)
{
	make_plain();
	d = sendcp_decompressor_new();
	return d && lzo_init() == LZO_E_OK ? 0 : -1;
}

static int teardown(void **state)
{
	sendcp_decompressor_free(d);
	return 0;
}

static u32 pack_lzo(u32 size)
{
	static u8 work[LZO1X_1_MEM_COMPRESS];
	u32 at = 4;
	u32 done;

	for (done = 0; done < size; done += SECTOR) {
		u32 left = SECTOR - at % SECTOR;
		lzo_uint made = 0;

		if (left < 4) {
			memset(packed + at, 0, left);
			at += left;
		}
		lzo1x_1_compress(plain + done, sendcp_min(SECTOR, size - done), packed + at + 4,
				 &made, work);
		sendcp_put_le32(packed + at, (u32)made);
		at += 4 + (u32)made;
	}
	sendcp_put_le32(packed, at);
	return at;
}

static u32 pack(u8 type, u32 size)
{
	uLongf capacity = PACKED_MAX;

	switch (type) {
	case SENDCP_COMPRESS_ZLIB:
		assert_int_equal(compress2(packed, &capacity, plain, size, 3), Z_OK);
		return (u32)capacity;
	case SENDCP_COMPRESS_ZSTD:
		return (u32)ZSTD_compress(packed, PACKED_MAX, plain, size, 3);
	default:
		return pack_lzo(size);
	}
}

static const u8 types[] = { SENDCP_COMPRESS_ZLIB, SENDCP_COMPRESS_LZO, SENDCP_COMPRESS_ZSTD };
static const u32 sizes[] = { 1, 2, 100, 4095, 4096, 4097, 8192, 50000, 65536, PLAIN_MAX };

static void test_round_trip(void **state)
{
	size_t t;
	size_t s;

	for (t = 0; t < ARRAY_SIZE(types); t++) {
		for (s = 0; s < ARRAY_SIZE(sizes); s++) {
			u32 used = pack(types[t], sizes[s]);
			u32 padded = (u32)sendcp_round_up(used, SECTOR);

			memset(packed + used, 0, padded - used);
			memset(out, 0xee, sizeof(out));
			assert_int_equal(sendcp_decompress(d, types[t], SECTOR, packed, padded, out,
							   sizes[s]), 0);
			assert_memory_equal(out, plain, sizes[s]);
			assert_int_equal(out[sizes[s]], 0xee);
		}
	}
}

/* The stream gives less than is wanted: zeros; more: the beginning. */
static void test_other_size(void **state)
{
	static const u8 zeros[5000];
	size_t t;

	for (t = 0; t < ARRAY_SIZE(types); t++) {
		u32 used = pack(types[t], 8192);

		assert_int_equal(sendcp_decompress(d, types[t], SECTOR, packed, used, out, 13000),
				 0);
		assert_memory_equal(out, plain, 8192);
		assert_memory_equal(out + 8192, zeros, 13000 - 8192);
		memset(out, 0xee, sizeof(out));
		assert_int_equal(sendcp_decompress(d, types[t], SECTOR, packed, used, out, 5000),
				 0);
		assert_memory_equal(out, plain, 5000);
		assert_int_equal(out[5000], 0xee);
	}
}

static void test_truncated(void **state)
{
	size_t t;

	for (t = 0; t < ARRAY_SIZE(types); t++) {
		u32 used = pack(types[t], 20000);
		u32 cut;

		for (cut = 0; cut < used - 8; cut += 97)
			assert_int_equal(sendcp_decompress(d, types[t], SECTOR, packed, cut, out,
							   20000), -EIO);
	}
}

/* Any result will do, as long as nothing outside the buffers is touched (sanitizers watch). */
static void test_flipped_bits(void **state)
{
	u32 seed = 1;
	size_t t;
	int i;

	for (t = 0; t < ARRAY_SIZE(types); t++) {
		for (i = 0; i < 3000; i++) {
			u32 used = pack(types[t], 9000);
			u8 *exact = malloc(used);

			memcpy(exact, packed, used);
			seed = seed * 1103515245 + 12345;
			exact[(seed >> 8) % (i % 2 ? used : 16)] ^= (u8)(1u << (seed >> 29));
			sendcp_decompress(d, types[t], SECTOR, exact, used, out, 9000);
			free(exact);
		}
	}
}

static void test_lzo_framing(void **state)
{
	u8 bytes[64] = { 0 };
	u32 used = pack_lzo(100);

	/* Total beyond the input. */
	sendcp_put_le32(packed, used + 1);
	assert_int_equal(sendcp_decompress(d, SENDCP_COMPRESS_LZO, SECTOR, packed, used, out, 100),
			 -EIO);
	/* Segment beyond the total. */
	sendcp_put_le32(packed, used - 1);
	assert_int_equal(sendcp_decompress(d, SENDCP_COMPRESS_LZO, SECTOR, packed, used, out, 100),
			 -EIO);
	/* Total too short for a segment's length. */
	sendcp_put_le32(bytes, 6);
	assert_int_equal(sendcp_decompress(d, SENDCP_COMPRESS_LZO, SECTOR, bytes, 64, out, 100),
			 -EIO);
	/* Segment of no bytes, and one of impossible length. */
	sendcp_put_le32(bytes, 64);
	assert_int_equal(sendcp_decompress(d, SENDCP_COMPRESS_LZO, SECTOR, bytes, 64, out, 100),
			 -EIO);
	sendcp_put_le32(bytes + 4, 0xffffffff);
	assert_int_equal(sendcp_decompress(d, SENDCP_COMPRESS_LZO, SECTOR, bytes, 64, out, 100),
			 -EIO);
	assert_int_equal(sendcp_decompress(d, SENDCP_COMPRESS_LZO, SECTOR, bytes, 3, out, 100),
			 -EIO);
	assert_int_equal(sendcp_decompress(d, SENDCP_COMPRESS_LZO, SECTOR, bytes, 0, out, 100),
			 -EIO);
}

static void test_unknown(void **state)
{
	assert_int_equal(sendcp_decompress(d, 4, SECTOR, packed, 100, out, 100), -EIO);
	assert_int_equal(sendcp_decompress(d, SENDCP_COMPRESS_NONE, SECTOR, packed, 100, out, 100),
			 -EIO);
}

/* A frame that wants a window larger than btrfs ever uses is refused before it takes the memory. */
static void test_zstd_window(void **state)
{
	ZSTD_CCtx *context = ZSTD_createCCtx();
	ZSTD_inBuffer in = { .src = plain, .size = 1000 };
	ZSTD_outBuffer target = { .dst = packed, .size = PACKED_MAX };

	ZSTD_CCtx_setParameter(context, ZSTD_c_windowLog, 27);
	assert_false(ZSTD_isError(ZSTD_compressStream2(context, &target, &in, ZSTD_e_flush)));
	assert_int_equal(ZSTD_compressStream2(context, &target, &in, ZSTD_e_end), 0);
	ZSTD_freeCCtx(context);
	assert_int_equal(sendcp_decompress(d, SENDCP_COMPRESS_ZSTD, SECTOR, packed, (u32)target.pos,
					   out, 1000), -EIO);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_other_size),
		cmocka_unit_test(test_truncated),
		cmocka_unit_test(test_flipped_bits),
		cmocka_unit_test(test_lzo_framing),
		cmocka_unit_test(test_unknown),
		cmocka_unit_test(test_zstd_window),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
