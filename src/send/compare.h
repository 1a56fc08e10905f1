/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Walking two trees at once, in key order, past all that they share.
 */
#ifndef SCP_SEND_COMPARE_H
#define SCP_SEND_COMPARE_H

#include "send/state.h"

/* One of the two trees and where the walk is in it. */
struct scp_side {
	/* path[level .. root] are held; at level 0 this is a cursor on an item. */
	struct scp_cursor cursor;
	int level;
	int root_level;
	/* The root that the walk entered the tree from. */
	struct scp_root_pointer root;
	/* All items are passed. */
	bool at_end;
	/* Moves on before the next comparison ... */
	bool due;
	/* ... without looking into the child it is at. */
	bool skip;
};

struct scp_compare {
	struct scp_side left;
	struct scp_side right;
	/* Both sides are where the engine's state says. */
	bool positioned;
	/* The side that failed last. */
	struct scp_side *failed;
};

void scp_compare_init(struct scp_compare *compare, struct scp_tree *left, struct scp_tree *right);
/* Gives all blocks back; scp_compare_next() finds its place again by its @at. */
void scp_compare_release(struct scp_compare *compare);

/*
 * Goes from the change @at to the next one, which becomes @at: key, result, and where both trees
 * are. -ENOENT: there is none. Moves of a mounted filesystem are followed.
 */
int scp_compare_next(struct scp_compare *compare, struct scp_position *at);

/* Puts both sides on the change @at. */
int scp_compare_restore(struct scp_compare *compare, const struct scp_position *at);

#endif
