// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Could a send be where a checkpoint says? A forged one may name phases that lack what they need,
 * or that would follow each other for ever; steps take both for granted.
 */
#include "send/checkpoint_decoded.h"
#include "send/engine_private.h"
#include "send/identity.h"
#include "send/inode.h"
#include "send/utimes.h"

/* The phases that may follow a range; one that led to another range would never end. */
static bool range_is_possible(const struct scp_state *state)
{
	const struct scp_data_range *range = &state->range;

	if (range->kind == SCP_RANGE_DATA && (state->item.type != SCP_EXTENT_DATA ||
					      state->item.objectid != state->ino))
		return false;
	return range->then == SCP_PHASE_CHANGE || range->then == SCP_PHASE_HOLE ||
	       range->then == SCP_PHASE_FINISH_HOLE || range->then == SCP_PHASE_FINISH_INODE ||
	       range->then == SCP_PHASE_RECREATE_EXTENTS;
}

static bool is_comparing(enum scp_kind kind)
{
	return kind == SCP_KIND_CHANGED || kind == SCP_KIND_DELETED;
}

static bool same_key(const struct scp_key *a, const struct scp_key *b)
{
	return !scp_key_compare(a, b);
}

/*
 * Is there an item where the state says that the walk met its change? Steps take the tree that the
 * result names for granted.
 */
static bool change_is_possible(const struct scp_engine *engine, const struct scp_state *state)
{
	bool left = !state->at.left_end && same_key(&state->at.key, &state->at.left_key);
	bool right = !state->at.right_end && same_key(&state->at.key, &state->at.right_key);

	/* Nothing was compared yet, or there was nothing at all to be compared. */
	if (state->at.result == SCP_COMPARE_NONE)
		return state->kind == SCP_KIND_NONE && state->phase != SCP_PHASE_HANDLE &&
		       (state->at.at_end || state->phase <= SCP_PHASE_CHANGE);
	if (!engine->parent)
		return state->at.result == SCP_COMPARE_NEW;
	if (state->at.result == SCP_COMPARE_NEW)
		return left;
	return right && (left || state->at.result == SCP_COMPARE_DELETED);
}

/* Does what the phase needs exist at all? */
static bool phase_is_possible(const struct scp_engine *engine, const struct scp_decoded *next)
{
	const struct scp_state *state = &next->state;
	const struct scp_moves *moves = &next->deferred.moves;
	bool incremental = engine->parent;

	/* The places of what waits are looked up in the parent. */
	if (!incremental && (moves->count || moves->pending_rmdirs.count))
		return false;
	if (state->kind == SCP_KIND_NONE)
		return !moves->ready_moves &&
		       (state->phase <= SCP_PHASE_FINISH || state->phase == SCP_PHASE_HANDLE ||
			(state->phase >= SCP_PHASE_FLUSH && state->phase <= SCP_PHASE_DONE));
	/* It is the current inode until that has its names, and the next number from then on. */
	if (state->send_progress - state->ino > 1)
		return false;
	/* Once moves are lined up, nothing else happens before they are made. */
	if (moves->ready_moves && state->phase != SCP_PHASE_FINISH_MOVES)
		return false;
	/* The old inode of these is read from the parent. */
	if (!incremental && (is_comparing(state->kind) || state->new_gen))
		return false;
	switch (state->phase) {
	case SCP_PHASE_BEGIN:
		return false;
	case SCP_PHASE_XATTR:
		return state->item.type == SCP_XATTR_ITEM && state->item.objectid == state->ino;
	case SCP_PHASE_RANGE:
		return range_is_possible(state);
	case SCP_PHASE_HOLE:
		return state->kind == SCP_KIND_CHANGED && state->at.result != SCP_COMPARE_DELETED &&
		       state->at.key.type == SCP_EXTENT_DATA;
	case SCP_PHASE_FINISH_MOVES:
		return incremental && (state->kind == SCP_KIND_NEW ||
				       state->kind == SCP_KIND_CHANGED);
	case SCP_PHASE_TRIM:
		return next->deferred.utimes.count > SCP_UTIMES_KEPT;
	case SCP_PHASE_RECREATE_DELETE:
	case SCP_PHASE_RECREATE_CREATE:
	case SCP_PHASE_RECREATE_NAMES:
	case SCP_PHASE_RECREATE_EXTENTS:
	case SCP_PHASE_RECREATE_XATTRS:
		return state->new_gen;
	default:
		return true;
	}
}

/* Contents are read from the current inode, no further than it reaches. */
static bool payload_fits(const struct scp_payload *payload, const struct scp_state *state)
{
	if (!payload->kind)
		return true;
	if (state->kind == SCP_KIND_NONE)
		return false;
	if (payload->kind != SCP_PAYLOAD_FILE)
		return true;
	return payload->offset <= state->size && payload->length <= state->size - payload->offset;
}

/*
 * Adds the members of the current inode that are not in a checkpoint. Read from the trees, the
 * generation cannot make the host read the contents of an inode that this send does not have.
 */
static int complete_inode(struct scp_engine *engine, struct scp_state *state)
{
	struct scp_inode now;
	struct scp_inode before;
	const struct scp_inode *inode = state->kind == SCP_KIND_DELETED ? &before : &now;
	bool fits;
	int err = scp_inode_in_both(engine, state->ino, &now, &before);

	if (err)
		return err;
	fits = inode->ino;
	/* A changed inode is in both trees, and the same inode there. */
	if (state->kind == SCP_KIND_CHANGED)
		fits = now.ino && before.ino &&
		       (now.generation == before.generation || now.ino == SCP_ROOT_DIR_ID);
	if (!fits)
		return scp_engine_fail(engine, SCP_CHECKPOINT_POSITION, NULL);
	scp_set_inode(state, state->kind, inode);
	return 0;
}

int scp_decoded_complete(struct scp_engine *engine, struct scp_decoded *next)
{
	struct scp_state *state = &next->state;
	int err;

	if (!change_is_possible(engine, state) || !phase_is_possible(engine, next))
		return scp_engine_fail(engine, SCP_CHECKPOINT_FORMAT, "impossible position");
	err = state->kind == SCP_KIND_NONE ? 0 : complete_inode(engine, state);
	if (err)
		return err;
	if (!payload_fits(&next->queue.payload, state) ||
	    (state->phase == SCP_PHASE_RANGE && state->range.kind == SCP_RANGE_DATA &&
	     state->range.end > state->size))
		return scp_engine_fail(engine, SCP_CHECKPOINT_POSITION, NULL);
	return 0;
}
