// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Deferred times of directories.
 *
 * Whatever is created in a directory sets its times again, so they are sent when the directory has
 * not been touched for a while. The order is the kernel's: when there are more than 64, the least
 * recently touched one goes out; at the end the most recent one goes first.
 */
#include "send/engine_private.h"

int scp_defer_utimes(struct scp_engine *engine, u64 ino, u64 generation)
{
	struct scp_id_list *list = &engine->state.utimes;
	struct scp_inode_id id = { .ino = ino, .generation = generation };
	u32 i;

	for (i = list->count; i-- > 0;)
		if (list->ids[i].ino == ino && list->ids[i].generation == generation)
			break;
	if (i != ~0u) {
		memmove(&list->ids[i], &list->ids[i + 1],
			(list->count - 1 - i) * sizeof(*list->ids));
		list->ids[list->count - 1] = id;
		return 0;
	}
	if (scp_id_list_reserve(list, list->count + 1))
		return scp_send_fail(engine, SCP_NO_MEMORY);
	list->ids[list->count++] = id;
	return 0;
}

void scp_finished(struct scp_engine *engine)
{
	struct scp_state *state = &engine->state;

	if (state->utimes.count > SCP_UTIMES_KEPT)
		state->phase = SCP_PHASE_TRIM;
	else
		state->phase = state->at_end ? SCP_PHASE_FLUSH : SCP_PHASE_HANDLE;
}

/*
 * A step of its own for each: one inode's names can lie in any number of directories, and
 * commands of theirs may still have to come when their window is run again.
 */
int scp_step_trim(struct scp_engine *engine)
{
	struct scp_id_list *list = &engine->state.utimes;
	struct scp_inode_id oldest;

	if (list->count <= SCP_UTIMES_KEPT)
		return scp_send_fail(engine, SCP_CHECKPOINT_FORMAT);
	oldest = list->ids[0];
	list->count--;
	memmove(list->ids, list->ids + 1, list->count * sizeof(*list->ids));
	scp_finished(engine);
	return scp_send_utimes(engine, oldest.ino, oldest.generation);
}

int scp_step_flush(struct scp_engine *engine)
{
	struct scp_id_list *list = &engine->state.utimes;

	if (!list->count) {
		engine->state.phase = SCP_PHASE_END;
		return 0;
	}
	list->count--;
	return scp_send_utimes(engine, list->ids[list->count].ino,
			       list->ids[list->count].generation);
}
