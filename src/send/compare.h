/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Walking two trees at once, in key order, past all that they share.
 */
#ifndef SENDCP_SEND_COMPARE_H
#define SENDCP_SEND_COMPARE_H

#include "send/state.h"

/* One of the two trees and where the walk is in it. */
struct sendcp_side {
	/* path[level .. root] are held; at level 0 this is a cursor on an item. */
	struct sendcp_cursor cursor;
	int level;
	int root_level;
	/* The root that the walk entered the tree from. */
	struct sendcp_root_pointer root;
	/* All items are passed. */
	bool at_end;
	/* Moves on before the next comparison ... */
	bool due;
	/* ... without looking into the child it is at. */
	bool skip;
};

struct sendcp_compare {
	struct sendcp_side left;
	struct sendcp_side right;
	/* Both sides are where the engine's state says. */
	bool positioned;
	/* The side that failed last. */
	struct sendcp_side *failed;
};

void sendcp_compare_init(struct sendcp_compare *compare, struct sendcp_tree *left,
			 struct sendcp_tree *right);
/* Gives all blocks back; sendcp_compare_next() finds its place again by its @at. */
void sendcp_compare_release(struct sendcp_compare *compare);

/*
 * Goes from the change @at to the next one, which becomes @at: key, result, and where both trees
 * are. -ENOENT: there is none. Moves of a mounted filesystem are followed.
 */
int sendcp_compare_next(struct sendcp_compare *compare, struct sendcp_position *at);

/* Puts both sides on the change @at. */
int sendcp_compare_restore(struct sendcp_compare *compare, const struct sendcp_position *at);

#endif
