// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Collecting the names of the current inode from the changes of its ref items.
 *
 * Nothing is sent between the first of them and the processing of all, so the lists are never part
 * of a checkpoint: a send that is resumed at the first change collects them again.
 */
#include "send/engine_private.h"
#include "send/identity.h"
#include "send/refs.h"
#include "send/step.h"

/* Sets larger than this are freed when they are emptied: few inodes have so many names. */
#define IDS_KEPT 1024u

static void clear_set(struct sendcp_inode_set *set)
{
	if (set->capacity > IDS_KEPT)
		sendcp_inode_set_release(set);
	else
		sendcp_inode_set_clear(set);
}

void sendcp_refs_clear(struct sendcp_engine *engine)
{
	struct sendcp_naming *naming = &engine->naming;

	sendcp_ref_list_clear(&naming->new_refs);
	sendcp_ref_list_clear(&naming->deleted_refs);
	clear_set(&naming->check_dirs);
	clear_set(&naming->orphanized);
	naming->collecting = false;
	naming->before_orphanized = false;
	naming->dir_path.known = false;
	naming->stage = 0;
	naming->at = 0;
}

void sendcp_back_to_names(struct sendcp_engine *engine)
{
	engine->state.at = engine->naming.from;
	engine->state.phase = SENDCP_PHASE_HANDLE;
}

/* The kernel keeps an inode's links below this, so a longer list is not a filesystem's. */
#define MAX_LINKS 65536u

/*
 * A name in one list takes the same name in the other one away instead of being added: an item that
 * changed has names that stayed, which come once as lost and once as new. The same name in a
 * directory of another generation is another name.
 */
static int add_ref(struct sendcp_engine *engine, struct sendcp_tree *tree,
		   const struct sendcp_ref *ref, bool gone)
{
	struct sendcp_naming *naming = &engine->naming;
	struct sendcp_ref_list *list = gone ? &naming->deleted_refs : &naming->new_refs;
	struct sendcp_ref_list *other = gone ? &naming->new_refs : &naming->deleted_refs;
	struct sendcp_listed_ref *counterpart;
	u64 generation = 0;
	int err = sendcp_dir_generation(engine, tree, ref->dir, &generation);

	if (err)
		return err;
	counterpart = sendcp_ref_list_find(other, ref, generation);
	if (counterpart) {
		sendcp_ref_list_cancel(other, counterpart);
		return 0;
	}
	if (list->count >= 2 * MAX_LINKS)
		return sendcp_send_fail(engine, SENDCP_ERR_INCONSISTENT);
	if (sendcp_ref_list_add(list, ref, generation))
		return sendcp_send_fail(engine, SENDCP_ERR_NO_MEMORY);
	return 0;
}

static int collect_item(struct sendcp_engine *engine, struct sendcp_cursor *cursor, bool gone)
{
	struct sendcp_ref_iter iter;
	struct sendcp_ref ref;
	int ret;

	sendcp_ref_iter_init(&iter, cursor);
	while ((ret = sendcp_ref_iter_next(&iter, &ref)) > 0) {
		ret = add_ref(engine, cursor->tree, &ref, gone);
		if (ret)
			break;
	}
	return ret;
}

int sendcp_collect_refs(struct sendcp_engine *engine)
{
	struct sendcp_state *state = &engine->state;
	int err = 0;

	if (state->ino == SENDCP_ROOT_DIR_ID || state->new_gen)
		return 0;
	if (!engine->naming.collecting) {
		engine->naming.from = state->at;
		engine->naming.collecting = true;
	}
	if (state->at.result != SENDCP_COMPARE_DELETED)
		err = collect_item(engine, &engine->compare.left.cursor, false);
	if (!err && state->at.result != SENDCP_COMPARE_NEW)
		err = collect_item(engine, &engine->compare.right.cursor, true);
	return err;
}

int sendcp_collect_all_refs(struct sendcp_engine *engine, struct sendcp_tree *tree, bool gone)
{
	struct sendcp_inode_ref_iter iter;
	struct sendcp_ref ref;
	int ret;

	sendcp_inode_ref_iter_init(&iter, tree, engine->state.ino);
	while ((ret = sendcp_inode_ref_iter_next(&iter, &ref)) > 0) {
		ret = add_ref(engine, tree, &ref, gone);
		if (ret)
			break;
	}
	sendcp_inode_ref_iter_release(&iter);
	return ret;
}

/* Is directory @dir another one in the parent? */
static int dir_differs(struct sendcp_engine *engine, u64 dir)
{
	struct sendcp_inode now;
	struct sendcp_inode before;
	int err = sendcp_inode_in_both(engine, dir, &now, &before);

	if (!err && (!now.ino || !before.ino))
		err = sendcp_send_fail(engine, SENDCP_ERR_INCONSISTENT);
	return err ? err : now.generation != before.generation;
}

int sendcp_refs_differ(struct sendcp_engine *engine)
{
	struct sendcp_ref_iter iter;
	struct sendcp_ref ref;
	u64 last = 0;
	int ret;

	sendcp_ref_iter_init(&iter, &engine->compare.left.cursor);
	while ((ret = sendcp_ref_iter_next(&iter, &ref)) > 0) {
		if (ref.dir == last)
			continue;
		ret = dir_differs(engine, ref.dir);
		if (ret)
			break;
		last = ref.dir;
	}
	return ret;
}
