// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * From an offset in a chunk to stripes and offsets in them, for every profile.
 *
 * A mirror is a plain copy, or for RAID5/6 a reconstruction that leaves the column itself (and
 * perhaps another one that is presumed bad) out; both are counted by one mirror number, as btrfs
 * does. Mirrors are independent of the devices present: sendcp_chunk_choose() sorts those that need
 * bad devices to the end.
 */
#include "volume/internal.h"

/* Profiles that place 64 KiB pieces on one stripe after the other. */
#define SENDCP_CHUNK_STRIPED \
	(SENDCP_CHUNK_RAID0 | SENDCP_CHUNK_RAID10 | SENDCP_CHUNK_RAID5 | SENDCP_CHUNK_RAID6)

/* Number of pieces in a row. */
static u32 chunk_columns(const struct sendcp_chunk *chunk)
{
	if (chunk->type & SENDCP_CHUNK_RAID10)
		return chunk->num_stripes / 2u;
	if (chunk->type & SENDCP_CHUNK_RAID5)
		return chunk->num_stripes - 1u;
	if (chunk->type & SENDCP_CHUNK_RAID6)
		return chunk->num_stripes - 2u;
	return chunk->num_stripes;
}

void sendcp_chunk_locate(const struct sendcp_chunk *chunk, u64 logical,
			 struct sendcp_location *where)
{
	u64 x = logical - chunk->start;
	u64 row;

	memset(where, 0, sizeof(*where));
	where->stripe_offset = x;
	if (!(chunk->type & SENDCP_CHUNK_STRIPED))
		return;
	where->data_stripes = chunk_columns(chunk);
	row = sendcp_div(x / SENDCP_STRIPE_LEN, where->data_stripes, &where->data_index);
	where->stripe_offset = row * SENDCP_STRIPE_LEN + x % SENDCP_STRIPE_LEN;
	where->stripe_index = where->data_index;
	if (chunk->type & SENDCP_CHUNK_RAID10)
		where->stripe_index = 2 * where->data_index;
	if (!sendcp_chunk_is_raid56(chunk))
		return;
	/* Parity moves on by one stripe with each row. */
	sendcp_div(row, chunk->num_stripes, &where->first_stripe);
	where->stripe_index = sendcp_chunk_column_stripe(chunk, where, where->data_index);
}

u32 sendcp_chunk_contiguous(const struct sendcp_chunk *chunk, u64 logical, u32 length)
{
	u64 x = logical - chunk->start;
	u64 contiguous = sendcp_min(length, chunk->length - x);

	if (chunk->type & SENDCP_CHUNK_STRIPED)
		contiguous = sendcp_min(contiguous, SENDCP_STRIPE_LEN - x % SENDCP_STRIPE_LEN);
	return (u32)contiguous;
}

u32 sendcp_chunk_mirrors(const struct sendcp_chunk *chunk)
{
	if (chunk->type & SENDCP_CHUNK_RAID0)
		return 1;
	if (chunk->type & (SENDCP_CHUNK_RAID10 | SENDCP_CHUNK_RAID5))
		return 2;
	/* RAID6: plain, P, Q, and P and Q without each of the other n - 3 data columns. */
	return chunk->num_stripes;
}

void sendcp_chunk_mirror(const struct sendcp_chunk *chunk, const struct sendcp_location *where,
			 u32 number, struct sendcp_mirror *mirror)
{
	memset(mirror, 0, sizeof(*mirror));
	mirror->kind = SENDCP_MIRROR_PLAIN;
	mirror->stripe = where->stripe_index;
	if (!sendcp_chunk_is_raid56(chunk)) {
		mirror->stripe += number;
	} else if (number == 1) {
		mirror->kind = SENDCP_MIRROR_P;
	} else if (number == where->data_stripes + 1) {
		mirror->kind = SENDCP_MIRROR_Q;
	} else if (number > 1) {
		mirror->kind = SENDCP_MIRROR_PQ;
		mirror->omitted = number - 2;
		mirror->omitted += mirror->omitted >= where->data_index;
	}
}

u32 sendcp_chunk_column_stripe(const struct sendcp_chunk *chunk,
			       const struct sendcp_location *where, u32 column)
{
	u32 stripe = where->first_stripe + column;

	return stripe < chunk->num_stripes ? stripe : stripe - chunk->num_stripes;
}

bool sendcp_mirror_needs(const struct sendcp_mirror *mirror, const struct sendcp_location *where,
			 u32 column)
{
	u32 p = where->data_stripes, q = where->data_stripes + 1;

	if (column == where->data_index)
		return mirror->kind == SENDCP_MIRROR_PLAIN;
	switch (mirror->kind) {
	case SENDCP_MIRROR_PLAIN:
		return false;
	case SENDCP_MIRROR_P:
		return column != q;
	case SENDCP_MIRROR_Q:
		return column != p;
	case SENDCP_MIRROR_PQ:
		return column != mirror->omitted;
	}
	return false;
}

/* Trust in a stripe: 0 full, 1 its device missed commits, 2 its device is not there. */
static u32 stripe_cost(const struct sendcp_volume *volume, const struct sendcp_chunk *chunk,
		       u32 stripe)
{
	u32 device = chunk->stripes[stripe].device;

	if (device == SENDCP_NO_DEVICE)
		return 2;
	return volume->devices[device].stale;
}

static u32 mirror_cost(const struct sendcp_volume *volume, const struct sendcp_chunk *chunk,
		       const struct sendcp_location *where, const struct sendcp_mirror *mirror)
{
	u32 column, cost = 0;

	if (mirror->kind == SENDCP_MIRROR_PLAIN)
		return stripe_cost(volume, chunk, mirror->stripe);
	for (column = 0; column < chunk->num_stripes; column++)
		if (sendcp_mirror_needs(mirror, where, column))
			cost = (u32)sendcp_max(cost, stripe_cost(volume, chunk,
				sendcp_chunk_column_stripe(chunk, where, column)));
	return cost;
}

static bool chunk_is_whole(const struct sendcp_volume *volume, const struct sendcp_chunk *chunk)
{
	u32 i;

	for (i = 0; i < chunk->num_stripes; i++)
		if (stripe_cost(volume, chunk, i))
			return false;
	return true;
}

void sendcp_chunk_choose(const struct sendcp_volume *volume, const struct sendcp_chunk *chunk,
			 const struct sendcp_location *where, u32 mirror_num,
			 struct sendcp_mirror *mirror)
{
	u32 cost, number, mirrors = sendcp_chunk_mirrors(chunk);

	if (chunk_is_whole(volume, chunk)) {
		sendcp_chunk_mirror(chunk, where, mirror_num, mirror);
		return;
	}
	for (cost = 0; cost <= 2; cost++) {
		for (number = 0; number < mirrors; number++) {
			sendcp_chunk_mirror(chunk, where, number, mirror);
			if (mirror_cost(volume, chunk, where, mirror) == cost && !mirror_num--)
				return;
		}
	}
}
