/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Checksums of stored sectors, looked up in the checksum tree in ascending order of address.
 */
#ifndef SENDCP_DATA_CSUM_H
#define SENDCP_DATA_CSUM_H

#include "fs/fs.h"

/*
 * Digests of the addresses [from, to), one after another, or, digests NULL, the fact that they have
 * none. The digests are in the leaf the cursor holds.
 */
struct sendcp_csums {
	struct sendcp_tree tree;
	struct sendcp_cursor cursor;
	u64 from;
	u64 to;
	const u8 *digests;
};

int sendcp_csums_init(struct sendcp_csums *csums, struct sendcp_volume *volume);
void sendcp_csums_release(struct sendcp_csums *csums);

/* 1: *@digest is the digest of the sector at @logical; 0: it has none; negative errno. */
int sendcp_csums_find(struct sendcp_csums *csums, u64 logical, const u8 **digest);

#endif
