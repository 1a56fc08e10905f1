// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Trees by id: looked up, looked up again, and whether a subvolume is still what it was.
 */
#include "fs/internal.h"

enum sendcp_reason sendcp_pin_broken(const struct sendcp_root_info *was,
				     const struct sendcp_root_info *now)
{
	if (!now->refs || (now->flags & SENDCP_ROOT_DEAD))
		return SENDCP_ERR_SUBVOLUME_GONE;
	/* Very old subvolumes have no uuid, until a kernel gives them one. */
	if (memcmp(was->uuid, now->uuid, SENDCP_UUID_SIZE))
		return sendcp_uuid_is_zero(was->uuid) ? SENDCP_ERR_SUBVOLUME_CHANGED :
						     SENDCP_ERR_SUBVOLUME_REPLACED;
	if (was->otransid != now->otransid)
		return SENDCP_ERR_SUBVOLUME_REPLACED;
	if (was->ctransid != now->ctransid || ((was->flags ^ now->flags) & SENDCP_ROOT_READONLY))
		return SENDCP_ERR_SUBVOLUME_CHANGED;
	return SENDCP_ERR_NONE;
}

int sendcp_tree_lookup(struct sendcp_tree *tree)
{
	struct sendcp_volume *volume = tree->volume;
	enum sendcp_reason reason = SENDCP_ERR_NONE;
	struct sendcp_root_info info;
	int ret;

	if (tree->id == SENDCP_ROOT_TREE_ID || tree->id == SENDCP_CHUNK_TREE_ID) {
		sendcp_superblock_tree_point(tree);
		return 0;
	}
	ret = sendcp_root_info_once(volume, tree->id, &info);
	if (ret == -ENOENT && tree->pinned)
		reason = SENDCP_ERR_SUBVOLUME_GONE;
	else if (ret)
		return ret;
	else if (tree->pinned)
		reason = sendcp_pin_broken(&tree->info, &info);
	if (reason)
		return sendcp_fail(volume, reason, 0, &(struct sendcp_place){ .root = tree->id });
	tree->info = info;
	return 0;
}

int sendcp_tree_open(struct sendcp_volume *volume, u64 id, bool pinned, struct sendcp_tree *tree)
{
	int ret;

	sendcp_tree_init(volume, id, tree);
	tree->recover = sendcp_retry_after_move;
	if (id == SENDCP_ROOT_TREE_ID || id == SENDCP_CHUNK_TREE_ID)
		return sendcp_tree_lookup(tree);
	ret = sendcp_root_info_get(volume, id, &tree->info);
	tree->pinned = pinned;
	return ret;
}

int sendcp_root_info_get(struct sendcp_volume *volume, u64 id, struct sendcp_root_info *info)
{
	int tries = SENDCP_RETRY_MAX;
	int ret;

	do {
		ret = sendcp_root_info_once(volume, id, info);
		if (ret)
			ret = sendcp_retry_refresh(volume, ret, &tries);
	} while (ret > 0);
	return ret;
}

int sendcp_tree_reopen(struct sendcp_tree *tree)
{
	int tries = SENDCP_RETRY_MAX;
	int ret;

	do {
		ret = sendcp_tree_lookup(tree);
		if (ret)
			ret = sendcp_retry_refresh(tree->volume, ret, &tries);
	} while (ret > 0);
	return ret;
}

int sendcp_tree_revalidate(struct sendcp_tree *tree)
{
	struct sendcp_root_pointer known = tree->info.node;
	bool moved = tree->moved;
	int ret;

	if (!tree->volume->host->mounted)
		return 0;
	ret = sendcp_volume_refresh(tree->volume);
	if (ret < 0)
		return ret;
	/* Also without news here: another tree's search may have refreshed the volume already. */
	ret = sendcp_tree_reopen(tree);
	if (ret)
		return ret;
	tree->moved = false;
	return moved || !sendcp_root_is(&known, &tree->info.node);
}
