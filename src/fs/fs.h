/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A filesystem: opening it, keeping up with its commits, its trees by id, and following what moves.
 *
 * On a mounted filesystem blocks of a tree may move (balance) while it is read. A search of a tree
 * that was opened here and meets a moved block looks the root up again and starts over by itself, a
 * bounded number of times; a tree that was opened as *pinned* must then still be the same one (uuid
 * and ctransid), otherwise the search fails with -ESTALE.
 *
 * Layer: above tree/, below items/ and data/. <sendcp/volume.h> has sendcp_volume_open(),
 * sendcp_volume_refresh() and sendcp_volume_close().
 */
#ifndef SENDCP_FS_FS_H
#define SENDCP_FS_FS_H

#include "tree/tree.h"

/*
 * Opens tree @id at the volume's current superblock. -ENOENT with reason TREE_MISSING if it has no
 * ROOT_ITEM. Nothing to close: a tree holds no reference.
 */
int sendcp_tree_open(struct sendcp_volume *volume, u64 id, bool pinned, struct sendcp_tree *tree);

/*
 * Looks @tree's root up again after sendcp_volume_refresh(). Pinned: -ESTALE with reason
 * SUBVOLUME_GONE, SUBVOLUME_REPLACED or SUBVOLUME_CHANGED if it is not the same any more.
 */
int sendcp_tree_reopen(struct sendcp_tree *tree);

/*
 * For a mounted filesystem: is what was read through @tree up to now still what the subvolume has
 * on the disk? Returns 0 if the tree's root is where it was (unmoved since it was opened or
 * reopened), 1 if it was moved and has been reopened (raw data read meanwhile is not proven: read
 * it again), or a negative errno. Always 0 if it is not mounted.
 */
int sendcp_tree_revalidate(struct sendcp_tree *tree);

/*
 * SENDCP_ERR_NONE if @now is still what the pinned subvolume @was, else SUBVOLUME_GONE,
 * SUBVOLUME_REPLACED or SUBVOLUME_CHANGED. Being moved is no change.
 */
enum sendcp_reason sendcp_pin_broken(const struct sendcp_root_info *was,
				     const struct sendcp_root_info *now);

/*
 * What sendcp_tree_open() has trees do when reading them fails: see sendcp_tree.recover. To be
 * called also by walkers that choose their own way down, see sendcp_cursor_to_root().
 */
int sendcp_retry_after_move(struct sendcp_tree *tree, struct sendcp_root_pointer used, int err,
			    int *tries);

/* The subvolume (or other tree) @id's ROOT_ITEM; -ENOENT with TREE_MISSING. */
int sendcp_root_info_get(struct sendcp_volume *volume, u64 id, struct sendcp_root_info *info);

#endif
