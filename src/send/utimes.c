// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Deferred times of directories.
 *
 * Creating an entry in a directory sets its times again, so they are sent when the directory has
 * not been touched for a while. The order is the kernel's: when there are more than 64, the least
 * recently touched one goes out; at the end the most recent one goes first.
 */
#include "send/attributes.h"
#include "send/engine_private.h"
#include "send/utimes.h"

int sendcp_defer_utimes(struct sendcp_engine *engine, u64 ino, u64 generation)
{
	struct sendcp_inode_set *utimes = &engine->deferred.utimes;

	sendcp_inode_set_remove(utimes, ino, generation);
	if (sendcp_inode_set_add(utimes, ino, generation))
		return sendcp_send_fail(engine, SENDCP_ERR_NO_MEMORY);
	return 0;
}

void sendcp_finished(struct sendcp_engine *engine)
{
	struct sendcp_state *state = &engine->state;

	if (engine->deferred.utimes.count > SENDCP_UTIMES_KEPT)
		state->phase = SENDCP_PHASE_TRIM;
	else
		state->phase = state->at.at_end ? SENDCP_PHASE_FLUSH : SENDCP_PHASE_HANDLE;
}

/*
 * A step of its own for each: one inode's names can be in any number of directories, and commands
 * of theirs may still have to come when their step is run again.
 */
int sendcp_step_trim(struct sendcp_engine *engine)
{
	struct sendcp_inode_set *utimes = &engine->deferred.utimes;
	struct sendcp_inode_id oldest;
	u32 at = 0;

	if (utimes->count <= SENDCP_UTIMES_KEPT || !sendcp_inode_set_next(utimes, &at, &oldest))
		return sendcp_send_fail(engine, SENDCP_ERR_CHECKPOINT_FORMAT);
	sendcp_inode_set_remove(utimes, oldest.ino, oldest.generation);
	sendcp_finished(engine);
	return sendcp_send_utimes(engine, oldest.ino, oldest.generation);
}

int sendcp_step_flush(struct sendcp_engine *engine)
{
	struct sendcp_inode_set *utimes = &engine->deferred.utimes;
	struct sendcp_inode_id latest;

	if (!utimes->count) {
		engine->state.phase = SENDCP_PHASE_END;
		return 0;
	}
	latest = sendcp_inode_set_last(utimes);
	sendcp_inode_set_remove(utimes, latest.ino, latest.generation);
	return sendcp_send_utimes(engine, latest.ino, latest.generation);
}
