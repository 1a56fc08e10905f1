// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Does the parent have the same contents in the range of an extent?
 *
 * The same place in the same extent of the same generation is the same contents; nothing is read.
 */
#include "send/engine_private.h"
#include "send/extent.h"

/* The number of bytes of the file that an item of the parent covers; inline ones whole pages. */
static u64 covered(const struct sendcp_extent *extent)
{
	if (extent->type == SENDCP_EXTENT_INLINE)
		return sendcp_round_up(extent->ram_bytes, SENDCP_SECTORSIZE_MIN);
	return extent->num_bytes;
}

static bool same_bytes(const struct sendcp_extent *now, const struct sendcp_extent *old)
{
	u64 now_at = now->extent_offset;
	u64 old_at = old->extent_offset;

	if (old->file_offset < now->file_offset)
		old_at += now->file_offset - old->file_offset;
	else
		now_at += old->file_offset - now->file_offset;
	return now->disk_bytenr == old->disk_bytenr && now->generation == old->generation &&
	       now_at == old_at;
}

/* The item after @old's becomes *@old: 1, or 0 if the inode has no more. *@gap: not adjoining. */
static int next_old(struct sendcp_cursor *cursor, struct sendcp_extent *old, bool *gap)
{
	u64 end = old->file_offset + covered(old);
	struct sendcp_key key;
	int err = sendcp_next(cursor);

	if (err)
		return err == -ENOENT ? 0 : err;
	key = sendcp_cursor_key(cursor);
	if (key.objectid != old->ino || key.type != SENDCP_EXTENT_DATA)
		return 0;
	*gap = key.offset != end;
	err = sendcp_extent_parse(cursor, old);
	return err ? err : 1;
}

/* A gap after the last item compared counts as a change, as it does for the kernel. */
static int compare_along(struct sendcp_cursor *cursor, const struct sendcp_extent *extent,
			 struct sendcp_extent *old)
{
	u64 end = extent->file_offset + extent->num_bytes;
	bool gap = false;
	u64 reached;
	int ret;

	do {
		if (old->type != SENDCP_EXTENT_REGULAR || !same_bytes(extent, old))
			return 0;
		reached = old->file_offset + covered(old);
		ret = next_old(cursor, old, &gap);
		if (ret < 0)
			return ret;
		if (!ret)
			return reached >= end;
		if (gap)
			return 0;
	} while (old->file_offset < end);
	return 1;
}

int sendcp_is_unchanged(struct sendcp_engine *engine, const struct sendcp_extent *extent)
{
	struct sendcp_cursor *cursor = &engine->parent_cursor;
	struct sendcp_extent old;
	int err;

	if (extent->type != SENDCP_EXTENT_REGULAR)
		return 0;
	err = sendcp_extent_find(cursor, extent->ino, extent->file_offset, &old);
	if (err == -ENOENT)
		return sendcp_extent_is_hole(extent);
	if (err)
		return err;
	if (old.type != SENDCP_EXTENT_PREALLOC &&
	    old.file_offset + covered(&old) <= extent->file_offset)
		return sendcp_extent_is_hole(extent);
	return compare_along(cursor, extent, &old);
}
