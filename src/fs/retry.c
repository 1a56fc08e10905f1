// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Trees of a mounted filesystem: handling a block that is not where it was.
 *
 * A block that does not verify was freed and reused, or it is damaged. It was reused only if there
 * was a commit in between, so a newer superblock (or a root that was looked up anew since) decides:
 * with one the tree is entered again from its new root, without one the failure is final.
 */
#include "fs/internal.h"

/* Failures that a move explains. */
static bool move_explains(const struct scp_volume *volume, int err)
{
	if (!volume->host->mounted)
		return false;
	return err < 0 && !scp_is_final(err) && err != -ENOENT && err != -ESTALE;
}

int scp_retry_refresh(struct scp_volume *volume, int err, int *tries)
{
	struct scp_error why = volume->error;
	int ret;

	if (!move_explains(volume, err))
		return err;
	if (!(*tries)--)
		return scp_fail(volume, SCP_MOVED_TOO_OFTEN, 0, &(struct scp_place){
			.bytenr = why.bytenr, .root = why.root });
	ret = scp_volume_refresh(volume);
	if (ret)
		return ret;
	volume->error = why;
	return err;
}

int scp_retry_after_move(struct scp_tree *tree, struct scp_root_pointer used, int err, int *tries)
{
	struct scp_volume *volume = tree->volume;
	struct scp_root_pointer known = tree->info.node;
	struct scp_error why;
	int ret, newer;

	if (!move_explains(volume, err))
		return err;
	do {
		newer = scp_retry_refresh(volume, err, tries);
		why = volume->error;
		if (newer < 0 && newer != err)
			return newer;
		ret = scp_tree_lookup(tree);
		/* Moved once more while it was looked up. */
	} while (newer > 0 && move_explains(volume, ret));
	if (ret)
		return ret;
	if (!scp_root_is(&known, &tree->info.node))
		tree->moved = true;
	if (newer <= 0 && scp_root_is(&used, &tree->info.node)) {
		volume->error = why;
		return err;
	}
	volume->stats.refreshes++;
	return 1;
}
