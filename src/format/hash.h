/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The hash of a number, for tables in memory only: nothing that is stored or sent depends on it.
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

#endif
