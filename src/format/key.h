/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Keys of items in host byte order, and their order in a tree.
 */
#ifndef SCP_FORMAT_KEY_H
#define SCP_FORMAT_KEY_H

#include <sendcp/ondisk.h>

struct scp_key {
	u64 objectid;
	u8 type;
	u64 offset;
};

static inline int scp_key_compare(const struct scp_key *a, const struct scp_key *b)
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
static inline bool scp_key_increment(struct scp_key *key)
{
	if (++key->offset)
		return true;
	if (++key->type)
		return true;
	return ++key->objectid;
}

static inline struct scp_key scp_key_from_disk(const struct scp_disk_key *disk)
{
	struct scp_key key = {
		.objectid = le64_to_cpu(disk->objectid),
		.type = disk->type,
		.offset = le64_to_cpu(disk->offset),
	};

	return key;
}

#endif
