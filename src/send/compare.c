// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Comparing two trees.
 *
 * Both are walked together. Where both are before the same pointer (address and generation), all
 * below is the same and is passed over unread; so the cost follows what differs, not what there is.
 * A block is never written twice to one address in one generation, so nothing but the pointers is
 * looked at.
 *
 * The order in which the two move decides which items are seen as "same" at all, and is native
 * send's. A side moves only when the next change is wanted (sendcp_side.due): until then its cursor
 * stays on the item that the change is about. Whether it is due follows from the change's result,
 * which is how a checkpoint can do with the keys of both sides.
 */
#include "send/compare.h"

void sendcp_compare_init(struct sendcp_compare *compare, struct sendcp_tree *left,
			 struct sendcp_tree *right)
{
	memset(compare, 0, sizeof(*compare));
	sendcp_cursor_init(&compare->left.cursor, left);
	sendcp_cursor_init(&compare->right.cursor, right);
}

void sendcp_compare_release(struct sendcp_compare *compare)
{
	sendcp_cursor_release(&compare->left.cursor);
	sendcp_cursor_release(&compare->right.cursor);
	compare->positioned = false;
}

static struct sendcp_key side_key(const struct sendcp_side *side)
{
	return sendcp_node_key(side->cursor.path[side->level], side->cursor.slot[side->level]);
}

static void drop_level(struct sendcp_side *side, int level)
{
	sendcp_node_put(side->cursor.tree->volume, side->cursor.path[level]);
	side->cursor.path[level] = NULL;
	side->cursor.slot[level] = 0;
}

/* The tree's root, first slot. */
static int begin_side(struct sendcp_side *side)
{
	int err;

	side->root = side->cursor.tree->info.node;
	side->root_level = side->root.level;
	side->level = side->root_level;
	side->due = false;
	side->skip = false;
	err = sendcp_cursor_to_root(&side->cursor);
	side->at_end = !err && !side->cursor.path[side->level]->nritems;
	return err;
}

/* Into the child, first slot. */
static int descend(struct sendcp_side *side)
{
	int err = sendcp_cursor_descend(&side->cursor, side->level);

	if (!err)
		side->level--;
	return err;
}

/* To the next slot, as far up as needed. At the end the slot stays on the last item. */
static void pass(struct sendcp_side *side)
{
	int level = side->level;

	while (level < side->root_level &&
	       side->cursor.slot[level] + 1 >= side->cursor.path[level]->nritems)
		level++;
	if (side->cursor.slot[level] + 1 >= side->cursor.path[level]->nritems) {
		side->at_end = true;
		return;
	}
	while (side->level < level)
		drop_level(side, side->level++);
	side->cursor.slot[level]++;
}

static int advance(struct sendcp_side *side)
{
	int err = 0;

	if (!side->due || side->at_end)
		return 0;
	if (!side->level || side->skip)
		pass(side);
	else
		err = descend(side);
	if (!err) {
		side->due = false;
		side->skip = false;
	}
	return err;
}

static void set_due(struct sendcp_side *side, bool skip)
{
	side->due = true;
	side->skip = skip;
}

static bool same_child(const struct sendcp_side *left, const struct sendcp_side *right)
{
	const struct sendcp_node *a = left->cursor.path[left->level];
	const struct sendcp_node *b = right->cursor.path[right->level];
	u32 i = left->cursor.slot[left->level];
	u32 j = right->cursor.slot[right->level];

	return sendcp_node_child_bytenr(a, i) == sendcp_node_child_bytenr(b, j) &&
	       sendcp_node_child_generation(a, i) == sendcp_node_child_generation(b, j);
}

static bool same_item(const struct sendcp_side *left, const struct sendcp_side *right)
{
	u32 left_size;
	u32 right_size;
	const void *a = sendcp_cursor_item(&left->cursor, &left_size);
	const void *b = sendcp_cursor_item(&right->cursor, &right_size);

	return left_size == right_size && !memcmp(a, b, left_size);
}

/*
 * Both are on items. If one has a smaller key, that is in its tree only, and that side alone moves
 * on.
 */
static enum sendcp_compare_result compare_items(struct sendcp_side *left, struct sendcp_side *right)
{
	struct sendcp_key a = side_key(left);
	struct sendcp_key b = side_key(right);
	int order = sendcp_key_compare(&a, &b);

	if (order <= 0)
		set_due(left, false);
	if (order >= 0)
		set_due(right, false);
	if (order)
		return order < 0 ? SENDCP_COMPARE_NEW : SENDCP_COMPARE_DELETED;
	return same_item(left, right) ? SENDCP_COMPARE_SAME : SENDCP_COMPARE_CHANGED;
}

/* Both are on pointers of one level: the same for what is below them. */
static void compare_pointers(struct sendcp_side *left, struct sendcp_side *right)
{
	struct sendcp_key a = side_key(left);
	struct sendcp_key b = side_key(right);
	int order = sendcp_key_compare(&a, &b);
	bool same = !order && same_child(left, right);

	if (order <= 0)
		set_due(left, same);
	if (order >= 0)
		set_due(right, same);
}

/* One tree is at its end: the rest of the other one follows, item by item. */
static enum sendcp_compare_result rest_of(struct sendcp_side *side,
					  enum sendcp_compare_result result)
{
	set_due(side, false);
	return side->level ? SENDCP_COMPARE_NONE : result;
}

/*
 * Where the levels differ the higher side goes down, whatever the keys are: only pointers of one
 * level can be the same.
 */
static enum sendcp_compare_result compare_positions(struct sendcp_side *left,
						    struct sendcp_side *right)
{
	if (left->at_end)
		return rest_of(right, SENDCP_COMPARE_DELETED);
	if (right->at_end)
		return rest_of(left, SENDCP_COMPARE_NEW);
	if (!left->level && !right->level)
		return compare_items(left, right);
	if (left->level == right->level)
		compare_pointers(left, right);
	else
		set_due(left->level > right->level ? left : right, false);
	return SENDCP_COMPARE_NONE;
}

/* A side at its end keeps the key it had, which nothing looks at. */
static void store_change(const struct sendcp_compare *compare, enum sendcp_compare_result result,
			 struct sendcp_position *at)
{
	at->result = result;
	at->left_end = compare->left.at_end;
	at->right_end = compare->right.at_end;
	if (!at->left_end)
		at->left_key = side_key(&compare->left);
	if (!at->right_end)
		at->right_key = side_key(&compare->right);
	at->key = result == SENDCP_COMPARE_DELETED ? at->right_key : at->left_key;
}

/* Every turn moves at least one of the trees on, so the loop ends with them. */
static int walk(struct sendcp_compare *compare, struct sendcp_position *at)
{
	enum sendcp_compare_result result = SENDCP_COMPARE_NONE;
	int err;

	while (!result) {
		compare->failed = &compare->left;
		err = advance(&compare->left);
		if (!err) {
			compare->failed = &compare->right;
			err = advance(&compare->right);
		}
		if (err)
			return err;
		if (compare->left.at_end && compare->right.at_end)
			return -ENOENT;
		result = compare_positions(&compare->left, &compare->right);
	}
	store_change(compare, result, at);
	return 0;
}

/*
 * By key, so it does not matter if the tree has other blocks now than when the key was stored. At
 * a change a side is on an item, or at its end: the level is always 0.
 */
static int restore_side(struct sendcp_side *side, const struct sendcp_key *key, bool at_end,
			bool due)
{
	int err;

	side->at_end = at_end;
	side->due = due;
	side->skip = false;
	side->level = 0;
	if (at_end)
		return 0;
	err = sendcp_search_exact(&side->cursor, key);
	side->root = side->cursor.tree->info.node;
	side->root_level = side->root.level;
	if (err == -ENOENT)
		return sendcp_fail_detail(side->cursor.tree->volume, SENDCP_ERR_CHECKPOINT_POSITION,
					  NULL);
	return err;
}

static int begin(struct sendcp_compare *compare)
{
	int err;

	compare->failed = &compare->left;
	err = begin_side(&compare->left);
	if (err)
		return err;
	compare->failed = &compare->right;
	return begin_side(&compare->right);
}

/* Searches follow moves by themselves, so what fails here has failed. */
static int restore(struct sendcp_compare *compare, const struct sendcp_position *at)
{
	enum sendcp_compare_result result = at->result;
	int err;

	compare->failed = NULL;
	err = restore_side(&compare->left, &at->left_key, at->left_end,
			   result != SENDCP_COMPARE_DELETED);
	if (err)
		return err;
	return restore_side(&compare->right, &at->right_key, at->right_end,
			    result != SENDCP_COMPARE_NEW);
}

int sendcp_compare_restore(struct sendcp_compare *compare, const struct sendcp_position *at)
{
	int err;

	if (compare->positioned)
		return 0;
	err = at->result == SENDCP_COMPARE_NONE ? begin(compare) : restore(compare, at);
	compare->positioned = !err;
	return err;
}

int sendcp_compare_next(struct sendcp_compare *compare, struct sendcp_position *at)
{
	int tries = SENDCP_RETRY_MAX;
	int ret;

	do {
		ret = sendcp_compare_restore(compare, at);
		if (!ret)
			ret = walk(compare, at);
		if (!ret || ret == -ENOENT)
			return ret;
		sendcp_compare_release(compare);
		if (compare->failed)
			ret = sendcp_retry_after_move(compare->failed->cursor.tree,
						      compare->failed->root, ret, &tries);
	} while (ret > 0);
	return ret;
}
