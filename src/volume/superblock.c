// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Superblocks: reading the copies of a device, believing or rejecting each, taking the newest.
 */
#include "volume/internal.h"

const u64 sendcp_super_offsets[SENDCP_SUPER_COPIES] = {
	SENDCP_SUPER_OFFSET_0, SENDCP_SUPER_OFFSET_1, SENDCP_SUPER_OFFSET_2,
};

/* A superblock of a mounted filesystem may be read while it is being written: look again. */
#define SENDCP_SUPER_TRIES 3

u8 sendcp_csum_size(u16 type)
{
	static const u8 sizes[] = {
		[SENDCP_CSUM_CRC32C] = 4,
		[SENDCP_CSUM_XXHASH64] = 8,
		[SENDCP_CSUM_SHA256] = 32,
		[SENDCP_CSUM_BLAKE2B] = 32,
	};

	return type < ARRAY_SIZE(sizes) ? sizes[type] : 0;
}

static bool size_is_legal(u32 size, u32 least)
{
	return size >= least && size <= SENDCP_NODESIZE_MAX && !(size & (size - 1));
}

/*
 * Values that later code computes with; the structures they point to are checked when they are
 * read.
 */
static bool super_fields_ok(const struct sendcp_disk_super *super)
{
	u32 sectorsize = le32_to_cpu(super->sectorsize);

	return size_is_legal(sectorsize, SENDCP_SECTORSIZE_MIN) &&
	       size_is_legal(le32_to_cpu(super->nodesize), sectorsize) &&
	       super->root_level < SENDCP_MAX_LEVEL && super->chunk_root_level < SENDCP_MAX_LEVEL &&
	       sendcp_is_aligned(le64_to_cpu(super->root), sectorsize) &&
	       sendcp_is_aligned(le64_to_cpu(super->chunk_root), sectorsize) &&
	       le64_to_cpu(super->generation) && le64_to_cpu(super->chunk_root_generation) &&
	       le32_to_cpu(super->sys_chunk_array_size) <= sizeof(super->sys_chunk_array);
}

enum sendcp_reason sendcp_super_check(const struct sendcp_disk_super *super, u64 bytenr)
{
	u16 type = le16_to_cpu(super->csum_type);
	u8 digest[SENDCP_CSUM_FIELD];

	if (le64_to_cpu(super->magic) != SENDCP_SUPER_MAGIC)
		return SENDCP_ERR_NOT_BTRFS;
	if (!sendcp_csum_size(type) ||
	    sendcp_checksum(type, super->fsid, SENDCP_SUPER_SIZE - SENDCP_CSUM_FIELD, digest))
		return SENDCP_ERR_CSUM_TYPE;
	if (memcmp(digest, super->csum, sendcp_csum_size(type)))
		return SENDCP_ERR_SUPER_CSUM;
	if (le64_to_cpu(super->bytenr) != bytenr || !super_fields_ok(super))
		return SENDCP_ERR_SUPER_FIELDS;
	return SENDCP_ERR_NONE;
}

const u8 *sendcp_super_metadata_uuid(const struct sendcp_disk_super *super)
{
	if (le64_to_cpu(super->incompat_flags) & SENDCP_INCOMPAT_METADATA_UUID)
		return super->metadata_uuid;
	return super->fsid;
}

/*
 * A later copy may be a leftover of an earlier filesystem, beyond the end of a smaller one made
 * since: it counts only if it is of the same device as the first copy, where that is good.
 */
static bool super_is_newer(const struct sendcp_disk_super *super,
			   const struct sendcp_disk_super *than)
{
	return le64_to_cpu(super->generation) > le64_to_cpu(than->generation) &&
	       !memcmp(super->fsid, than->fsid, SENDCP_UUID_SIZE) &&
	       !memcmp(super->dev_item.uuid, than->dev_item.uuid, SENDCP_UUID_SIZE);
}

/*
 * Keeps the reason for a message about a device none of whose copies is good: the first that says
 * most.
 */
static void super_note(struct sendcp_volume *volume, const struct sendcp_io *io,
		       enum sendcp_reason reason)
{
	enum sendcp_reason known = volume->error.reason;

	if (io->result && known == SENDCP_ERR_NONE)
		sendcp_fail_io(volume, io);
	else if (io->result)
		return;
	else if (known == SENDCP_ERR_NONE ||
		 (known == SENDCP_ERR_NOT_BTRFS && reason != SENDCP_ERR_NOT_BTRFS))
		sendcp_fail_device(volume, reason, 0, io->device, SENDCP_NOWHERE);
	else if (known != SENDCP_ERR_NOT_BTRFS && known != SENDCP_ERR_DEVICE_READ &&
		 reason != SENDCP_ERR_NOT_BTRFS)
		sendcp_fail_device(volume, SENDCP_ERR_SUPER_NONE, 0, io->device, SENDCP_NOWHERE);
}

/* Reads the fixed places into @pages; @best becomes the newest good one if there is any. */
static int super_read_fixed(struct sendcp_volume *volume, u32 device,
			    struct sendcp_disk_super *pages, struct sendcp_disk_super *best,
			    bool *found)
{
	struct sendcp_io ios[SENDCP_SUPER_COPIES];
	int i, ret;

	for (i = 0; i < SENDCP_SUPER_COPIES; i++)
		ios[i] = (struct sendcp_io) {
			.device = device,
			.offset = sendcp_super_offsets[i],
			.length = SENDCP_SUPER_SIZE,
			.buffer = &pages[i],
		};
	ret = sendcp_device_read(volume, ios, SENDCP_SUPER_COPIES);
	if (ret)
		return ret;
	sendcp_error_clear(&volume->error);
	for (i = 0; i < SENDCP_SUPER_COPIES; i++) {
		enum sendcp_reason reason = SENDCP_ERR_NONE;

		if (!ios[i].result)
			reason = sendcp_super_check(&pages[i], sendcp_super_offsets[i]);
		if (ios[i].result || reason) {
			super_note(volume, &ios[i], reason);
		} else if (!*found || super_is_newer(&pages[i], best)) {
			*best = pages[i];
			*found = true;
		}
	}
	return 0;
}

static bool super_may_be_logged(const struct sendcp_disk_super *best, bool found)
{
	return !found || (le64_to_cpu(best->incompat_flags) & SENDCP_INCOMPAT_ZONED);
}

int sendcp_super_read(struct sendcp_volume *volume, u32 device, struct sendcp_disk_super *out)
{
	size_t size = (size_t)SENDCP_SUPER_COPIES * SENDCP_SUPER_SIZE;
	struct sendcp_disk_super *pages = sendcp_alloc_aligned(size);
	int tries = volume->host->mounted ? SENDCP_SUPER_TRIES : 1;
	struct sendcp_error why;
	bool found = false;
	int ret = 0;

	if (!pages)
		return sendcp_fail_device(volume, SENDCP_ERR_NO_MEMORY, 0, device, SENDCP_NOWHERE);
	while (!ret && !found && tries--)
		ret = super_read_fixed(volume, device, pages, out, &found);
	if (!ret && super_may_be_logged(out, found)) {
		why = volume->error;
		ret = sendcp_super_read_log(volume, device, out, &found);
		if (!ret)
			volume->error = why;
	}
	sendcp_free_aligned(pages, size);
	if (ret)
		return ret;
	return found ? 0 : volume->error.err;
}

static int super_set_alloc(struct sendcp_volume *volume, struct sendcp_super_set *set)
{
	u32 count = volume->host->device_count;

	memset(set, 0, sizeof(*set));
	if (!count)
		return sendcp_fail_detail(volume, SENDCP_ERR_NOT_BTRFS, "no device");
	set->size = (size_t)count * SENDCP_SUPER_SIZE;
	set->supers = sendcp_alloc_aligned(set->size);
	set->valid = sendcp_zalloc(count * sizeof(*set->valid));
	set->why = sendcp_zalloc(count * sizeof(*set->why));
	if (set->supers && set->valid && set->why)
		return 0;
	sendcp_super_set_release(set);
	return sendcp_fail_detail(volume, SENDCP_ERR_NO_MEMORY, NULL);
}

void sendcp_super_set_release(struct sendcp_super_set *set)
{
	if (set->supers)
		sendcp_free_aligned(set->supers, set->size);
	sendcp_free(set->valid);
	sendcp_free(set->why);
	memset(set, 0, sizeof(*set));
}

static bool super_is_zoned(const struct sendcp_volume *volume)
{
	return volume->incompat & SENDCP_INCOMPAT_ZONED;
}

/* The first copy of each device that is there, to its place in @set; results in @ios. */
static int super_set_read_first(struct sendcp_volume *volume, struct sendcp_super_set *set,
				struct sendcp_io *ios)
{
	unsigned int count = 0;
	u32 i;

	for (i = 0; i < volume->host->device_count; i++)
		if (volume->devices[i].present)
			ios[count++] = (struct sendcp_io) {
				.device = i,
				.offset = sendcp_super_offsets[0],
				.length = SENDCP_SUPER_SIZE,
				.buffer = &set->supers[i],
			};
	return count ? sendcp_device_read(volume, ios, count) : 0;
}

/* If the first copy, read by @io, will not do, the others are tried. */
static int super_settle(struct sendcp_volume *volume, struct sendcp_super_set *set,
			const struct sendcp_io *io)
{
	u32 i = io->device;
	int ret = 0;

	if (super_is_zoned(volume) || io->result ||
	    sendcp_super_check(&set->supers[i], sendcp_super_offsets[0]))
		ret = sendcp_super_read(volume, i, &set->supers[i]);
	if (sendcp_is_final(ret))
		return ret;
	set->valid[i] = !ret;
	if (ret)
		set->why[i] = volume->error;
	return 0;
}

int sendcp_super_set_reread(struct sendcp_volume *volume, struct sendcp_super_set *set)
{
	struct sendcp_io *ios;
	unsigned int next = 0;
	int ret;
	u32 i;

	ret = super_set_alloc(volume, set);
	if (ret)
		return ret;
	ios = sendcp_zalloc(volume->host->device_count * sizeof(*ios));
	if (ios)
		ret = super_set_read_first(volume, set, ios);
	else
		ret = sendcp_fail_detail(volume, SENDCP_ERR_NO_MEMORY, NULL);
	for (i = 0; !ret && i < volume->host->device_count; i++)
		if (volume->devices[i].present)
			ret = super_settle(volume, set, &ios[next++]);
	sendcp_free(ios);
	if (ret)
		sendcp_super_set_release(set);
	return ret;
}

/*
 * A device without a readable superblock counts as missing as long as another one has one: the
 * administrator is warned at opening, and redundancy may do the rest.
 */
int sendcp_super_set_read(struct sendcp_volume *volume, struct sendcp_super_set *set)
{
	u32 i, found = 0;
	int ret;

	ret = super_set_alloc(volume, set);
	if (ret)
		return ret;
	for (i = 0; i < volume->host->device_count; i++) {
		ret = sendcp_super_read(volume, i, &set->supers[i]);
		if (sendcp_is_final(ret))
			goto fail;
		set->valid[i] = !ret;
		found += !ret;
		if (ret)
			set->why[i] = volume->error;
	}
	if (found)
		return 0;
	volume->error = set->why[0];
	ret = volume->error.err;
fail:
	sendcp_super_set_release(set);
	return ret;
}
