// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Steps with very many commands: an inode may have 65,535 names.
 *
 * Queueing all their commands would take any amount of memory, and any size of checkpoint. So such
 * a step stops after a number of names, and goes on from there when the queue is empty. What it
 * did so far is neither kept nor undone meanwhile, and no checkpoint could hold it. So a checkpoint
 * is the state from before the first name was collected (the base) and the number of commands
 * emitted since: resumed from it, the step is run from its beginning, and those commands are
 * encoded again and dropped. The same happens when the step fails and is run again. This is sound
 * because names, unlike data, depend on nothing but the subvolume and its parent, neither of which
 * may change.
 *
 * The work is linear: a step begins again once for its first checkpoint, and once for each failure
 * or resume.
 */
#include "send/engine_private.h"
#include "send/names.h"
#include "send/replay.h"

/* Names of a step that is not long, and names that are processed in one run of one that is. */
#define SENDCP_NAMES_QUEUED 8u
#define SENDCP_NAMES_AT_ONCE 64u

static bool is_long(const struct sendcp_engine *engine)
{
	const struct sendcp_naming *naming = &engine->naming;
	const struct sendcp_state *state = &engine->state;

	if (naming->new_refs.live + naming->deleted_refs.live > SENDCP_NAMES_QUEUED)
		return true;
	/* Numbers used again, however few names they have: checkpoints keep their bytes. */
	return state->skip || state->phase == SENDCP_PHASE_RECREATE_DELETE ||
	       state->phase == SENDCP_PHASE_RECREATE_NAMES;
}

static void begin(struct sendcp_engine *engine)
{
	struct sendcp_replay *replay = &engine->replay;

	/* From here on the replay counts what is out, also when the step fails and is run again. */
	if (!replay->active)
		replay->emitted = engine->state.skip;
	replay->active = true;
	engine->state.skip = 0;
	engine->encoder.filter.made = 0;
	engine->encoder.filter.from = replay->emitted;
}

int sendcp_replay_names(struct sendcp_engine *engine)
{
	struct sendcp_replay *replay = &engine->replay;
	int ret;

	if (!replay->paused && !is_long(engine)) {
		engine->naming.budget = ~0u;
		return sendcp_process_names(engine);
	}
	if (!replay->paused)
		begin(engine);
	engine->naming.budget = SENDCP_NAMES_AT_ONCE;
	engine->encoder.filter.active = true;
	ret = sendcp_process_names(engine);
	engine->encoder.filter.active = false;
	replay->paused = ret > 0;
	replay->ran = !ret;
	return ret;
}

bool sendcp_replay_paused(const struct sendcp_engine *engine)
{
	return engine->replay.paused;
}

void sendcp_replay_undone(struct sendcp_engine *engine)
{
	engine->replay.paused = false;
	engine->replay.ran = false;
}

void sendcp_replay_emitted(struct sendcp_engine *engine)
{
	if (engine->replay.active)
		engine->replay.emitted++;
}

void sendcp_replay_next(struct sendcp_engine *engine)
{
	if (engine->replay.ran)
		sendcp_replay_close(engine);
}

void sendcp_replay_close(struct sendcp_engine *engine)
{
	sendcp_free(engine->replay.base);
	memset(&engine->replay, 0, sizeof(engine->replay));
	memset(&engine->encoder.filter, 0, sizeof(engine->encoder.filter));
}
