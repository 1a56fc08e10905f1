// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Steps with very many commands: an inode may have 65,535 names.
 *
 * Queueing all their commands would take any amount of memory, and any size of checkpoint. So the
 * step is replayed: the state from before the first name was collected is kept (the base), and the
 * step is run as often as needed, each time keeping only a number of commands after those already
 * emitted. A checkpoint is then the base and the number of commands emitted since. This is sound
 * because names, unlike data, depend on nothing but the subvolume and its parent, neither of which
 * may change. Each run encodes all commands again and drops most of them, so the work is quadratic,
 * but in units of SENDCP_REPLAY_COMMANDS.
 */
#include "send/checkpoint_codec.h"
#include "send/engine_private.h"
#include "send/replay.h"

/* Names that are processed without a replay, and commands that are kept in one run. */
#define SENDCP_NAMES_QUEUED 8u
#define SENDCP_REPLAY_COMMANDS 1024u

static bool is_long(const struct sendcp_engine *engine)
{
	const struct sendcp_state *state = &engine->state;

	if (engine->naming.new_refs.live + engine->naming.deleted_refs.live > SENDCP_NAMES_QUEUED)
		return true;
	/* Names of a number used again are collected within the step, so nobody knows how many. */
	return state->phase == SENDCP_PHASE_RECREATE_DELETE ||
	       state->phase == SENDCP_PHASE_RECREATE_NAMES;
}

static int begin(struct sendcp_engine *engine)
{
	struct sendcp_replay *replay = &engine->replay;
	u32 skip = engine->state.skip;
	int err;

	/* From here on the replay counts what is out, also when the step fails and is run again. */
	engine->state.skip = 0;
	if (replay->base)
		return 0;
	err = sendcp_checkpoint_encode(engine, &replay->base, &replay->base_size);
	if (err)
		return err;
	replay->emitted = skip;
	replay->ran = false;
	engine->encoder.filter.from = skip;
	engine->encoder.filter.max = SENDCP_REPLAY_COMMANDS;
	engine->encoder.filter.more = false;
	return 0;
}

int sendcp_replay_run(struct sendcp_engine *engine, int (*step)(struct sendcp_engine *engine))
{
	struct sendcp_encoder_filter *filter = &engine->encoder.filter;
	int err;

	if (!is_long(engine) && !engine->state.skip)
		return step(engine);
	err = begin(engine);
	if (err)
		return err;
	filter->made = 0;
	filter->more = false;
	filter->active = true;
	err = step(engine);
	filter->active = false;
	engine->replay.ran = !err;
	return err;
}

void sendcp_replay_emitted(struct sendcp_engine *engine)
{
	if (engine->replay.base)
		engine->replay.emitted++;
}

int sendcp_replay_next(struct sendcp_engine *engine)
{
	struct sendcp_replay *replay = &engine->replay;
	u64 offset = engine->state.offset;
	int err;

	if (!replay->base || !replay->ran)
		return 0;
	if (!engine->encoder.filter.more) {
		sendcp_replay_close(engine);
		return 0;
	}
	err = sendcp_checkpoint_decode(engine, replay->base, replay->base_size);
	if (err)
		return err;
	engine->state.offset = offset;
	replay->ran = false;
	engine->encoder.filter.from = replay->emitted;
	engine->encoder.filter.more = false;
	return 0;
}

void sendcp_replay_close(struct sendcp_engine *engine)
{
	sendcp_free(engine->replay.base);
	memset(&engine->replay, 0, sizeof(engine->replay));
	memset(&engine->encoder.filter, 0, sizeof(engine->encoder.filter));
}
