// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Steps with very many commands: an inode may have 65,535 names.
 *
 * Queueing all their commands would take any amount of memory, and any size of checkpoint. So the
 * state from before the first name was collected is kept (the origin), and the step is run as often
 * as needed, each time keeping only the commands of a window behind those already delivered. A
 * checkpoint is then the origin and the number of commands delivered since. This is sound because
 * names, unlike data, depend on nothing but the subvolume and its parent.
 */
#include "send/checkpoint_codec.h"
#include "send/engine_private.h"
#include "send/window.h"

/* Names that are processed without opening a window, and commands that one window holds. */
#define SCP_NAMES_QUEUED 8u
#define SCP_WINDOW_COMMANDS 1024u

static bool is_long(const struct scp_engine *engine)
{
	const struct scp_state *state = &engine->state;

	if (engine->naming.new_refs.live + engine->naming.deleted_refs.live > SCP_NAMES_QUEUED)
		return true;
	/* Names of a number used again are collected within the step, so nobody knows how many. */
	return state->phase == SCP_PHASE_RECREATE_DELETE ||
	       state->phase == SCP_PHASE_RECREATE_NAMES;
}

static int open_window(struct scp_engine *engine)
{
	struct scp_window *window = &engine->window;
	u32 skip = engine->state.skip;
	int err;

	/* From here on the window counts what is out, also when the step fails and is run again. */
	engine->state.skip = 0;
	if (window->origin)
		return 0;
	err = scp_checkpoint_encode(engine, &window->origin, &window->origin_size);
	if (err)
		return err;
	window->delivered = skip;
	window->ran = false;
	engine->encoder.filter.from = skip;
	engine->encoder.filter.max = SCP_WINDOW_COMMANDS;
	engine->encoder.filter.more = false;
	return 0;
}

int scp_window_run(struct scp_engine *engine, int (*step)(struct scp_engine *engine))
{
	struct scp_encoder_filter *filter = &engine->encoder.filter;
	int err;

	if (!is_long(engine) && !engine->state.skip)
		return step(engine);
	err = open_window(engine);
	if (err)
		return err;
	filter->made = 0;
	filter->more = false;
	filter->active = true;
	err = step(engine);
	filter->active = false;
	engine->window.ran = !err;
	return err;
}

void scp_window_delivered(struct scp_engine *engine)
{
	if (engine->window.origin)
		engine->window.delivered++;
}

int scp_window_next(struct scp_engine *engine)
{
	struct scp_window *window = &engine->window;
	u64 offset = engine->state.offset;
	int err;

	if (!window->origin || !window->ran)
		return 0;
	if (!engine->encoder.filter.more) {
		scp_window_close(engine);
		return 0;
	}
	err = scp_checkpoint_decode(engine, window->origin, window->origin_size);
	if (err)
		return err;
	engine->state.offset = offset;
	window->ran = false;
	engine->encoder.filter.from = window->delivered;
	engine->encoder.filter.more = false;
	return 1;
}

void scp_window_close(struct scp_engine *engine)
{
	scp_free(engine->window.origin);
	memset(&engine->window, 0, sizeof(engine->window));
	memset(&engine->encoder.filter, 0, sizeof(engine->encoder.filter));
}
