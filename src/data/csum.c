// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Lookup of data checksums.
 *
 * Neighbouring sectors nearly always share an item, so the item found last is kept; gaps without
 * checksums are kept the same way, which makes files without checksums as cheap as those with.
 */
#include "data/csum.h"

int scp_csums_init(struct scp_csums *csums, struct scp_volume *volume)
{
	memset(csums, 0, sizeof(*csums));
	scp_cursor_init(&csums->cursor, &csums->tree);
	return scp_tree_open(volume, SCP_CSUM_TREE_ID, false, &csums->tree);
}

void scp_csums_release(struct scp_csums *csums)
{
	scp_cursor_release(&csums->cursor);
	csums->from = 0;
	csums->to = 0;
	csums->digests = NULL;
}

static bool is_csum_key(const struct scp_key *key)
{
	return key->objectid == SCP_EXTENT_CSUM_ID && key->type == SCP_EXTENT_CSUM;
}

/* Takes over the item under the cursor. */
static int take_item(struct scp_csums *csums, const struct scp_key *key)
{
	struct scp_volume *volume = csums->tree.volume;
	const void *item;
	u64 covered;
	u32 size;
	u32 rest;
	u64 count;
	int ret;

	ret = scp_cursor_item_least(&csums->cursor, volume->csum_size, &item, &size);
	if (ret)
		return ret;
	count = scp_div(size, volume->csum_size, &rest);
	covered = count * volume->sectorsize;
	if (rest || !scp_is_aligned(key->offset, volume->sectorsize) ||
	    key->offset + covered < key->offset)
		return scp_cursor_fail(&csums->cursor, SCP_ITEM_FORMAT);
	csums->from = key->offset;
	csums->to = key->offset + covered;
	csums->digests = item;
	return 0;
}

/* Nothing covers @logical: the gap ends at the item that @ret says the cursor found, if any. */
static int take_gap(struct scp_csums *csums, u64 logical, int ret)
{
	struct scp_key key;

	if (ret < 0 && ret != -ENOENT)
		return ret;
	csums->from = logical;
	csums->to = ~0ULL;
	csums->digests = NULL;
	if (ret == -ENOENT)
		return 0;
	key = scp_cursor_key(&csums->cursor);
	if (is_csum_key(&key))
		csums->to = key.offset;
	return 0;
}

/* Finds what covers @logical. On failure nothing is known, so that the next call looks again. */
static int load(struct scp_csums *csums, u64 logical)
{
	const struct scp_key wanted = {
		.objectid = SCP_EXTENT_CSUM_ID,
		.type = SCP_EXTENT_CSUM,
		.offset = logical,
	};
	struct scp_key key;
	int ret;

	csums->from = 0;
	csums->to = 0;
	ret = scp_search_last(&csums->cursor, &wanted);
	if (ret == -ENOENT)
		return take_gap(csums, logical, scp_search(&csums->cursor, &wanted));
	if (ret < 0)
		return ret;
	key = scp_cursor_key(&csums->cursor);
	if (is_csum_key(&key)) {
		ret = take_item(csums, &key);
		if (ret || logical < csums->to)
			return ret;
	}
	return take_gap(csums, logical, scp_next(&csums->cursor));
}

int scp_csums_find(struct scp_csums *csums, u64 logical, const u8 **digest)
{
	struct scp_volume *volume = csums->tree.volume;

	if (logical < csums->from || logical >= csums->to) {
		int ret = load(csums, logical);

		if (ret)
			return ret;
	}
	if (!csums->digests)
		return 0;
	*digest = csums->digests +
		  scp_div(logical - csums->from, volume->sectorsize, NULL) * volume->csum_size;
	return 1;
}
