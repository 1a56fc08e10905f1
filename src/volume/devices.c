// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Deciding which devices make up the filesystem: its own ones, the seeds below it; all others are
 * refused.
 *
 * Until the chunk tree can be read every device that may be a seed is taken for one, because the
 * chunk tree itself may be on it. Afterwards only those stay that a DEV_ITEM names.
 */
#include "volume/internal.h"

static bool super_is_seed(const struct sendcp_disk_super *super)
{
	return le64_to_cpu(super->flags) & SENDCP_SUPER_SEEDING;
}

static bool same_fsid(const struct sendcp_disk_super *a, const struct sendcp_disk_super *b)
{
	return !memcmp(a->fsid, b->fsid, SENDCP_UUID_SIZE);
}

static bool same_metadata(const struct sendcp_disk_super *a, const struct sendcp_disk_super *b)
{
	return !memcmp(sendcp_super_metadata_uuid(a), sendcp_super_metadata_uuid(b),
		       SENDCP_UUID_SIZE);
}

/* A sprout comes before its seeds, and a newer filesystem before an older one. */
static bool super_goes_before(const struct sendcp_disk_super *a, const struct sendcp_disk_super *b)
{
	if (super_is_seed(a) != super_is_seed(b))
		return super_is_seed(b);
	return le64_to_cpu(a->generation) > le64_to_cpu(b->generation);
}

static void devices_pick(const struct sendcp_volume *volume, struct sendcp_super_set *set)
{
	bool found = false;
	u32 i;

	for (i = 0; i < volume->host->device_count; i++) {
		if (!set->valid[i])
			continue;
		if (!found || super_goes_before(&set->supers[i], &set->supers[set->best]))
			set->best = i;
		found = true;
	}
}

/* May device @i belong to the filesystem of @set's best superblock? */
static int device_check(struct sendcp_volume *volume, const struct sendcp_super_set *set, u32 i)
{
	const struct sendcp_disk_super *main = &set->supers[set->best];
	const struct sendcp_disk_super *super = &set->supers[i];
	u32 j;

	/* A device that missed a change of uuids: the right one is not to be guessed. */
	if (same_fsid(super, main) != same_metadata(super, main)) {
		sendcp_fail_detail(volume, SENDCP_ERR_SUPER_BUSY, "devices disagree on the fsid");
		volume->error.device = i;
		return volume->error.err;
	}
	if (!same_fsid(super, main) && !super_is_seed(super))
		return sendcp_fail_device(volume, SENDCP_ERR_DEVICE_FOREIGN, 0, i, SENDCP_NOWHERE);
	for (j = 0; j < i; j++)
		if (set->valid[j] && same_fsid(super, &set->supers[j]) &&
		    !memcmp(super->dev_item.uuid, set->supers[j].dev_item.uuid, SENDCP_UUID_SIZE))
			return sendcp_fail_device(volume, SENDCP_ERR_DEVICE_TWICE, 0, i,
						  SENDCP_NOWHERE);
	return 0;
}

static void device_adopt(struct sendcp_device *device, const struct sendcp_disk_super *super,
			 const struct sendcp_disk_super *main)
{
	device->devid = le64_to_cpu(super->dev_item.devid);
	memcpy(device->uuid, super->dev_item.uuid, SENDCP_UUID_SIZE);
	memcpy(device->fsid, sendcp_super_metadata_uuid(super), SENDCP_UUID_SIZE);
	device->generation = le64_to_cpu(super->generation);
	device->present = true;
	/* A seed is never written again, so it has missed nothing. */
	device->stale = same_fsid(super, main) &&
			device->generation < le64_to_cpu(main->generation);
}

int sendcp_fsid_allow(struct sendcp_volume *volume, const u8 *fsid)
{
	if (sendcp_volume_owns_fsid(volume, fsid))
		return 0;
	if (volume->node_fsid_count == SENDCP_MAX_FSIDS)
		return sendcp_fail_detail(volume, SENDCP_ERR_SUPER_FIELDS,
					  "too many levels of seeds");
	memcpy(volume->node_fsids[volume->node_fsid_count++], fsid, SENDCP_UUID_SIZE);
	return 0;
}

bool sendcp_volume_owns_fsid(const struct sendcp_volume *volume, const u8 *fsid)
{
	u32 i;

	for (i = 0; i < volume->node_fsid_count; i++)
		if (!memcmp(volume->node_fsids[i], fsid, SENDCP_UUID_SIZE))
			return true;
	return false;
}

int sendcp_devices_group(struct sendcp_volume *volume, struct sendcp_super_set *set)
{
	const struct sendcp_disk_super *main;
	u32 i;
	int ret;

	devices_pick(volume, set);
	main = &set->supers[set->best];
	volume->node_fsid_count = 0;
	ret = sendcp_fsid_allow(volume, sendcp_super_metadata_uuid(main));
	for (i = 0; i < volume->host->device_count && !ret; i++) {
		if (!set->valid[i])
			continue;
		ret = device_check(volume, set, i);
		if (ret)
			break;
		device_adopt(&volume->devices[i], &set->supers[i], main);
		ret = sendcp_fsid_allow(volume, volume->devices[i].fsid);
	}
	return ret;
}

/* Is this still the filesystem that was opened, in the same form? */
static bool super_is_ours(const struct sendcp_volume *volume, const struct sendcp_disk_super *super)
{
	return !memcmp(super->fsid, volume->fsid, SENDCP_UUID_SIZE) &&
	       !memcmp(sendcp_super_metadata_uuid(super), volume->node_fsids[0],
		       SENDCP_UUID_SIZE) &&
	       le32_to_cpu(super->nodesize) == volume->nodesize &&
	       le32_to_cpu(super->sectorsize) == volume->sectorsize &&
	       le16_to_cpu(super->csum_type) == volume->csum_type;
}

/*
 * Does @device, which had a superblock, say that it belongs to this filesystem no more? That is
 * what is left of one that was removed or replaced; one that fails says nothing.
 */
static bool device_left(const struct sendcp_device *device, const struct sendcp_super_set *set,
			u32 i)
{
	const struct sendcp_disk_super *super = &set->supers[i];

	if (!set->valid[i])
		return set->why[i].reason == SENDCP_ERR_NOT_BTRFS;
	return memcmp(super->dev_item.uuid, device->uuid, SENDCP_UUID_SIZE) ||
	       memcmp(sendcp_super_metadata_uuid(super), device->fsid, SENDCP_UUID_SIZE);
}

static void devices_notice(struct sendcp_volume *volume, const struct sendcp_super_set *set)
{
	u32 i;

	volume->devices_changed = false;
	for (i = 0; i < volume->host->device_count; i++)
		if (volume->devices[i].present &&
		    device_left(&volume->devices[i], set, i))
			volume->devices_changed = true;
}

/* Why there is no superblock of this filesystem. */
static int devices_fail(struct sendcp_volume *volume, const struct sendcp_super_set *set)
{
	u32 i;

	if (volume->devices_changed)
		return sendcp_fail_detail(volume, SENDCP_ERR_DEVICES_CHANGED, NULL);
	for (i = 0; i < volume->host->device_count; i++) {
		if (!volume->devices[i].present || !set->why[i].reason)
			continue;
		volume->error = set->why[i];
		return volume->error.err;
	}
	return sendcp_fail_detail(volume, SENDCP_ERR_FILESYSTEM_OTHER, NULL);
}

int sendcp_devices_newest(struct sendcp_volume *volume, struct sendcp_super_set *set)
{
	bool found = false;
	u32 i;

	devices_notice(volume, set);
	for (i = 0; i < volume->host->device_count; i++) {
		if (!set->valid[i] || !volume->devices[i].present ||
		    !super_is_ours(volume, &set->supers[i])) {
			set->valid[i] = false;
			continue;
		}
		if (!found || le64_to_cpu(set->supers[i].generation) >
			      le64_to_cpu(set->supers[set->best].generation))
			set->best = i;
		found = true;
	}
	return found ? 0 : devices_fail(volume, set);
}

void sendcp_devices_update(struct sendcp_volume *volume, const struct sendcp_super_set *set)
{
	const struct sendcp_disk_super *main = &set->supers[set->best];
	u32 i;

	for (i = 0; i < volume->host->device_count; i++) {
		struct sendcp_device *device = &volume->devices[i];

		if (!device->present || memcmp(device->fsid, volume->node_fsids[0],
					       SENDCP_UUID_SIZE))
			continue;
		if (set->valid[i])
			device->generation = le64_to_cpu(set->supers[i].generation);
		device->stale = device->generation < le64_to_cpu(main->generation);
	}
}

u32 sendcp_device_find(const struct sendcp_volume *volume, u64 devid, const u8 *uuid)
{
	u32 i;

	for (i = 0; i < volume->host->device_count; i++)
		if (volume->devices[i].present && volume->devices[i].devid == devid &&
		    !memcmp(volume->devices[i].uuid, uuid, SENDCP_UUID_SIZE))
			return i;
	return SENDCP_NO_DEVICE;
}

/* A device that is gone may say EIO, like a bad sector, but says it of everything. */
int sendcp_volume_answers(struct sendcp_volume *volume)
{
	struct sendcp_super_set set = { 0 };
	int ret = sendcp_super_set_reread(volume, &set);
	u32 i;

	for (i = 0; i < volume->host->device_count && !ret; i++) {
		if (!volume->devices[i].present || set.valid[i])
			continue;
		volume->error = set.why[i];
		ret = volume->error.err;
	}
	sendcp_super_set_release(&set);
	return ret;
}
