/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Keys of items in host byte order, and their order in a tree.
 */
#ifndef SENDCP_FORMAT_KEY_H
#define SENDCP_FORMAT_KEY_H

#include <sendcp/ondisk.h>

struct sendcp_key {
	u64 objectid;
	u8 type;
	u64 offset;
};

static inline int sendcp_key_compare(const struct sendcp_key *a, const struct sendcp_key *b)
{
	if (a->objectid != b->objectid)
		return a->objectid < b->objectid ? -1 : 1;
	if (a->type != b->type)
		return a->type < b->type ? -1 : 1;
	if (a->offset != b->offset)
		return a->offset < b->offset ? -1 : 1;
	return 0;
}

/* To the key that follows @key. False, and all zeros, if @key is the last there can be. */
static inline bool sendcp_key_increment(struct sendcp_key *key)
{
	if (++key->offset)
		return true;
	if (++key->type)
		return true;
	return ++key->objectid;
}

static inline struct sendcp_key sendcp_key_from_disk(const struct sendcp_disk_key *disk)
{
	struct sendcp_key key = {
		.objectid = le64_to_cpu(disk->objectid),
		.type = disk->type,
		.offset = le64_to_cpu(disk->offset),
	};

	return key;
}

#endif
