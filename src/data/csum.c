// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Lookup of data checksums.
 *
 * Neighbouring sectors nearly always share an item, so the item found last is kept; gaps without
 * checksums are kept the same way, which makes files without checksums as cheap as those with.
 */
#include "data/csum.h"

int sendcp_csums_init(struct sendcp_csums *csums, struct sendcp_volume *volume)
{
	memset(csums, 0, sizeof(*csums));
	sendcp_cursor_init(&csums->cursor, &csums->tree);
	return sendcp_tree_open(volume, SENDCP_CSUM_TREE_ID, false, &csums->tree);
}

void sendcp_csums_release(struct sendcp_csums *csums)
{
	sendcp_cursor_release(&csums->cursor);
	csums->from = 0;
	csums->to = 0;
	csums->digests = NULL;
}

static bool is_csum_key(const struct sendcp_key *key)
{
	return key->objectid == SENDCP_EXTENT_CSUM_ID && key->type == SENDCP_EXTENT_CSUM;
}

/* Takes over the item under the cursor. */
static int adopt_item(struct sendcp_csums *csums, const struct sendcp_key *key)
{
	struct sendcp_volume *volume = csums->tree.volume;
	const void *item;
	u64 covered;
	u32 size;
	u32 rest;
	u64 count;
	int ret;

	ret = sendcp_cursor_item_least(&csums->cursor, volume->csum_size, &item, &size);
	if (ret)
		return ret;
	count = sendcp_div(size, volume->csum_size, &rest);
	covered = count * volume->sectorsize;
	if (rest || !sendcp_is_aligned(key->offset, volume->sectorsize) ||
	    key->offset + covered < key->offset)
		return sendcp_cursor_fail(&csums->cursor, SENDCP_ERR_ITEM_FORMAT);
	csums->from = key->offset;
	csums->to = key->offset + covered;
	csums->digests = item;
	return 0;
}

/* Nothing covers @logical: the gap ends at the item that @ret says the cursor found, if any. */
static int adopt_gap(struct sendcp_csums *csums, u64 logical, int ret)
{
	struct sendcp_key key;

	if (ret < 0 && ret != -ENOENT)
		return ret;
	csums->from = logical;
	csums->to = ~0ULL;
	csums->digests = NULL;
	if (ret == -ENOENT)
		return 0;
	key = sendcp_cursor_key(&csums->cursor);
	if (is_csum_key(&key))
		csums->to = key.offset;
	return 0;
}

/* Finds what covers @logical. On failure nothing is known, so that the next call looks again. */
static int load(struct sendcp_csums *csums, u64 logical)
{
	const struct sendcp_key wanted = {
		.objectid = SENDCP_EXTENT_CSUM_ID,
		.type = SENDCP_EXTENT_CSUM,
		.offset = logical,
	};
	struct sendcp_key key;
	int ret;

	csums->from = 0;
	csums->to = 0;
	ret = sendcp_search_last(&csums->cursor, &wanted);
	if (ret == -ENOENT)
		return adopt_gap(csums, logical, sendcp_search(&csums->cursor, &wanted));
	if (ret < 0)
		return ret;
	key = sendcp_cursor_key(&csums->cursor);
	if (is_csum_key(&key)) {
		ret = adopt_item(csums, &key);
		if (ret || logical < csums->to)
			return ret;
	}
	return adopt_gap(csums, logical, sendcp_next(&csums->cursor));
}

int sendcp_csums_find(struct sendcp_csums *csums, u64 logical, const u8 **digest)
{
	struct sendcp_volume *volume = csums->tree.volume;

	if (logical < csums->from || logical >= csums->to) {
		int ret = load(csums, logical);

		if (ret)
			return ret;
	}
	if (!csums->digests)
		return 0;
	*digest = csums->digests +
		  sendcp_div(logical - csums->from, volume->sectorsize, NULL) * volume->csum_size;
	return 1;
}
