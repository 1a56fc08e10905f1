// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Reading stored bytes by address, with every mirror tried before giving up.
 *
 * A run is read whole from one mirror; only the sectors found bad in it are looked for elsewhere,
 * so a single rotten sector costs one extra read and a dead device costs none per sector.
 */
#include "data/data.h"
#include "data/csum.h"

/*
 * Bytes go through this much memory when the caller's buffer or range is not aligned. Never less
 * than the largest sector.
 */
#define BOUNCE_SIZE (64u << 10)
#define ALIGNMENT 4096u
#define NO_MIRROR (-1)

struct data_reader {
	struct sendcp_volume *volume;
	struct sendcp_csums csums;
	u8 *bounce;
	/*
	 * For a warning: the number of sectors that another mirror had to serve, and the first of
	 * them.
	 */
	u32 repaired;
	u64 first_repaired;
	enum sendcp_reason repair_reason;
};

static int fail_at(struct data_reader *reader, enum sendcp_reason reason, int err, u64 logical)
{
	return sendcp_fail(reader->volume, reason, err,
			   &(struct sendcp_place){ .bytenr = logical });
}

static void note_repair(struct data_reader *reader, enum sendcp_reason reason, u64 logical,
			u32 count)
{
	if (!reader->repaired) {
		reader->first_repaired = logical;
		reader->repair_reason = reason;
	}
	reader->repaired += count;
	reader->volume->stats.repairs += count;
}

static void warn_of_repairs(struct data_reader *reader)
{
	const struct sendcp_host *host = reader->volume->host;
	struct sendcp_error what;

	if (!reader->repaired || !host->ops->warn)
		return;
	sendcp_error_clear(&what);
	what.reason = reader->repair_reason;
	what.err = sendcp_reason_errno(what.reason);
	what.bytenr = reader->first_repaired;
	snprintf(what.detail, sizeof(what.detail), "%u sectors from there on", reader->repaired);
	host->ops->warn(host->private, &what);
}

static int fail_final(struct data_reader *reader, int ret, u64 logical)
{
	return fail_at(reader, ret == -EINTR ? SENDCP_ERR_INTERRUPTED : SENDCP_ERR_NO_MEMORY, ret,
		       logical);
}

/* 1: the sector is what its checksum says, or has none; 0: it is not; negative errno. */
static int sector_good(struct data_reader *reader, u64 logical, const u8 *data)
{
	struct sendcp_volume *volume = reader->volume;
	u8 computed[SENDCP_CSUM_FIELD];
	const u8 *digest;
	int ret;

	ret = sendcp_csums_find(&reader->csums, logical, &digest);
	if (ret <= 0)
		return ret ? ret : 1;
	ret = sendcp_checksum(volume->csum_type, data, volume->sectorsize, computed);
	if (ret)
		return fail_at(reader, SENDCP_ERR_CSUM_TYPE, ret, logical);
	return !memcmp(computed, digest, volume->csum_size);
}

/* Fills one sector from the first mirror but @except that is good. */
static int repair_sector(struct data_reader *reader, u64 logical, u8 *data, int mirrors, int except)
{
	u32 size = reader->volume->sectorsize;
	enum sendcp_reason reason = except == NO_MIRROR ? SENDCP_ERR_DATA_READ :
		SENDCP_ERR_DATA_CSUM;
	int err = 0;
	int mirror;
	int ret;

	for (mirror = 0; mirror < mirrors; mirror++) {
		if (mirror == except)
			continue;
		ret = sendcp_volume_read_mirror(reader->volume, logical, size, mirror, data);
		if (sendcp_is_final(ret))
			return fail_final(reader, ret, logical);
		if (ret) {
			/* A device that is gone may come back with what another one cannot read. */
			if (!err || err == -EIO)
				err = ret;
			continue;
		}
		ret = sector_good(reader, logical, data);
		if (ret < 0)
			return ret;
		if (ret) {
			note_repair(reader, reason, logical, 1);
			return 0;
		}
		reason = SENDCP_ERR_DATA_CSUM;
	}
	return fail_at(reader, reason, reason == SENDCP_ERR_DATA_CSUM ? 0 : err, logical);
}

/*
 * Reads the run from the first mirror that gives it whole. Returns the mirror's number, NO_MIRROR
 * if none does, or through *@ret an error that ends everything.
 */
static int read_whole(struct data_reader *reader, u64 logical, u32 length, u8 *data, int mirrors,
		      int *ret)
{
	u32 sectors = (u32)sendcp_div(length, reader->volume->sectorsize, NULL);
	bool broken = false;
	int mirror;

	for (mirror = 0; mirror < mirrors; mirror++) {
		*ret = sendcp_volume_read_mirror(reader->volume, logical, length, mirror, data);
		if (!*ret) {
			if (broken)
				note_repair(reader, SENDCP_ERR_DATA_READ, logical, sectors);
			return mirror;
		}
		if (sendcp_is_final(*ret)) {
			*ret = fail_final(reader, *ret, logical);
			return NO_MIRROR;
		}
		/* A missing device was reported once, when the volume was opened. */
		broken |= *ret != -ENODEV;
	}
	*ret = 0;
	return NO_MIRROR;
}

/* @logical and @length are multiples of the sector size and within one run; @data is aligned. */
static int read_run(struct data_reader *reader, u64 logical, u32 length, u8 *data)
{
	u32 size = reader->volume->sectorsize;
	int mirrors = sendcp_volume_mirrors(reader->volume, logical);
	int mirror;
	int ret;
	u32 at;

	if (mirrors < 0)
		return mirrors;
	mirror = read_whole(reader, logical, length, data, mirrors, &ret);
	if (ret)
		return ret;
	for (at = 0; at < length; at += size) {
		ret = 0;
		if (mirror != NO_MIRROR)
			ret = sector_good(reader, logical + at, data + at);
		if (!ret) {
			ret = repair_sector(reader, logical + at, data + at, mirrors, mirror);
			if (ret)
				return ret;
		}
		if (ret < 0)
			return ret;
	}
	return 0;
}

/* Chooses the memory to read the sectors into: the caller's if it can take them as they are. */
static u8 *pick_target(struct data_reader *reader, u32 skip, u32 length, u8 *out, u32 *want)
{
	u32 size = reader->volume->sectorsize;

	if (!skip && length >= size && sendcp_is_aligned((uintptr_t)out, ALIGNMENT)) {
		*want = (u32)sendcp_round_down(length, size);
		return out;
	}
	*want = (u32)sendcp_min(sendcp_round_up((u64)skip + length, size), BOUNCE_SIZE);
	if (!reader->bounce)
		reader->bounce = sendcp_alloc_aligned(BOUNCE_SIZE);
	return reader->bounce;
}

/* Reads the beginning of the range; *@done is how much of it. */
static int read_some(struct data_reader *reader, u64 logical, u32 length, u8 *out, u32 *done)
{
	u32 size = reader->volume->sectorsize;
	u64 start = sendcp_round_down(logical, size);
	u32 skip = (u32)(logical - start);
	u32 want;
	u8 *target;
	u32 contiguous;
	int ret;

	target = pick_target(reader, skip, length, out, &want);
	if (!target)
		return fail_at(reader, SENDCP_ERR_NO_MEMORY, 0, logical);
	contiguous = (u32)sendcp_round_down(sendcp_volume_contiguous(reader->volume, start, want),
					    size);
	if (!contiguous)
		return fail_at(reader, SENDCP_ERR_CHUNK_UNMAPPED, 0, start);
	ret = read_run(reader, start, contiguous, target);
	if (ret)
		return ret;
	*done = (u32)sendcp_min(contiguous - skip, length);
	if (target != out)
		memcpy(out, target + skip, *done);
	return 0;
}

int sendcp_volume_read_data(struct sendcp_volume *volume, u64 logical, u32 length, void *buffer)
{
	struct data_reader reader = { .volume = volume };
	u8 *out = buffer;
	u32 done = 0;
	int ret;

	/* Rounding up to a sector must not wrap either. */
	if (logical + length < logical || logical + length > ~0ULL - SENDCP_NODESIZE_MAX)
		return fail_at(&reader, SENDCP_ERR_CHUNK_UNMAPPED, 0, logical);
	ret = sendcp_csums_init(&reader.csums, volume);
	while (!ret && length) {
		ret = read_some(&reader, logical, length, out, &done);
		if (!ret) {
			logical += done;
			out += done;
			length -= done;
		}
	}
	sendcp_csums_release(&reader.csums);
	sendcp_free_aligned(reader.bounce, BOUNCE_SIZE);
	warn_of_repairs(&reader);
	return ret;
}
