// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Processing the names of the current inode: inodes that still have a new name are orphanized, new
 * refs are linked, deleted refs are unlinked.
 *
 * The order is native send's, and each part needs the one before it. A name can be given only when
 * it is free. The old names go after the new ones have come, since a file that has no name for a
 * moment is lost at the receiver, contents and all. The directories of all these names come last:
 * each command above sets their times again, and a deleted one is empty only after them.
 *
 * After every command naming.valid is where the receiver has the inode. The paths of the other
 * names are looked up one by one, since 65,535 of them would take any amount of memory. Which
 * moment they are of is native send's choice: names that are lost have the paths from before the
 * first command, unless a directory above the inode was orphanized.
 *
 * The processing may stop after any name, and goes on from there: see replay.c.
 */
#include "send/delay.h"
#include "send/engine_private.h"
#include "send/exists.h"
#include "send/identity.h"
#include "send/inode.h"
#include "send/names.h"
#include "send/path.h"
#include "send/utimes.h"

int sendcp_send_rename(struct sendcp_engine *engine, const struct sendcp_path *from,
		       const struct sendcp_path *to)
{
	sendcp_command_begin(&engine->encoder, SENDCP_C_RENAME);
	sendcp_put_path(&engine->encoder, SENDCP_A_PATH, from);
	sendcp_put_path(&engine->encoder, SENDCP_A_PATH_TO, to);
	return sendcp_command_end(&engine->encoder);
}

int sendcp_send_link(struct sendcp_engine *engine, const struct sendcp_path *name,
		     const struct sendcp_path *existing)
{
	sendcp_command_begin(&engine->encoder, SENDCP_C_LINK);
	sendcp_put_path(&engine->encoder, SENDCP_A_PATH, name);
	sendcp_put_path(&engine->encoder, SENDCP_A_PATH_LINK, existing);
	return sendcp_command_end(&engine->encoder);
}

int sendcp_send_unlink(struct sendcp_engine *engine, const struct sendcp_path *path)
{
	sendcp_command_begin(&engine->encoder, SENDCP_C_UNLINK);
	sendcp_put_path(&engine->encoder, SENDCP_A_PATH, path);
	return sendcp_command_end(&engine->encoder);
}

int sendcp_send_rmdir(struct sendcp_engine *engine, const struct sendcp_path *path)
{
	sendcp_command_begin(&engine->encoder, SENDCP_C_RMDIR);
	sendcp_put_path(&engine->encoder, SENDCP_A_PATH, path);
	return sendcp_command_end(&engine->encoder);
}

static bool current_is_dir(const struct sendcp_engine *engine)
{
	return S_ISDIR(engine->state.mode);
}

static void name_of(const struct sendcp_ref_list *list, const struct sendcp_listed_ref *ref,
		    struct sendcp_name *name)
{
	name->dir = ref->dir;
	name->len = ref->name_len;
	memcpy(name->bytes, sendcp_ref_list_name(list, ref), ref->name_len);
}

/*
 * Where the directory of @ref is now, or was before anything was orphanized if @before. Names of
 * one directory mostly follow each other.
 */
static int dir_path(struct sendcp_engine *engine, const struct sendcp_listed_ref *ref, bool before)
{
	struct sendcp_naming *naming = &engine->naming;
	struct sendcp_dir_path *last = &naming->dir_path;
	int err;

	if (last->known && last->dir.ino == ref->dir &&
	    last->dir.generation == ref->dir_generation && last->before_orphanized == before)
		return 0;
	naming->before_orphanized = before;
	err = sendcp_path_of(engine, ref->dir, ref->dir_generation, &last->path);
	naming->before_orphanized = false;
	last->known = !err;
	last->before_orphanized = before;
	last->dir.ino = ref->dir;
	last->dir.generation = ref->dir_generation;
	return err;
}

static int full_path(struct sendcp_engine *engine, const struct sendcp_ref_list *list,
		     const struct sendcp_listed_ref *ref, bool before, struct sendcp_path *path)
{
	int err = dir_path(engine, ref, before);

	if (err)
		return err;
	sendcp_path_copy(path, &engine->naming.dir_path.path);
	return sendcp_path_append(engine, path, sendcp_ref_list_name(list, ref), ref->name_len);
}

/* 1: the first name the current inode has in the parent was taken by another one already. */
static int lost_first_name(struct sendcp_engine *engine)
{
	const struct sendcp_state *state = &engine->state;
	struct sendcp_name name;
	u64 generation;
	int err = sendcp_first_ref(engine->parent, state->ino, &name);

	if (!err)
		err = sendcp_generation_in(engine, engine->parent, name.dir, &generation);
	if (err)
		return err == -ENOENT ? sendcp_send_fail(engine, SENDCP_ERR_INCONSISTENT) : err;
	return sendcp_is_overwritten(engine, &name, generation, state->ino, state->generation);
}

/*
 * Where the receiver has the inode before the first command. A new one was created under its orphan
 * name; a changed or deleted one is there, too, if an inode before it has taken its first name.
 */
static int find_current(struct sendcp_engine *engine)
{
	struct sendcp_naming *naming = &engine->naming;
	const struct sendcp_state *state = &engine->state;
	int orphan = state->kind == SENDCP_KIND_NEW ? 1 : lost_first_name(engine);

	if (orphan < 0)
		return orphan;
	naming->still_orphan = orphan;
	naming->ancestor_orphanized = false;
	naming->delayed = false;
	if (orphan)
		return sendcp_orphan_name(engine, state->ino, state->generation, &naming->valid);
	return sendcp_current_path(engine, &naming->valid);
}

/* 1: @name is the first name of @ino in the parent. */
static int is_first_name(struct sendcp_engine *engine, u64 ino, const struct sendcp_name *name)
{
	struct sendcp_name first;
	int err = sendcp_first_ref(engine->parent, ino, &first);

	if (err)
		return err == -ENOENT ? sendcp_send_fail(engine, SENDCP_ERR_INCONSISTENT) : err;
	return first.dir == name->dir && first.len == name->len &&
	       !memcmp(first.bytes, name->bytes, name->len);
}

/*
 * @other has its orphan name now. A move of it that waits begins there, and if it is above the
 * current inode, the path of that has changed with it: both must be known before the next command.
 */
static int note_orphanized(struct sendcp_engine *engine, const struct sendcp_inode *other)
{
	struct sendcp_inode_id id = { .ino = other->ino, .generation = other->generation };
	struct sendcp_move *move = sendcp_moves_find(&engine->deferred.moves, other->ino);
	struct sendcp_naming *naming = &engine->naming;
	int above;

	if (sendcp_inode_set_add(&naming->orphanized, id.ino, id.generation))
		return sendcp_send_fail(engine, SENDCP_ERR_NO_MEMORY);
	naming->dir_path.known = false;
	if (move && sendcp_moves_orphanize(&engine->deferred.moves, move))
		return sendcp_send_fail(engine, SENDCP_ERR_NO_MEMORY);
	/* Nothing is below it. */
	if (!S_ISDIR(other->mode))
		return 0;
	above = sendcp_is_ancestor(engine, engine->parent, engine->state.ino, &id);
	if (above <= 0)
		return above;
	naming->ancestor_orphanized = true;
	sendcp_path_clear(&engine->current_path);
	return sendcp_current_path(engine, &naming->valid);
}

static int orphanize(struct sendcp_engine *engine, const struct sendcp_path *path,
		     const struct sendcp_inode *other)
{
	int err = sendcp_orphan_name(engine, other->ino, other->generation, &engine->path_b);

	if (!err)
		err = sendcp_send_rename(engine, path, &engine->path_b);
	return err ? err : note_orphanized(engine, other);
}

/*
 * If the name still belongs to something of the parent whose turn has not come, that makes way.
 *
 * Until its turn an inode is found by its first name in the parent. If that is the one, the inode
 * is renamed to its orphan name, by which path.c finds it then. A further link only goes: when the
 * turn of its inode comes, sendcp_is_overwritten() says that it must not be removed once more.
 */
static int orphanize_conflicts(struct sendcp_engine *engine, const struct sendcp_listed_ref *ref)
{
	struct sendcp_naming *naming = &engine->naming;
	int inode_state = sendcp_need_inode_state(engine, ref->dir, ref->dir_generation);
	struct sendcp_inode other;
	struct sendcp_name name;
	int ret;

	/* Nothing is in a directory that the receiver does not have yet. */
	if (inode_state < 0 || inode_state == SENDCP_INODE_WILL_CREATE)
		return inode_state < 0 ? inode_state : 0;
	name_of(&naming->new_refs, ref, &name);
	ret = sendcp_find_conflict(engine, &name, ref->dir_generation, &other);
	if (ret <= 0)
		return ret;
	ret = full_path(engine, &naming->new_refs, ref, false, &engine->path_a);
	if (ret)
		return ret;
	ret = is_first_name(engine, other.ino, &name);
	if (ret < 0)
		return ret;
	return ret ? orphanize(engine, &engine->path_a, &other) :
	       sendcp_send_unlink(engine, &engine->path_a);
}

/*
 * A directory with a number not yet reached must exist before something is put into it. It is
 * created under its orphan name; at its own turn it is renamed with all that is in it by then. If
 * it was needed for an earlier one of the new names, it was created for that.
 */
static int make_dir(struct sendcp_engine *engine, const struct sendcp_listed_ref *ref)
{
	int inode_state;

	if (ref->dir < engine->state.send_progress || ref->dir == SENDCP_ROOT_DIR_ID)
		return 0;
	inode_state = sendcp_need_inode_state(engine, ref->dir, ref->dir_generation);
	if (inode_state != SENDCP_INODE_WILL_CREATE)
		return inode_state < 0 ? inode_state : 0;
	if (sendcp_inode_set_has(&engine->naming.check_dirs, ref->dir, ref->dir_generation))
		return 0;
	return sendcp_create_dir_early(engine, ref->dir, ref->dir_generation);
}

static int touch(struct sendcp_engine *engine, const struct sendcp_listed_ref *ref)
{
	if (sendcp_inode_set_add(&engine->naming.check_dirs, ref->dir, ref->dir_generation))
		return sendcp_send_fail(engine, SENDCP_ERR_NO_MEMORY);
	return 0;
}

/*
 * From where it is to another name. The path that later steps send its contents and attributes to
 * must follow.
 */
static int move_current(struct sendcp_engine *engine, const struct sendcp_path *to)
{
	struct sendcp_naming *naming = &engine->naming;
	int err = sendcp_send_rename(engine, &naming->valid, to);

	naming->still_orphan = false;
	sendcp_path_copy(&naming->valid, to);
	sendcp_path_copy(&engine->current_path, to);
	return err;
}

/*
 * Gives the current inode a name. An orphan name is a stopgap that is to vanish, and a directory
 * can have one name only, so these are renamed. Everything else gets a further link and keeps its
 * old names until gone_stage().
 */
static int link_ref(struct sendcp_engine *engine, const struct sendcp_listed_ref *ref)
{
	struct sendcp_naming *naming = &engine->naming;
	bool moves = naming->still_orphan || current_is_dir(engine);
	int err = full_path(engine, &naming->new_refs, ref, false, &engine->path_a);

	if (err)
		return err;
	if (moves)
		return move_current(engine, &engine->path_a);
	return sendcp_send_link(engine, &engine->path_a, &naming->valid);
}

/* Sets naming.delayed if the current inode is a directory that cannot get this name yet. */
static int decide_delay(struct sendcp_engine *engine, const struct sendcp_listed_ref *ref)
{
	struct sendcp_naming *naming = &engine->naming;
	struct sendcp_name name;
	int ret;

	if (!engine->parent || !current_is_dir(engine) || naming->delayed)
		return 0;
	name_of(&naming->new_refs, ref, &name);
	ret = sendcp_must_wait(engine, &name, ref->dir_generation);
	if (ret < 0)
		return ret;
	naming->delayed = ret;
	/* That it waits changes paths. */
	naming->dir_path.known &= !ret;
	return 0;
}

/*
 * If the move waits, the name is given by sendcp_apply_move() later. Its directory gets new times
 * now, too, as native send gives them.
 */
static int process_new(struct sendcp_engine *engine, const struct sendcp_listed_ref *ref)
{
	int err = make_dir(engine, ref);

	if (!err)
		err = decide_delay(engine, ref);
	if (!err && !engine->naming.delayed)
		err = link_ref(engine, ref);
	return err ? err : touch(engine, ref);
}

static struct sendcp_listed_ref *first_live(const struct sendcp_ref_list *list)
{
	u32 i;

	for (i = 0; i < list->count; i++)
		if (!list->refs[i].cancelled)
			return &list->refs[i];
	return NULL;
}

/* From the name on that is next. 1: this run has processed as many as it may. */
static int for_each(struct sendcp_engine *engine, const struct sendcp_ref_list *list,
		    int (*function)(struct sendcp_engine *engine,
				    const struct sendcp_listed_ref *ref))
{
	struct sendcp_naming *naming = &engine->naming;
	const struct sendcp_listed_ref *ref;
	int err = 0;

	while (!err && naming->at < list->count) {
		ref = &list->refs[naming->at];
		if (!ref->cancelled) {
			if (!naming->budget)
				return 1;
			naming->budget--;
			err = function(engine, ref);
		}
		naming->at++;
	}
	return err;
}

/*
 * A directory is deleted: removed, or orphanized until all its entries are removed too: under its
 * orphan name, since another inode of the subvolume may be about to get the name it had.
 */
static int remove_dir(struct sendcp_engine *engine)
{
	struct sendcp_naming *naming = &engine->naming;
	struct sendcp_state *state = &engine->state;
	int removable = sendcp_can_remove(engine, state->ino, state->generation);
	int err = 0;

	if (removable < 0)
		return removable;
	if (removable) {
		err = sendcp_send_rmdir(engine, &naming->valid);
	} else if (!naming->still_orphan) {
		err = sendcp_orphan_name(engine, state->ino, state->generation, &engine->path_a);
		if (!err)
			err = move_current(engine, &engine->path_a);
		naming->still_orphan = true;
	}
	return err;
}

static int unlink_name(struct sendcp_engine *engine, const struct sendcp_listed_ref *ref)
{
	struct sendcp_naming *naming = &engine->naming;
	struct sendcp_path *path = &engine->current_path;
	int err = full_path(engine, &naming->deleted_refs, ref, !naming->ancestor_orphanized,
			    &engine->path_a);

	if (!err)
		err = sendcp_send_unlink(engine, &engine->path_a);
	if (err)
		return err;
	/* The kernel's rule; it also forgets d/f when d/foo goes. */
	if (sendcp_path_begins_with(&engine->path_a, path))
		sendcp_path_clear(path);
	return 0;
}

/* UNLINK, unless another inode has the name by now: then it is that one's. */
static int unlink_ref(struct sendcp_engine *engine, const struct sendcp_listed_ref *ref)
{
	const struct sendcp_state *state = &engine->state;
	struct sendcp_name name;
	int overwritten;
	int err = 0;

	name_of(&engine->naming.deleted_refs, ref, &name);
	overwritten = sendcp_is_overwritten(engine, &name, ref->dir_generation, state->ino,
					    state->generation);
	if (overwritten < 0)
		return overwritten;
	if (!overwritten)
		err = unlink_name(engine, ref);
	return err ? err : touch(engine, ref);
}

static bool is_deleted_dir(const struct sendcp_engine *engine)
{
	return current_is_dir(engine) && engine->state.kind == SENDCP_KIND_DELETED;
}

static int orphanize_stage(struct sendcp_engine *engine)
{
	return engine->parent ? for_each(engine, &engine->naming.new_refs, orphanize_conflicts) : 0;
}

static int new_stage(struct sendcp_engine *engine)
{
	return for_each(engine, &engine->naming.new_refs, process_new);
}

static int remove_dir_stage(struct sendcp_engine *engine)
{
	return is_deleted_dir(engine) ? remove_dir(engine) : 0;
}

static int gone_stage(struct sendcp_engine *engine)
{
	struct sendcp_naming *naming = &engine->naming;
	struct sendcp_listed_ref *first;

	if (is_deleted_dir(engine))
		return for_each(engine, &naming->deleted_refs, touch);
	if (!current_is_dir(engine))
		return for_each(engine, &naming->deleted_refs, unlink_ref);
	/* A directory has one name, and its move took it away. */
	first = first_live(&naming->deleted_refs);
	return first ? touch(engine, first) : 0;
}

/* Its first name was taken and it got no new one: its orphan name is none of the refs. */
static int orphan_name_stage(struct sendcp_engine *engine)
{
	const struct sendcp_naming *naming = &engine->naming;

	if (current_is_dir(engine) || !naming->still_orphan)
		return 0;
	return sendcp_send_unlink(engine, &naming->valid);
}

/*
 * A directory that lost or got a name: new times later, or it goes if that was the last one. One
 * with a larger number has its own turn still to come, which does the same for it.
 */
static int settle_dir(struct sendcp_engine *engine, const struct sendcp_inode_id *dir)
{
	int inode_state;

	if (dir->ino > engine->state.ino)
		return 0;
	inode_state = sendcp_need_inode_state(engine, dir->ino, dir->generation);
	if (inode_state < 0)
		return inode_state;
	if (inode_state == SENDCP_INODE_DID_CREATE || inode_state == SENDCP_INODE_NO_CHANGE)
		return sendcp_defer_utimes(engine, dir->ino, dir->generation);
	return inode_state == SENDCP_INODE_DID_DELETE ? sendcp_remove_if_empty(engine, dir) : 0;
}

static int settle_stage(struct sendcp_engine *engine)
{
	struct sendcp_naming *naming = &engine->naming;
	struct sendcp_inode_id dir;
	int err = 0;

	while (!err && naming->budget &&
	       sendcp_inode_set_next(&naming->check_dirs, &naming->at, &dir)) {
		naming->budget--;
		err = settle_dir(engine, &dir);
	}
	return err ? err : !naming->budget;
}

/* Each is run again from naming.at on while it returns 1. */
static int (*const stages[])(struct sendcp_engine *engine) = {
	find_current, orphanize_stage, new_stage, remove_dir_stage, gone_stage, orphan_name_stage,
	settle_stage,
};

int sendcp_process_names(struct sendcp_engine *engine)
{
	struct sendcp_naming *naming = &engine->naming;
	int ret;

	while (naming->stage < ARRAY_SIZE(stages)) {
		ret = stages[naming->stage](engine);
		if (ret)
			return ret;
		naming->stage++;
		naming->at = 0;
	}
	return 0;
}
