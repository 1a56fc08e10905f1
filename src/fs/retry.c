// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Trees of a mounted filesystem: handling a block that is not where it was.
 *
 * A block that does not verify was freed and reused, or it is damaged. It was reused only if there
 * was a commit in between, so a newer superblock (or a root looked up again since) decides:
 * with one the tree is entered again from its new root, without one the failure is final.
 */
#include "fs/internal.h"

/* Failures that a move explains. */
static bool move_explains(const struct sendcp_volume *volume, int err)
{
	if (!volume->host->mounted)
		return false;
	return err < 0 && !sendcp_is_final(err) && err != -ENOENT && err != -ESTALE;
}

int sendcp_retry_refresh(struct sendcp_volume *volume, int err, int *tries)
{
	struct sendcp_error why = volume->error;
	int ret;

	if (!move_explains(volume, err))
		return err;
	if (!(*tries)--)
		return sendcp_fail(volume, SENDCP_ERR_MOVED_TOO_OFTEN, 0, &(struct sendcp_place){
			.bytenr = why.bytenr, .root = why.root });
	ret = sendcp_volume_refresh(volume);
	if (ret)
		return ret;
	volume->error = why;
	return err;
}

int sendcp_retry_after_move(struct sendcp_tree *tree, struct sendcp_root_pointer used, int err,
			    int *tries)
{
	struct sendcp_volume *volume = tree->volume;
	struct sendcp_root_pointer known = tree->info.node;
	struct sendcp_error why;
	int ret, newer;

	if (!move_explains(volume, err))
		return err;
	do {
		newer = sendcp_retry_refresh(volume, err, tries);
		why = volume->error;
		if (newer < 0 && newer != err)
			return newer;
		ret = sendcp_tree_lookup(tree);
		/* Moved once more while it was looked up. */
	} while (newer > 0 && move_explains(volume, ret));
	if (ret)
		return ret;
	if (!sendcp_root_is(&known, &tree->info.node))
		tree->moved = true;
	if (newer <= 0 && sendcp_root_is(&used, &tree->info.node)) {
		volume->error = why;
		return err;
	}
	volume->stats.refreshes++;
	return 1;
}
