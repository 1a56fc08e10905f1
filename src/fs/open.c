// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A volume from its opening to its closing, and keeping up with a mounted one's commits.
 */
#include "fs/internal.h"

/* On a mounted filesystem the chunk tree may be rewritten while it is being read. */
#define SENDCP_OPEN_TRIES 8

static void volume_adopt_root(struct sendcp_volume *volume, const struct sendcp_disk_super *super)
{
	volume->generation = le64_to_cpu(super->generation);
	volume->log_root = le64_to_cpu(super->log_root);
	volume->root_tree.bytenr = le64_to_cpu(super->root);
	volume->root_tree.generation = volume->generation;
	volume->root_tree.level = super->root_level;
}

static void volume_adopt(struct sendcp_volume *volume, const struct sendcp_disk_super *super)
{
	volume->incompat = le64_to_cpu(super->incompat_flags);
	volume->nodesize = le32_to_cpu(super->nodesize);
	volume->sectorsize = le32_to_cpu(super->sectorsize);
	volume->csum_type = le16_to_cpu(super->csum_type);
	volume->csum_size = sendcp_csum_size(volume->csum_type);
	memcpy(volume->fsid, super->fsid, SENDCP_UUID_SIZE);
	volume_adopt_root(volume, super);
}

/* Devices that could not be read are left out from now on: say so. */
static void volume_warn_missing(struct sendcp_volume *volume, const struct sendcp_super_set *set)
{
	u32 i;

	for (i = 0; i < volume->host->device_count; i++) {
		if (set->valid[i])
			continue;
		volume->error = set->why[i];
		sendcp_volume_warn(volume);
	}
	sendcp_error_clear(&volume->error);
}

static int volume_start(struct sendcp_volume *volume, struct sendcp_super_set *set)
{
	const struct sendcp_disk_super *super;
	int ret;

	memset(volume->devices, 0, volume->host->device_count * sizeof(*volume->devices));
	ret = sendcp_devices_group(volume, set);
	if (ret)
		return ret;
	super = &set->supers[set->best];
	ret = sendcp_super_readable(volume, super);
	if (ret)
		return ret;
	volume_adopt(volume, super);
	if (!volume->cache)
		ret = sendcp_cache_create(volume);
	if (!ret)
		ret = sendcp_chunks_load(volume, super);
	if (!ret)
		ret = sendcp_devices_revalidate(volume);
	return ret;
}

/* One look at the devices: superblocks, chunk map, the root tree's first block. */
static int volume_try(struct sendcp_volume *volume)
{
	struct sendcp_super_set set;
	int ret;

	ret = sendcp_super_set_read(volume, &set);
	if (ret)
		return ret;
	ret = volume_start(volume, &set);
	if (!ret)
		ret = sendcp_tree_probe(volume);
	if (!ret)
		volume_warn_missing(volume, &set);
	sendcp_super_set_release(&set);
	return ret;
}

static bool volume_may_retry(const struct sendcp_volume *volume, int err)
{
	return volume->host->mounted && (err == -EUCLEAN || err == -EIO || err == -ENODEV);
}

int sendcp_volume_open(const struct sendcp_host *host, struct sendcp_volume **out,
		       struct sendcp_error *error)
{
	struct sendcp_volume *volume = sendcp_zalloc(sizeof(*volume));
	int tries = SENDCP_OPEN_TRIES;
	int ret;

	*out = NULL;
	sendcp_error_clear(error);
	if (volume) {
		volume->host = host;
		sendcp_error_clear(&volume->error);
		volume->devices = sendcp_zalloc((host->device_count + 1ULL) *
						sizeof(*volume->devices));
	}
	if (!volume || !volume->devices) {
		sendcp_free(volume);
		error->reason = SENDCP_ERR_NO_MEMORY;
		error->err = -ENOMEM;
		return -ENOMEM;
	}
	do {
		ret = volume_try(volume);
	} while (ret && volume_may_retry(volume, ret) && --tries);
	if (ret) {
		*error = volume->error;
		sendcp_volume_close(volume);
		return ret;
	}
	*out = volume;
	return 0;
}

void sendcp_volume_close(struct sendcp_volume *volume)
{
	if (!volume)
		return;
	sendcp_cache_destroy(volume);
	sendcp_chunk_map_release(&volume->chunks);
	sendcp_free(volume->devices);
	sendcp_free(volume);
}

void sendcp_volume_stats(const struct sendcp_volume *volume, struct sendcp_stats *stats)
{
	*stats = volume->stats;
}

const struct sendcp_error *sendcp_volume_error(const struct sendcp_volume *volume)
{
	return &volume->error;
}

void sendcp_volume_info(const struct sendcp_volume *volume, struct sendcp_volume_info *info)
{
	*info = (struct sendcp_volume_info) {
		.generation = volume->generation,
		.log_root = volume->log_root,
		.nodesize = volume->nodesize,
		.sectorsize = volume->sectorsize,
	};
	memcpy(info->fsid, volume->fsid, sizeof(info->fsid));
}

static bool chunk_root_moved(const struct sendcp_volume *volume,
			     const struct sendcp_disk_super *super)
{
	return le64_to_cpu(super->chunk_root) != volume->chunk_tree.bytenr ||
	       le64_to_cpu(super->chunk_root_generation) != volume->chunk_tree.generation;
}

/* 1: took over something newer; 0: there is nothing newer. */
static int volume_refresh_try(struct sendcp_volume *volume)
{
	const struct sendcp_disk_super *super;
	struct sendcp_super_set set;
	int ret;

	ret = sendcp_super_set_reread(volume, &set);
	if (ret)
		return ret;
	ret = sendcp_devices_newest(volume, &set);
	if (ret)
		goto out;
	super = &set.supers[set.best];
	if (le64_to_cpu(super->generation) <= volume->generation)
		goto out;
	ret = sendcp_super_readable(volume, super);
	if (!ret && chunk_root_moved(volume, super))
		ret = sendcp_chunks_load(volume, super);
	if (ret)
		goto out;
	volume_adopt_root(volume, super);
	sendcp_devices_update(volume, &set);
	ret = 1;
out:
	sendcp_super_set_release(&set);
	return ret;
}

int sendcp_volume_refresh(struct sendcp_volume *volume)
{
	int tries = SENDCP_OPEN_TRIES;
	int ret;

	if (!volume->host->mounted)
		return 0;
	do {
		ret = volume_refresh_try(volume);
	} while (ret < 0 && volume_may_retry(volume, ret) && --tries);
	return ret;
}
