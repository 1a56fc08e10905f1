// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The names of the current inode: collected from its ref items, then given at the receiver.
 *
 * Nothing is sent between the first name's collection and the processing of all, so the list is
 * never part of a checkpoint: whoever goes on from before the first name collects them again.
 */
#include "send/engine_private.h"

void scp_refs_clear(struct scp_engine *engine)
{
	engine->refs.count = 0;
	engine->refs.names_used = 0;
}

void scp_refs_release(struct scp_engine *engine)
{
	scp_free(engine->refs.refs);
	scp_free(engine->refs.names);
	scp_free(engine->touched.ids);
	memset(&engine->touched, 0, sizeof(engine->touched));
	memset(&engine->refs, 0, sizeof(engine->refs));
}

static int reserve(struct scp_ref_list *list, u16 name_len)
{
	u32 room;
	void *block;

	if (list->count == list->room) {
		room = list->room ? list->room * 2 : 16;
		block = scp_realloc(list->refs, list->room * sizeof(*list->refs),
				    room * sizeof(*list->refs));
		if (!block)
			return -ENOMEM;
		list->refs = block;
		list->room = room;
	}
	if (list->names_room - list->names_used < name_len) {
		room = list->names_room ? list->names_room * 2 : 1024;
		block = scp_realloc(list->names, list->names_room, room);
		if (!block)
			return -ENOMEM;
		list->names = block;
		list->names_room = room;
	}
	return 0;
}

/* The kernel keeps an inode's links below this, so a longer list is not a filesystem's. */
#define MAX_LINKS 65536u

static int add_ref(struct scp_engine *engine, const struct scp_ref *ref)
{
	struct scp_ref_list *list = &engine->refs;
	struct scp_new_ref *new;
	struct scp_inode dir;
	int err;

	if (list->count >= MAX_LINKS)
		return scp_send_fail(engine, SCP_INCONSISTENT);
	if (reserve(list, ref->name_len))
		return scp_send_fail(engine, SCP_NO_MEMORY);
	new = &list->refs[list->count];
	new->dir = ref->dir;
	if (list->count && new[-1].dir == ref->dir) {
		new->dir_generation = new[-1].dir_generation;
	} else {
		err = scp_inode_get(engine->tree, ref->dir, &dir);
		if (err)
			return err == -ENOENT ? scp_send_fail(engine, SCP_INCONSISTENT) : err;
		new->dir_generation = dir.generation;
	}
	new->name = list->names_used;
	new->name_len = ref->name_len;
	memcpy(list->names + list->names_used, ref->name, ref->name_len);
	list->names_used += ref->name_len;
	list->count++;
	return 0;
}

int scp_collect_refs(struct scp_engine *engine)
{
	struct scp_ref_iter iter;
	struct scp_ref ref;
	int err;

	if (engine->state.ino == SCP_ROOT_DIR_ID)
		return 0;
	err = scp_ref_iter_init(&iter, &engine->cursor);
	while (!err) {
		err = scp_ref_iter_next(&iter, &ref);
		if (err <= 0)
			break;
		err = add_ref(engine, &ref);
	}
	return err;
}

static int full_path(struct scp_engine *engine, const struct scp_new_ref *ref,
		     struct scp_path *path)
{
	int err = scp_path_of(engine, ref->dir, ref->dir_generation, path);

	if (err)
		return err;
	return scp_path_append(engine, path, engine->refs.names + ref->name, ref->name_len);
}

/* The inode stands under its orphan name: its first name takes it away from there. */
static int send_rename(struct scp_engine *engine, const struct scp_path *to)
{
	struct scp_state *state = &engine->state;
	int err = scp_orphan_name(engine, state->ino, state->generation, &engine->path_b);

	if (err)
		return err;
	scp_command_begin(engine, SCP_C_RENAME);
	scp_put_path(engine, SCP_A_PATH, &engine->path_b);
	scp_put_path(engine, SCP_A_PATH_TO, to);
	err = scp_command_end(engine);
	if (!err)
		scp_path_copy(&state->path, to);
	return err;
}

static int send_link(struct scp_engine *engine, const struct scp_path *name)
{
	scp_command_begin(engine, SCP_C_LINK);
	scp_put_path(engine, SCP_A_PATH, name);
	scp_put_path(engine, SCP_A_PATH_LINK, &engine->state.path);
	return scp_command_end(engine);
}

/* A directory with a number not yet reached must exist before something is put into it. */
static int make_room(struct scp_engine *engine, u32 index)
{
	const struct scp_new_ref *ref = &engine->refs.refs[index];
	u32 i;

	if (ref->dir < engine->state.mark || ref->dir == SCP_ROOT_DIR_ID)
		return 0;
	for (i = index; i-- > 0;)
		if (engine->refs.refs[i].dir == ref->dir)
			return 0;
	return scp_create_dir_early(engine, ref->dir, ref->dir_generation);
}

static int give_name(struct scp_engine *engine, u32 index)
{
	int err = make_room(engine, index);

	if (!err)
		err = full_path(engine, &engine->refs.refs[index], &engine->path_a);
	if (err)
		return err;
	return index ? send_link(engine, &engine->path_a) : send_rename(engine, &engine->path_a);
}

static bool is_listed(const struct scp_id_list *list, u64 ino, u64 generation)
{
	u32 i;

	for (i = list->count; i-- > 0;)
		if (list->ids[i].ino == ino && list->ids[i].generation == generation)
			return true;
	return false;
}

/* The directories of the names, each once, in the order of its first name. */
static int list_touched(struct scp_engine *engine, struct scp_id_list *touched)
{
	const struct scp_new_ref *ref;
	u32 i;

	touched->count = 0;
	for (i = 0; i < engine->refs.count; i++) {
		ref = &engine->refs.refs[i];
		if (is_listed(touched, ref->dir, ref->dir_generation))
			continue;
		if (scp_id_list_reserve(touched, touched->count + 1))
			return scp_send_fail(engine, SCP_NO_MEMORY);
		touched->ids[touched->count].ino = ref->dir;
		touched->ids[touched->count].generation = ref->dir_generation;
		touched->count++;
	}
	return 0;
}

/* Directories that got names have their times set again, if their own turn has been. */
static int touch_dirs(struct scp_engine *engine)
{
	struct scp_id_list *touched = &engine->touched;
	const struct scp_inode_id *dir;
	int err = list_touched(engine, touched);
	u32 i;

	for (i = 0; i < touched->count && !err; i++) {
		dir = &touched->ids[i];
		if (dir->ino <= engine->state.ino)
			err = scp_defer_utimes(engine, dir->ino, dir->generation);
	}
	return err;
}

int scp_process_refs(struct scp_engine *engine)
{
	int err = 0;
	u32 i;

	for (i = 0; i < engine->refs.count && !err; i++)
		err = give_name(engine, i);
	if (!err)
		err = touch_dirs(engine);
	return err;
}
