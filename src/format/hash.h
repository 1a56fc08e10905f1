/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Hashes for tables in memory only: nothing that is stored or sent depends on them.
 */
#ifndef SENDCP_FORMAT_HASH_H
#define SENDCP_FORMAT_HASH_H

#include <sendcp/platform.h>

/*
 * Inode numbers come in runs, and block addresses differ in bits of their middle: the upper half of
 * the product depends on all bits of both. The factor is 2^64 divided by the golden ratio.
 */
static inline u32 sendcp_hash64(u64 value)
{
	return (value * 0x9e3779b97f4a7c15ULL) >> 32;
}

/*
 * Of bytes that users choose: @seed is a number that they cannot have known when they did. A CRC
 * would not do, since bytes that have the same one have it with any seed. Four bytes at a time,
 * since what differs in the highest bit alone would not be spread by the product.
 */
static inline u32 sendcp_hash_bytes(u64 seed, const u8 *bytes, u32 len)
{
	u64 hash = seed + len;
	u32 word;
	u32 size;

	for (; len; bytes += size, len -= size) {
		size = sendcp_min(len, sizeof(word));
		word = 0;
		memcpy(&word, bytes, size);
		hash = (hash ^ word) * 0x9e3779b97f4a7c15ULL;
		hash ^= hash >> 29;
	}
	return hash >> 32;
}

#endif
