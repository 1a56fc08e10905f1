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
static bool range_is_possible(const struct sendcp_state *state)
{
	const struct sendcp_data_range *range = &state->range;

	if (range->kind == SENDCP_RANGE_DATA && (state->item.type != SENDCP_EXTENT_DATA ||
						 state->item.objectid != state->ino))
		return false;
	return range->then == SENDCP_PHASE_CHANGE || range->then == SENDCP_PHASE_HOLE ||
	       range->then == SENDCP_PHASE_FINISH_HOLE ||
	       range->then == SENDCP_PHASE_FINISH_INODE ||
	       range->then == SENDCP_PHASE_RECREATE_EXTENTS;
}

static bool is_comparing(enum sendcp_kind kind)
{
	return kind == SENDCP_KIND_CHANGED || kind == SENDCP_KIND_DELETED;
}

static bool same_key(const struct sendcp_key *a, const struct sendcp_key *b)
{
	return !sendcp_key_compare(a, b);
}

/*
 * Is there an item where the state says that the walk met its change? Steps take the tree that the
 * result names for granted.
 */
static bool change_is_possible(const struct sendcp_engine *engine, const struct sendcp_state *state)
{
	bool left = !state->at.left_end && same_key(&state->at.key, &state->at.left_key);
	bool right = !state->at.right_end && same_key(&state->at.key, &state->at.right_key);

	/* Nothing was compared yet, or there was nothing at all to be compared. */
	if (state->at.result == SENDCP_COMPARE_NONE)
		return state->kind == SENDCP_KIND_NONE && state->phase != SENDCP_PHASE_HANDLE &&
		       (state->at.at_end || state->phase <= SENDCP_PHASE_CHANGE);
	if (!engine->parent)
		return state->at.result == SENDCP_COMPARE_NEW;
	if (state->at.result == SENDCP_COMPARE_NEW)
		return left;
	return right && (left || state->at.result == SENDCP_COMPARE_DELETED);
}

/* Does what the phase needs exist at all? */
static bool phase_is_possible(const struct sendcp_engine *engine, const struct sendcp_decoded *next)
{
	const struct sendcp_state *state = &next->state;
	const struct sendcp_moves *moves = &next->deferred.moves;
	bool incremental = engine->parent;

	/* The places of what waits are looked up in the parent. */
	if (!incremental && (moves->count || moves->pending_rmdirs.count))
		return false;
	if (state->kind == SENDCP_KIND_NONE)
		return !moves->ready_moves &&
		       (state->phase <= SENDCP_PHASE_FINISH ||
			state->phase == SENDCP_PHASE_HANDLE ||
			(state->phase >= SENDCP_PHASE_FLUSH && state->phase <= SENDCP_PHASE_DONE));
	/* It is the current inode until that has its names, and the next number from then on. */
	if (state->send_progress - state->ino > 1)
		return false;
	/* Once moves are lined up, nothing else happens before they are made. */
	if (moves->ready_moves && state->phase != SENDCP_PHASE_FINISH_MOVES)
		return false;
	/* The old inode of these is read from the parent. */
	if (!incremental && (is_comparing(state->kind) || state->new_gen))
		return false;
	switch (state->phase) {
	case SENDCP_PHASE_BEGIN:
		return false;
	case SENDCP_PHASE_XATTR:
		return state->item.type == SENDCP_XATTR_ITEM && state->item.objectid == state->ino;
	case SENDCP_PHASE_RANGE:
		return range_is_possible(state);
	case SENDCP_PHASE_HOLE:
		return state->kind == SENDCP_KIND_CHANGED &&
		       state->at.result != SENDCP_COMPARE_DELETED &&
		       state->at.key.type == SENDCP_EXTENT_DATA;
	case SENDCP_PHASE_FINISH_MOVES:
		return incremental && (state->kind == SENDCP_KIND_NEW ||
				       state->kind == SENDCP_KIND_CHANGED);
	case SENDCP_PHASE_TRIM:
		return next->deferred.utimes.count > SENDCP_UTIMES_KEPT;
	case SENDCP_PHASE_RECREATE_DELETE:
	case SENDCP_PHASE_RECREATE_CREATE:
	case SENDCP_PHASE_RECREATE_NAMES:
	case SENDCP_PHASE_RECREATE_EXTENTS:
	case SENDCP_PHASE_RECREATE_XATTRS:
		return state->new_gen;
	default:
		return true;
	}
}

/* Contents are read from the current inode, no further than it reaches. */
static bool payload_fits(const struct sendcp_payload *payload, const struct sendcp_state *state)
{
	if (!payload->kind)
		return true;
	if (state->kind == SENDCP_KIND_NONE)
		return false;
	if (payload->kind != SENDCP_PAYLOAD_FILE)
		return true;
	return payload->offset <= state->size && payload->length <= state->size - payload->offset;
}

/*
 * Adds the members of the current inode that are not in a checkpoint. Read from the trees, the
 * generation cannot make the host read the contents of an inode that this send does not have.
 */
static int complete_inode(struct sendcp_engine *engine, struct sendcp_state *state)
{
	struct sendcp_inode now;
	struct sendcp_inode before;
	const struct sendcp_inode *inode = state->kind == SENDCP_KIND_DELETED ? &before : &now;
	bool fits;
	int err = sendcp_inode_in_both(engine, state->ino, &now, &before);

	if (err)
		return err;
	fits = inode->ino;
	/* A changed inode is in both trees, and the same inode there. */
	if (state->kind == SENDCP_KIND_CHANGED)
		fits = now.ino && before.ino &&
		       (now.generation == before.generation || now.ino == SENDCP_ROOT_DIR_ID);
	if (!fits)
		return sendcp_engine_fail(engine, SENDCP_ERR_CHECKPOINT_POSITION, NULL);
	sendcp_set_inode(state, state->kind, inode);
	return 0;
}

int sendcp_decoded_complete(struct sendcp_engine *engine, struct sendcp_decoded *next)
{
	struct sendcp_state *state = &next->state;
	int err;

	if (!change_is_possible(engine, state) || !phase_is_possible(engine, next))
		return sendcp_engine_fail(engine, SENDCP_ERR_CHECKPOINT_FORMAT,
					  "impossible position");
	err = state->kind == SENDCP_KIND_NONE ? 0 : complete_inode(engine, state);
	if (err)
		return err;
	if (!payload_fits(&next->queue.payload, state) ||
	    (state->phase == SENDCP_PHASE_RANGE && state->range.kind == SENDCP_RANGE_DATA &&
	     state->range.end > state->size))
		return sendcp_engine_fail(engine, SENDCP_ERR_CHECKPOINT_POSITION, NULL);
	return 0;
}
