/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Checksums of stored sectors, looked up in the checksum tree in ascending order of address.
 */
#ifndef SCP_DATA_CSUM_H
#define SCP_DATA_CSUM_H

#include "fs/fs.h"

/*
 * Digests of the addresses [from, to), one after another, or, digests NULL, the fact that they have
 * none. The digests are in the leaf the cursor holds.
 */
struct scp_csums {
	struct scp_tree tree;
	struct scp_cursor cursor;
	u64 from;
	u64 to;
	const u8 *digests;
};

int scp_csums_init(struct scp_csums *csums, struct scp_volume *volume);
void scp_csums_release(struct scp_csums *csums);

/* 1: *@digest is the digest of the sector at @logical; 0: it has none; negative errno. */
int scp_csums_find(struct scp_csums *csums, u64 logical, const u8 **digest);

#endif
