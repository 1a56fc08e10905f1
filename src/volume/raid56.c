// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * RAID5 and RAID6: bytes of a column made from the others of its row.
 *
 * With D_i the data columns and g = 2 in GF(256), polynomial 0x11D: P = sum of D_i, Q = sum of g^i
 * D_i; a sum is XOR. All columns that are read are folded into two sums: the parts that P and Q
 * lack. From these follow one or two unknown columns.
 */
#include "volume/internal.h"

/* Columns read at once: bounds memory on wide arrays. */
#define SENDCP_RAID_BATCH 8

struct sendcp_rebuild {
	struct sendcp_volume *volume;
	const struct sendcp_chunk *chunk;
	const struct sendcp_location *where;
	const struct sendcp_mirror *mirror;
	u32 length;
	/* The part that P lacks; the caller's buffer, in which the result appears, too. */
	u8 *p;
	/* The part that Q lacks. */
	u8 *q;
	/* SENDCP_RAID_BATCH columns as read. */
	u8 *columns;
	struct sendcp_io ios[SENDCP_RAID_BATCH];
	u32 numbers[SENDCP_RAID_BATCH];
	u8 table[256];
};

static u8 gf_mul(u8 a, u8 b)
{
	u8 product = 0;

	for (; b; b >>= 1) {
		if (b & 1)
			product ^= a;
		a = (u8)(a << 1) ^ (a & 0x80 ? 0x1d : 0);
	}
	return product;
}

/* g^exponent */
static u8 gf_power(u32 exponent)
{
	u8 value = 1;

	for (exponent %= 255; exponent; exponent--)
		value = gf_mul(value, 2);
	return value;
}

/* @a must not be 0. In a group of 255 elements the 254th power is the inverse. */
static u8 gf_inverse(u8 a)
{
	u8 value = 1;
	int i;

	for (i = 0; i < 254; i++)
		value = gf_mul(value, a);
	return value;
}

static void gf_table(u8 *table, u8 factor)
{
	u32 i;

	table[0] = 0;
	for (i = 1; i < 256; i++)
		table[i] = table[i & (i - 1)] ^ gf_mul((u8)(i & -i), factor);
}

static void xor_bytes(u8 *to, const u8 *from, u32 length)
{
	u32 i;

	for (i = 0; i < length; i++)
		to[i] ^= from[i];
}

static void xor_mul(u8 *to, const u8 *from, u32 length, const u8 *table)
{
	u32 i;

	for (i = 0; i < length; i++)
		to[i] ^= table[from[i]];
}

static void rebuild_fold(struct sendcp_rebuild *rebuild, u32 column, const u8 *bytes)
{
	u32 data = rebuild->where->data_stripes;

	if (column == data + 1) {
		xor_bytes(rebuild->q, bytes, rebuild->length);
		return;
	}
	if (rebuild->mirror->kind != SENDCP_MIRROR_Q)
		xor_bytes(rebuild->p, bytes, rebuild->length);
	if (rebuild->mirror->kind == SENDCP_MIRROR_P || column == data)
		return;
	gf_table(rebuild->table, gf_power(column));
	xor_mul(rebuild->q, bytes, rebuild->length, rebuild->table);
}

static int rebuild_flush(struct sendcp_rebuild *rebuild, u32 count)
{
	u32 i;
	int ret;

	if (!count)
		return 0;
	ret = sendcp_device_read(rebuild->volume, rebuild->ios, count);
	if (ret)
		return ret;
	for (i = 0; i < count; i++) {
		if (rebuild->ios[i].result)
			return sendcp_fail_io(rebuild->volume, &rebuild->ios[i]);
		rebuild_fold(rebuild, rebuild->numbers[i], rebuild->ios[i].buffer);
	}
	return 0;
}

static int rebuild_read(struct sendcp_rebuild *rebuild)
{
	u32 column, stripe, count = 0;
	int ret;

	for (column = 0; column < rebuild->chunk->num_stripes; column++) {
		if (!sendcp_mirror_needs(rebuild->mirror, rebuild->where, column))
			continue;
		if (count == SENDCP_RAID_BATCH) {
			ret = rebuild_flush(rebuild, count);
			if (ret)
				return ret;
			count = 0;
		}
		stripe = sendcp_chunk_column_stripe(rebuild->chunk, rebuild->where, column);
		ret = sendcp_stripe_io(rebuild->volume, rebuild->chunk, stripe,
				       rebuild->where->stripe_offset, rebuild->length,
				       rebuild->columns + (size_t)count * rebuild->length,
				       &rebuild->ios[count]);
		if (ret)
			return ret;
		rebuild->numbers[count++] = column;
	}
	return rebuild_flush(rebuild, count);
}

/*
 * Solves for the wanted column c. Q alone: D_c = q / g^c. With a second unknown column x:
 * p = D_c + D_x and q = g^c D_c + g^x D_x, so D_c = (q + g^x p) / (g^c + g^x).
 */
static void rebuild_solve(struct sendcp_rebuild *rebuild)
{
	u8 divisor = gf_power(rebuild->where->data_index);

	if (rebuild->mirror->kind == SENDCP_MIRROR_P)
		return;
	if (rebuild->mirror->kind == SENDCP_MIRROR_PQ) {
		u8 other = gf_power(rebuild->mirror->omitted);

		gf_table(rebuild->table, other);
		xor_mul(rebuild->q, rebuild->p, rebuild->length, rebuild->table);
		divisor ^= other;
	}
	memset(rebuild->p, 0, rebuild->length);
	gf_table(rebuild->table, gf_inverse(divisor));
	xor_mul(rebuild->p, rebuild->q, rebuild->length, rebuild->table);
}

int sendcp_raid56_rebuild(struct sendcp_volume *volume, const struct sendcp_chunk *chunk,
			  const struct sendcp_location *where, const struct sendcp_mirror *mirror,
			  u32 length, void *buffer)
{
	size_t size = (size_t)(SENDCP_RAID_BATCH + 1) * length;
	struct sendcp_rebuild *rebuild = sendcp_alloc(sizeof(*rebuild));
	u8 *memory = sendcp_alloc_aligned(size);
	int ret;

	if (!rebuild || !memory) {
		ret = sendcp_fail_detail(volume, SENDCP_ERR_NO_MEMORY, NULL);
		goto out;
	}
	rebuild->volume = volume;
	rebuild->chunk = chunk;
	rebuild->where = where;
	rebuild->mirror = mirror;
	rebuild->length = length;
	rebuild->p = buffer;
	rebuild->columns = memory;
	rebuild->q = memory + (size_t)SENDCP_RAID_BATCH * length;
	memset(rebuild->p, 0, length);
	memset(rebuild->q, 0, length);
	ret = rebuild_read(rebuild);
	if (!ret)
		rebuild_solve(rebuild);
out:
	if (memory)
		sendcp_free_aligned(memory, size);
	sendcp_free(rebuild);
	return ret;
}
