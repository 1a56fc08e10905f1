// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The state before the first command; what is deferred: kept, set back, given back.
 */
#include "send/state.h"

void sendcp_state_init(struct sendcp_state *state)
{
	memset(state, 0, sizeof(*state));
	state->send_progress = SENDCP_ROOT_DIR_ID;
	state->last_extent_end = SENDCP_UNKNOWN;
}

void sendcp_deferred_keep(struct sendcp_deferred *deferred)
{
	sendcp_inode_set_keep(&deferred->utimes);
	sendcp_moves_keep(&deferred->moves);
}

void sendcp_deferred_undo(struct sendcp_deferred *deferred)
{
	sendcp_inode_set_undo(&deferred->utimes);
	sendcp_moves_undo(&deferred->moves);
}

void sendcp_deferred_release(struct sendcp_deferred *deferred)
{
	sendcp_inode_set_release(&deferred->utimes);
	sendcp_moves_release(&deferred->moves);
}
