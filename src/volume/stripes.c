// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * From an offset in a chunk to stripes and offsets in them, for every profile.
 *
 * A *way* is one manner of obtaining bytes: a plain copy, or for RAID5/6 a reconstruction that
 * leaves the column itself (and perhaps another one that is presumed bad) out. Ways are independent
 * of the devices present; scp_chunk_choose() sorts those that need bad devices to the end.
 */
#include "volume/internal.h"

/* Profiles that place 64 KiB pieces on one stripe after the other. */
#define SCP_CHUNK_STRIPED \
	(SCP_CHUNK_RAID0 | SCP_CHUNK_RAID10 | SCP_CHUNK_RAID5 | SCP_CHUNK_RAID6)

/* Number of pieces in a row. */
static u32 chunk_columns(const struct scp_chunk *chunk)
{
	if (chunk->type & SCP_CHUNK_RAID10)
		return chunk->num_stripes / 2u;
	if (chunk->type & SCP_CHUNK_RAID5)
		return chunk->num_stripes - 1u;
	if (chunk->type & SCP_CHUNK_RAID6)
		return chunk->num_stripes - 2u;
	return chunk->num_stripes;
}

void scp_chunk_locate(const struct scp_chunk *chunk, u64 logical, struct scp_location *where)
{
	u64 x = logical - chunk->start;
	u64 row;

	memset(where, 0, sizeof(*where));
	where->inside = x;
	if (!(chunk->type & SCP_CHUNK_STRIPED))
		return;
	where->data = chunk_columns(chunk);
	row = scp_div(x / SCP_STRIPE_LEN, where->data, &where->column);
	where->inside = row * SCP_STRIPE_LEN + x % SCP_STRIPE_LEN;
	where->base = where->column;
	if (chunk->type & SCP_CHUNK_RAID10)
		where->base = 2 * where->column;
	if (!scp_chunk_is_raid56(chunk))
		return;
	/* Parity moves on by one stripe with each row. */
	scp_div(row, chunk->num_stripes, &where->first);
	where->base = scp_chunk_column_stripe(chunk, where, where->column);
}

u32 scp_chunk_run(const struct scp_chunk *chunk, u64 logical, u32 length)
{
	u64 x = logical - chunk->start;
	u64 run = scp_min(length, chunk->length - x);

	if (chunk->type & SCP_CHUNK_STRIPED)
		run = scp_min(run, SCP_STRIPE_LEN - x % SCP_STRIPE_LEN);
	return (u32)run;
}

u32 scp_chunk_ways(const struct scp_chunk *chunk)
{
	if (chunk->type & SCP_CHUNK_RAID0)
		return 1;
	if (chunk->type & (SCP_CHUNK_RAID10 | SCP_CHUNK_RAID5))
		return 2;
	/* RAID6: plain, P, Q, and P and Q without each of the other n - 3 data columns. */
	return chunk->num_stripes;
}

void scp_chunk_way(const struct scp_chunk *chunk, const struct scp_location *where, u32 number,
		   struct scp_way *way)
{
	memset(way, 0, sizeof(*way));
	way->kind = SCP_WAY_PLAIN;
	way->stripe = where->base;
	if (!scp_chunk_is_raid56(chunk)) {
		way->stripe += number;
	} else if (number == 1) {
		way->kind = SCP_WAY_P;
	} else if (number == where->data + 1) {
		way->kind = SCP_WAY_Q;
	} else if (number > 1) {
		way->kind = SCP_WAY_PQ;
		way->lost = number - 2;
		way->lost += way->lost >= where->column;
	}
}

u32 scp_chunk_column_stripe(const struct scp_chunk *chunk, const struct scp_location *where,
			    u32 column)
{
	u32 stripe = where->first + column;

	return stripe < chunk->num_stripes ? stripe : stripe - chunk->num_stripes;
}

bool scp_way_needs(const struct scp_way *way, const struct scp_location *where, u32 column)
{
	u32 p = where->data, q = where->data + 1;

	if (column == where->column)
		return way->kind == SCP_WAY_PLAIN;
	switch (way->kind) {
	case SCP_WAY_PLAIN:
		return false;
	case SCP_WAY_P:
		return column != q;
	case SCP_WAY_Q:
		return column != p;
	case SCP_WAY_PQ:
		return column != way->lost;
	}
	return false;
}

/* Trust in a stripe: 0 full, 1 its device missed commits, 2 its device is not there. */
static u32 stripe_cost(const struct scp_volume *volume, const struct scp_chunk *chunk,
		       u32 stripe)
{
	u32 device = chunk->stripes[stripe].device;

	if (device == SCP_NO_DEVICE)
		return 2;
	return volume->devices[device].stale;
}

static u32 way_cost(const struct scp_volume *volume, const struct scp_chunk *chunk,
		    const struct scp_location *where, const struct scp_way *way)
{
	u32 column, cost = 0;

	if (way->kind == SCP_WAY_PLAIN)
		return stripe_cost(volume, chunk, way->stripe);
	for (column = 0; column < chunk->num_stripes; column++)
		if (scp_way_needs(way, where, column))
			cost = (u32)scp_max(cost, stripe_cost(volume, chunk,
				scp_chunk_column_stripe(chunk, where, column)));
	return cost;
}

static bool chunk_is_whole(const struct scp_volume *volume, const struct scp_chunk *chunk)
{
	u32 i;

	for (i = 0; i < chunk->num_stripes; i++)
		if (stripe_cost(volume, chunk, i))
			return false;
	return true;
}

void scp_chunk_choose(const struct scp_volume *volume, const struct scp_chunk *chunk,
		      const struct scp_location *where, u32 copy, struct scp_way *way)
{
	u32 cost, number, ways = scp_chunk_ways(chunk);

	if (chunk_is_whole(volume, chunk)) {
		scp_chunk_way(chunk, where, copy, way);
		return;
	}
	for (cost = 0; cost <= 2; cost++) {
		for (number = 0; number < ways; number++) {
			scp_chunk_way(chunk, where, number, way);
			if (way_cost(volume, chunk, where, way) == cost && !copy--)
				return;
		}
	}
}
