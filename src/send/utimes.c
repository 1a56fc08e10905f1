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

int scp_defer_utimes(struct scp_engine *engine, u64 ino, u64 generation)
{
	struct scp_inode_set *utimes = &engine->deferred.utimes;

	scp_inode_set_remove(utimes, ino, generation);
	if (scp_inode_set_add(utimes, ino, generation))
		return scp_send_fail(engine, SCP_NO_MEMORY);
	return 0;
}

void scp_finished(struct scp_engine *engine)
{
	struct scp_state *state = &engine->state;

	if (engine->deferred.utimes.count > SCP_UTIMES_KEPT)
		state->phase = SCP_PHASE_TRIM;
	else
		state->phase = state->at.at_end ? SCP_PHASE_FLUSH : SCP_PHASE_HANDLE;
}

/*
 * A step of its own for each: one inode's names can be in any number of directories, and commands
 * of theirs may still have to come when their step is run again.
 */
int scp_step_trim(struct scp_engine *engine)
{
	struct scp_inode_set *utimes = &engine->deferred.utimes;
	struct scp_inode_id oldest;
	u32 at = 0;

	if (utimes->count <= SCP_UTIMES_KEPT || !scp_inode_set_next(utimes, &at, &oldest))
		return scp_send_fail(engine, SCP_CHECKPOINT_FORMAT);
	scp_inode_set_remove(utimes, oldest.ino, oldest.generation);
	scp_finished(engine);
	return scp_send_utimes(engine, oldest.ino, oldest.generation);
}

int scp_step_flush(struct scp_engine *engine)
{
	struct scp_inode_set *utimes = &engine->deferred.utimes;
	struct scp_inode_id latest;

	if (!utimes->count) {
		engine->state.phase = SCP_PHASE_END;
		return 0;
	}
	latest = scp_inode_set_last(utimes);
	scp_inode_set_remove(utimes, latest.ino, latest.generation);
	return scp_send_utimes(engine, latest.ino, latest.generation);
}
