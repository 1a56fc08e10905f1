/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A filesystem, read through its devices: opening it, keeping up with its commits.
 *
 * One caller at a time for a volume and everything opened on it. Functions return 0 (or what they
 * document) or a negative errno; sendcp_volume_error() then says more.
 */
#ifndef SENDCP_VOLUME_H
#define SENDCP_VOLUME_H

#include <sendcp/error.h>
#include <sendcp/host.h>
#include <sendcp/platform.h>

struct sendcp_volume;

/*
 * Opens the filesystem on @host's devices: superblocks, chunk map, root tree. @host and what it
 * points at must stay until sendcp_volume_close(). On failure returns a negative errno, *@out is
 * NULL and @error says why.
 */
int sendcp_volume_open(const struct sendcp_host *host, struct sendcp_volume **out,
		       struct sendcp_error *error);
/* Engines and file readers of it must be closed before. NULL is allowed. */
void sendcp_volume_close(struct sendcp_volume *volume);

/*
 * Reads the superblocks again and, if they have a newer generation, takes over root tree pointer
 * and (if it changed) the chunk map. Returns 1 if something newer was there, 0 if not, or a
 * negative errno: -ENODEV with reason DEVICES_CHANGED if the devices are another filesystem's now.
 * Always 0 if it is not mounted (sendcp_host.mounted). Cached blocks stay: address and generation
 * identify them.
 */
int sendcp_volume_refresh(struct sendcp_volume *volume);

/* Why the last call about @volume failed. Owned by the volume. */
const struct sendcp_error *sendcp_volume_error(const struct sendcp_volume *volume);

/* As the newest superblock has it, in host byte order. */
struct sendcp_volume_info {
	/* The filesystem id, as mount and blkid show it. */
	u8 fsid[16];
	/* Transaction id of the newest commit. */
	u64 generation;
	/* Logical address of the log tree that fsync wrote since that commit; 0: there is none. */
	u64 log_root;
	/* Bytes. */
	u32 nodesize;
	u32 sectorsize;
};

void sendcp_volume_info(const struct sendcp_volume *volume, struct sendcp_volume_info *info);

/* Counters since sendcp_volume_open(); for tests and for the curious. */
struct sendcp_stats {
	/* Tree blocks asked for, and those that had to be read from a device. */
	u64 node_lookups;
	u64 node_reads;
	/* Reads of devices, and calls of the host for them. */
	u64 device_reads;
	u64 device_calls;
	/* Mirrors found bad and replaced by another one. */
	u64 repairs;
	/* Times the trees had moved and were looked up again. */
	u64 refreshes;
};

void sendcp_volume_stats(const struct sendcp_volume *volume, struct sendcp_stats *stats);

#endif
