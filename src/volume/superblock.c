// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Superblocks: reading the copies of a device, believing or rejecting each, taking the newest.
 */
#include "volume/internal.h"

const u64 scp_super_offsets[SCP_SUPER_COPIES] = {
	SCP_SUPER_OFFSET_0, SCP_SUPER_OFFSET_1, SCP_SUPER_OFFSET_2,
};

/* A superblock of a mounted filesystem may be read while it is being written: look again. */
#define SCP_SUPER_TRIES 3

u8 scp_csum_size(u16 type)
{
	static const u8 sizes[] = {
		[SCP_CSUM_CRC32C] = 4,
		[SCP_CSUM_XXHASH64] = 8,
		[SCP_CSUM_SHA256] = 32,
		[SCP_CSUM_BLAKE2B] = 32,
	};

	return type < ARRAY_SIZE(sizes) ? sizes[type] : 0;
}

static bool size_is_legal(u32 size, u32 least)
{
	return size >= least && size <= SCP_NODESIZE_MAX && !(size & (size - 1));
}

/*
 * Values that later code computes with; the structures they point to are checked when they are
 * read.
 */
static bool super_fields_ok(const struct scp_disk_super *super)
{
	u32 sectorsize = le32_to_cpu(super->sectorsize);

	return size_is_legal(sectorsize, SCP_SECTORSIZE_MIN) &&
	       size_is_legal(le32_to_cpu(super->nodesize), sectorsize) &&
	       super->root_level < SCP_MAX_LEVEL && super->chunk_root_level < SCP_MAX_LEVEL &&
	       scp_is_aligned(le64_to_cpu(super->root), sectorsize) &&
	       scp_is_aligned(le64_to_cpu(super->chunk_root), sectorsize) &&
	       le64_to_cpu(super->generation) && le64_to_cpu(super->chunk_root_generation) &&
	       le32_to_cpu(super->sys_chunk_array_size) <= sizeof(super->sys_chunk_array);
}

enum scp_reason scp_super_check(const struct scp_disk_super *super, u64 bytenr)
{
	u16 type = le16_to_cpu(super->csum_type);
	u8 digest[SCP_CSUM_FIELD];

	if (le64_to_cpu(super->magic) != SCP_SUPER_MAGIC)
		return SCP_NOT_BTRFS;
	if (!scp_csum_size(type) ||
	    scp_checksum(type, super->fsid, SCP_SUPER_SIZE - SCP_CSUM_FIELD, digest))
		return SCP_CSUM_TYPE;
	if (memcmp(digest, super->csum, scp_csum_size(type)))
		return SCP_SUPER_CSUM;
	if (le64_to_cpu(super->bytenr) != bytenr || !super_fields_ok(super))
		return SCP_SUPER_FIELDS;
	return SCP_NONE;
}

const u8 *scp_super_metadata_uuid(const struct scp_disk_super *super)
{
	if (le64_to_cpu(super->incompat_flags) & SCP_INCOMPAT_METADATA_UUID)
		return super->metadata_uuid;
	return super->fsid;
}

/*
 * A later copy may be a leftover of an earlier filesystem, beyond the end of a smaller one made
 * since: it counts only if it is of the same device as the first copy, where that is good.
 */
static bool super_is_newer(const struct scp_disk_super *super,
			   const struct scp_disk_super *than)
{
	return le64_to_cpu(super->generation) > le64_to_cpu(than->generation) &&
	       !memcmp(super->fsid, than->fsid, SCP_UUID_SIZE) &&
	       !memcmp(super->dev_item.uuid, than->dev_item.uuid, SCP_UUID_SIZE);
}

/*
 * Keeps the reason for a message about a device none of whose copies is good: the first that says
 * most.
 */
static void super_note(struct scp_volume *volume, const struct scp_io *io,
		       enum scp_reason reason)
{
	enum scp_reason told = volume->error.reason;

	if (io->result && told == SCP_NONE)
		scp_fail_io(volume, io);
	else if (io->result)
		return;
	else if (told == SCP_NONE || (told == SCP_NOT_BTRFS && reason != SCP_NOT_BTRFS))
		scp_fail_device(volume, reason, 0, io->device, SCP_NOWHERE);
	else if (told != SCP_NOT_BTRFS && told != SCP_DEVICE_READ && reason != SCP_NOT_BTRFS)
		scp_fail_device(volume, SCP_SUPER_NONE, 0, io->device, SCP_NOWHERE);
}

/* Reads the fixed places into @pages; @best becomes the newest good one if there is any. */
static int super_read_fixed(struct scp_volume *volume, u32 device,
			    struct scp_disk_super *pages, struct scp_disk_super *best,
			    bool *found)
{
	struct scp_io ios[SCP_SUPER_COPIES];
	int i, ret;

	for (i = 0; i < SCP_SUPER_COPIES; i++)
		ios[i] = (struct scp_io) {
			.device = device,
			.offset = scp_super_offsets[i],
			.length = SCP_SUPER_SIZE,
			.buffer = &pages[i],
		};
	ret = scp_device_read(volume, ios, SCP_SUPER_COPIES);
	if (ret)
		return ret;
	scp_error_clear(&volume->error);
	for (i = 0; i < SCP_SUPER_COPIES; i++) {
		enum scp_reason reason = SCP_NONE;

		if (!ios[i].result)
			reason = scp_super_check(&pages[i], scp_super_offsets[i]);
		if (ios[i].result || reason) {
			super_note(volume, &ios[i], reason);
		} else if (!*found || super_is_newer(&pages[i], best)) {
			*best = pages[i];
			*found = true;
		}
	}
	return 0;
}

static bool super_may_be_logged(const struct scp_disk_super *best, bool found)
{
	return !found || (le64_to_cpu(best->incompat_flags) & SCP_INCOMPAT_ZONED);
}

int scp_super_read(struct scp_volume *volume, u32 device, struct scp_disk_super *out)
{
	size_t size = SCP_SUPER_COPIES * SCP_SUPER_SIZE;
	struct scp_disk_super *pages = scp_alloc_aligned(size);
	int tries = volume->host->mounted ? SCP_SUPER_TRIES : 1;
	struct scp_error why;
	bool found = false;
	int ret = 0;

	if (!pages)
		return scp_fail_device(volume, SCP_NO_MEMORY, 0, device, SCP_NOWHERE);
	while (!ret && !found && tries--)
		ret = super_read_fixed(volume, device, pages, out, &found);
	if (!ret && super_may_be_logged(out, found)) {
		why = volume->error;
		ret = scp_super_read_log(volume, device, out, &found);
		if (!ret)
			volume->error = why;
	}
	scp_free_aligned(pages, size);
	if (ret)
		return ret;
	return found ? 0 : volume->error.err;
}

static int super_set_alloc(struct scp_volume *volume, struct scp_super_set *set)
{
	u32 count = volume->host->device_count;

	memset(set, 0, sizeof(*set));
	if (!count)
		return scp_fail_detail(volume, SCP_NOT_BTRFS, "no device");
	set->size = (size_t)count * SCP_SUPER_SIZE;
	set->supers = scp_alloc_aligned(set->size);
	set->valid = scp_zalloc(count * sizeof(*set->valid));
	set->why = scp_zalloc(count * sizeof(*set->why));
	if (set->supers && set->valid && set->why)
		return 0;
	scp_super_set_release(set);
	return scp_fail_detail(volume, SCP_NO_MEMORY, NULL);
}

void scp_super_set_release(struct scp_super_set *set)
{
	if (set->supers)
		scp_free_aligned(set->supers, set->size);
	scp_free(set->valid);
	scp_free(set->why);
	memset(set, 0, sizeof(*set));
}

static bool super_is_zoned(const struct scp_volume *volume)
{
	return volume->incompat & SCP_INCOMPAT_ZONED;
}

/* The first copy of each device that is there, to its place in @set; results in @ios. */
static int super_set_read_first(struct scp_volume *volume, struct scp_super_set *set,
				struct scp_io *ios)
{
	unsigned int count = 0;
	u32 i;

	for (i = 0; i < volume->host->device_count; i++)
		if (volume->devices[i].present)
			ios[count++] = (struct scp_io) {
				.device = i,
				.offset = scp_super_offsets[0],
				.length = SCP_SUPER_SIZE,
				.buffer = &set->supers[i],
			};
	return count ? scp_device_read(volume, ios, count) : 0;
}

/* If the first copy, read by @io, will not do, the others are tried. */
static int super_settle(struct scp_volume *volume, struct scp_super_set *set,
			const struct scp_io *io)
{
	u32 i = io->device;
	int ret = 0;

	if (super_is_zoned(volume) || io->result ||
	    scp_super_check(&set->supers[i], scp_super_offsets[0]))
		ret = scp_super_read(volume, i, &set->supers[i]);
	if (scp_is_final(ret))
		return ret;
	set->valid[i] = !ret;
	if (ret)
		set->why[i] = volume->error;
	return 0;
}

int scp_super_set_reread(struct scp_volume *volume, struct scp_super_set *set)
{
	struct scp_io *ios;
	unsigned int next = 0;
	int ret;
	u32 i;

	ret = super_set_alloc(volume, set);
	if (ret)
		return ret;
	ios = scp_zalloc(volume->host->device_count * sizeof(*ios));
	if (ios)
		ret = super_set_read_first(volume, set, ios);
	else
		ret = scp_fail_detail(volume, SCP_NO_MEMORY, NULL);
	for (i = 0; !ret && i < volume->host->device_count; i++)
		if (volume->devices[i].present)
			ret = super_settle(volume, set, &ios[next++]);
	scp_free(ios);
	if (ret)
		scp_super_set_release(set);
	return ret;
}

/*
 * A device without a readable superblock counts as missing as long as another one has one: the
 * administrator is warned at opening, and redundancy may do the rest.
 */
int scp_super_set_read(struct scp_volume *volume, struct scp_super_set *set)
{
	u32 i, found = 0;
	int ret;

	ret = super_set_alloc(volume, set);
	if (ret)
		return ret;
	for (i = 0; i < volume->host->device_count; i++) {
		ret = scp_super_read(volume, i, &set->supers[i]);
		if (scp_is_final(ret))
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
	scp_super_set_release(set);
	return ret;
}
