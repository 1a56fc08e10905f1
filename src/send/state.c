// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The state before the first command; what is deferred: kept, set back, given back.
 */
#include "send/state.h"

void scp_state_init(struct scp_state *state)
{
	memset(state, 0, sizeof(*state));
	state->send_progress = SCP_ROOT_DIR_ID;
	state->last_extent_end = SCP_UNKNOWN;
}

void scp_deferred_keep(struct scp_deferred *deferred)
{
	scp_inode_set_keep(&deferred->utimes);
	scp_moves_keep(&deferred->moves);
}

void scp_deferred_undo(struct scp_deferred *deferred)
{
	scp_inode_set_undo(&deferred->utimes);
	scp_moves_undo(&deferred->moves);
}

void scp_deferred_release(struct scp_deferred *deferred)
{
	scp_inode_set_release(&deferred->utimes);
	scp_moves_release(&deferred->moves);
}
