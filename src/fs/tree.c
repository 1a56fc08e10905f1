// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Trees by id: looked up, looked up again, and whether a subvolume is still what it was.
 */
#include "fs/internal.h"

enum scp_reason scp_pin_broken(const struct scp_root_info *was, const struct scp_root_info *now)
{
	if (!now->refs || (now->flags & SCP_ROOT_DEAD))
		return SCP_SUBVOLUME_GONE;
	/* Very old subvolumes have no uuid, until a kernel gives them one. */
	if (memcmp(was->uuid, now->uuid, SCP_UUID_SIZE))
		return scp_uuid_is_zero(was->uuid) ? SCP_SUBVOLUME_CHANGED :
						     SCP_SUBVOLUME_REPLACED;
	if (was->otransid != now->otransid)
		return SCP_SUBVOLUME_REPLACED;
	if (was->ctransid != now->ctransid || ((was->flags ^ now->flags) & SCP_ROOT_READONLY))
		return SCP_SUBVOLUME_CHANGED;
	return SCP_NONE;
}

int scp_tree_lookup(struct scp_tree *tree)
{
	struct scp_volume *volume = tree->volume;
	enum scp_reason reason = SCP_NONE;
	struct scp_root_info info;
	int ret;

	if (tree->id == SCP_ROOT_TREE_ID || tree->id == SCP_CHUNK_TREE_ID) {
		scp_superblock_tree_point(tree);
		return 0;
	}
	ret = scp_root_info_once(volume, tree->id, &info);
	if (ret == -ENOENT && tree->pinned)
		reason = SCP_SUBVOLUME_GONE;
	else if (ret)
		return ret;
	else if (tree->pinned)
		reason = scp_pin_broken(&tree->info, &info);
	if (reason)
		return scp_fail(volume, reason, 0, &(struct scp_place){ .root = tree->id });
	tree->info = info;
	return 0;
}

int scp_tree_open(struct scp_volume *volume, u64 id, bool pinned, struct scp_tree *tree)
{
	int ret;

	scp_tree_init(volume, id, tree);
	tree->recover = scp_retry_after_move;
	if (id == SCP_ROOT_TREE_ID || id == SCP_CHUNK_TREE_ID)
		return scp_tree_lookup(tree);
	ret = scp_root_info_get(volume, id, &tree->info);
	tree->pinned = pinned;
	return ret;
}

int scp_root_info_get(struct scp_volume *volume, u64 id, struct scp_root_info *info)
{
	int tries = SCP_RETRY_MAX;
	int ret;

	do {
		ret = scp_root_info_once(volume, id, info);
		if (ret)
			ret = scp_retry_refresh(volume, ret, &tries);
	} while (ret > 0);
	return ret;
}

int scp_tree_reopen(struct scp_tree *tree)
{
	int tries = SCP_RETRY_MAX;
	int ret;

	do {
		ret = scp_tree_lookup(tree);
		if (ret)
			ret = scp_retry_refresh(tree->volume, ret, &tries);
	} while (ret > 0);
	return ret;
}

int scp_tree_revalidate(struct scp_tree *tree)
{
	struct scp_root_pointer known = tree->info.node;
	bool moved = tree->moved;
	int ret;

	if (!tree->volume->host->mounted)
		return 0;
	ret = scp_volume_refresh(tree->volume);
	if (ret < 0)
		return ret;
	/* Also without news here: another tree's search may have refreshed the volume already. */
	ret = scp_tree_reopen(tree);
	if (ret)
		return ret;
	tree->moved = false;
	return moved || !scp_root_is(&known, &tree->info.node);
}
