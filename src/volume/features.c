// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Features and states of a filesystem that keep it from being read here: each refused by name.
 */
#include "volume/internal.h"

static const struct {
	u64 bits;
	const char *name;
} sendcp_feature_names[] = {
	{ SENDCP_INCOMPAT_EXTENT_TREE_V2, "extent-tree-v2" },
	{ SENDCP_INCOMPAT_RAID_STRIPE_TREE, "raid-stripe-tree" },
	{ SENDCP_INCOMPAT_REMAP_TREE, "remap-tree" },
}, sendcp_busy_names[] = {
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

static int refuse_feature(struct sendcp_volume *volume, u64 unknown)
{
	char text[24];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(sendcp_feature_names); i++)
		if (unknown & sendcp_feature_names[i].bits)
			return sendcp_fail_detail(volume, SENDCP_ERR_FEATURE,
						  sendcp_feature_names[i].name);
	snprintf(text, sizeof(text), "bit %u", (unsigned int)lowest_bit(unknown));
	return sendcp_fail_detail(volume, SENDCP_ERR_FEATURE, text);
}

int sendcp_super_readable(struct sendcp_volume *volume, const struct sendcp_disk_super *super)
{
	u64 unknown = le64_to_cpu(super->incompat_flags) & ~SENDCP_INCOMPAT_READABLE;
	u64 flags = le64_to_cpu(super->flags);
	size_t i;

	if (unknown)
		return refuse_feature(volume, unknown);
	for (i = 0; i < ARRAY_SIZE(sendcp_busy_names); i++)
		if (flags & sendcp_busy_names[i].bits & SENDCP_SUPER_REFUSED)
			return sendcp_fail_detail(volume, SENDCP_ERR_SUPER_BUSY,
						  sendcp_busy_names[i].name);
	return 0;
}
