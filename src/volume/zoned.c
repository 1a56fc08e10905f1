// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Superblocks of zoned devices: logs in pairs of sequential zones instead of fixed places.
 *
 * Each commit appends one superblock to a zone of the pair; when it is full the other one is reset
 * and takes the next ones. So inside a zone everything up to the newest is a superblock, which
 * makes a binary search possible. No zone report is needed: images of zoned devices can be read,
 * too.
 */
#include "volume/internal.h"

#define SENDCP_ZONE_MIN	(4ULL << 20)
#define SENDCP_ZONE_MAX	(8ULL << 30)

/* The beginnings of the pairs: all are multiples of every legal zone size. */
static const u64 sendcp_log_bases[SENDCP_SUPER_COPIES] = { 0, 512ULL << 30, 4ULL << 40 };

struct sendcp_log {
	struct sendcp_volume *volume;
	u32 device;
	/* The offset in the copies themselves: that of a device without zones. */
	u64 bytenr;
	struct sendcp_disk_super *page;
};

/* 1: a good superblock is at @offset, and in log->page; 0: not; or what ends everything. */
static int log_read(struct sendcp_log *log, u64 offset)
{
	struct sendcp_io io = {
		.device = log->device,
		.offset = offset,
		.length = SENDCP_SUPER_SIZE,
		.buffer = log->page,
	};
	int ret = sendcp_device_read(log->volume, &io, 1);

	if (ret)
		return ret;
	return !io.result && sendcp_super_check(log->page, log->bytenr) == SENDCP_ERR_NONE;
}

/*
 * Leaves the newest superblock of the zone at @start in log->page. Steps of doubling size come
 * first, so that reads do not go far past the end of a log of unknown limit. 1: found; 0: the zone
 * has none.
 */
static int log_last(struct sendcp_log *log, u64 start, u64 zone)
{
	u64 good = 0, bad = zone / SENDCP_SUPER_SIZE, step = 1, middle;
	int ret = log_read(log, start);

	if (ret <= 0)
		return ret;
	while (bad - good > 1) {
		middle = good + sendcp_min(step, (bad - good) / 2);
		ret = log_read(log, start + middle * SENDCP_SUPER_SIZE);
		if (ret < 0)
			return ret;
		if (ret) {
			good = middle;
			step *= 2;
		} else {
			bad = middle;
		}
	}
	return log_read(log, start + good * SENDCP_SUPER_SIZE);
}

/* On a zoned filesystem each stripe of a chunk is one zone, so SYSTEM chunks have its size. */
static u64 zone_size_of(const struct sendcp_disk_super *super)
{
	const u8 *array = super->sys_chunk_array;
	u64 zone;

	if (le32_to_cpu(super->sys_chunk_array_size) <
	    sizeof(struct sendcp_disk_key) + sizeof(struct sendcp_disk_chunk))
		return 0;
	zone = sendcp_get_le64(array + sizeof(struct sendcp_disk_key));
	if (zone < SENDCP_ZONE_MIN || zone > SENDCP_ZONE_MAX || (zone & (zone - 1)))
		return 0;
	return zone;
}

/*
 * The size of the zones at @base; 0 if there is no log, SENDCP_ZONE_MAX if it cannot be known (then
 * the second zone is not looked at). With an empty first zone the second one begins at the first
 * place that has a superblock.
 */
static int log_zone_size(struct sendcp_log *log, u64 base, u64 *zone)
{
	int ret = log_read(log, base);

	if (ret < 0)
		return ret;
	if (ret) {
		*zone = zone_size_of(log->page);
		if (!*zone)
			*zone = SENDCP_ZONE_MAX;
		return 0;
	}
	for (*zone = SENDCP_ZONE_MIN; *zone <= SENDCP_ZONE_MAX; *zone *= 2) {
		ret = log_read(log, base + *zone);
		if (ret)
			return ret < 0 ? ret : 0;
	}
	*zone = 0;
	return 0;
}

static int log_pair(struct sendcp_log *log, u64 base, struct sendcp_disk_super *best, bool *found)
{
	u64 zone = 0;
	int i, ret;

	ret = log_zone_size(log, base, &zone);
	if (ret || !zone)
		return ret;
	for (i = 0; i < 2; i++) {
		ret = log_last(log, base + i * zone, zone);
		if (ret < 0)
			return ret;
		if (ret &&
		    (!*found ||
		     le64_to_cpu(log->page->generation) > le64_to_cpu(best->generation))) {
			*best = *log->page;
			*found = true;
		}
	}
	return 0;
}

int sendcp_super_read_log(struct sendcp_volume *volume, u32 device, struct sendcp_disk_super *best,
			  bool *found)
{
	struct sendcp_log log = { .volume = volume, .device = device };
	int i, ret = 0;

	log.page = sendcp_alloc_aligned(SENDCP_SUPER_SIZE);
	if (!log.page)
		return sendcp_fail_device(volume, SENDCP_ERR_NO_MEMORY, 0, device, SENDCP_NOWHERE);
	/* The later pairs are copies of the first: only looked at when that has nothing. */
	for (i = 0; i < SENDCP_SUPER_COPIES && !ret && (!i || !*found); i++) {
		log.bytenr = sendcp_super_offsets[i];
		ret = log_pair(&log, sendcp_log_bases[i], best, found);
	}
	sendcp_free_aligned(log.page, SENDCP_SUPER_SIZE);
	return ret;
}
