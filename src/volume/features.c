// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Features and states of a filesystem that keep it from being read here: each refused by name.
 */
#include "volume/internal.h"

static const struct {
	u64 bits;
	const char *name;
} scp_feature_names[] = {
	{ SCP_INCOMPAT_EXTENT_TREE_V2, "extent-tree-v2" },
	{ SCP_INCOMPAT_RAID_STRIPE_TREE, "raid-stripe-tree" },
	{ SCP_INCOMPAT_REMAP_TREE, "remap-tree" },
}, scp_busy_names[] = {
	{ 3ULL << 33, "metadata dump" },
	{ 3ULL << 35, "fsid change" },
	{ 7ULL << 38, "conversion" },
};

static u32 lowest_bit(u64 bits)
{
	u32 bit = 0;

	while (!(bits >> bit & 1))
		bit++;
	return bit;
}

static int refuse_feature(struct scp_volume *volume, u64 unknown)
{
	char text[24];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(scp_feature_names); i++)
		if (unknown & scp_feature_names[i].bits)
			return scp_fail_detail(volume, SCP_FEATURE, scp_feature_names[i].name);
	snprintf(text, sizeof(text), "bit %u", (unsigned int)lowest_bit(unknown));
	return scp_fail_detail(volume, SCP_FEATURE, text);
}

int scp_super_readable(struct scp_volume *volume, const struct scp_disk_super *super)
{
	u64 unknown = le64_to_cpu(super->incompat_flags) & ~SCP_INCOMPAT_READABLE;
	u64 flags = le64_to_cpu(super->flags);
	size_t i;

	if (unknown)
		return refuse_feature(volume, unknown);
	for (i = 0; i < ARRAY_SIZE(scp_busy_names); i++)
		if (flags & scp_busy_names[i].bits & SCP_SUPER_REFUSED)
			return scp_fail_detail(volume, SCP_SUPER_BUSY, scp_busy_names[i].name);
	return 0;
}
