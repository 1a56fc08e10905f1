// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Paths: the place of an inode at the receiver at this moment of the stream.
 *
 * Inodes come in increasing number, so a directory may come after what is in it. An inode that has
 * not had its turn has its orphan name in the subvolume's root; state.send_progress says which.
 *
 * A path is built from its end, and for each part of it the question is the same: which name has
 * the receiver for it now? Directories that are put off come first, as the trees know nothing of
 * them; then the tree that send_progress says; and then whether another inode has got that name
 * meanwhile, which leaves the orphan name.
 */
#include "send/engine_private.h"
#include "send/exists.h"
#include "send/identity.h"
#include "send/path.h"

void sendcp_path_clear(struct sendcp_path *path)
{
	path->len = 0;
}

bool sendcp_path_begins_with(const struct sendcp_path *path, const struct sendcp_path *beginning)
{
	return path->len >= beginning->len &&
	       !memcmp(path->bytes, beginning->bytes, beginning->len);
}

void sendcp_path_copy(struct sendcp_path *to, const struct sendcp_path *from)
{
	to->len = from->len;
	memcpy(to->bytes, from->bytes, from->len);
}

int sendcp_path_append(struct sendcp_engine *engine, struct sendcp_path *path, const u8 *name,
		       u16 len)
{
	u16 slash = path->len ? 1 : 0;

	if ((u32)path->len + slash + len > SENDCP_PATH_MAX)
		return sendcp_send_fail(engine, SENDCP_ERR_PATH_LENGTH);
	if (slash)
		path->bytes[path->len++] = '/';
	memcpy(path->bytes + path->len, name, len);
	path->len += len;
	return 0;
}

/* Puts @name in front of a path that is built from its end. */
static int prepend_name(struct sendcp_engine *engine, struct sendcp_path *path, const u8 *name,
			u16 len)
{
	u16 slash = path->len ? 1 : 0;

	if ((u32)path->len + slash + len > SENDCP_PATH_MAX)
		return sendcp_send_fail(engine, SENDCP_ERR_PATH_LENGTH);
	memmove(path->bytes + len + slash, path->bytes, path->len);
	memcpy(path->bytes, name, len);
	if (slash)
		path->bytes[len] = '/';
	path->len += len + slash;
	return 0;
}

/* 1: the root directory of the subvolume, or of its parent, has an entry of that name. */
static int is_taken(struct sendcp_engine *engine, const char *name, u16 len)
{
	struct sendcp_key location;
	int err = sendcp_dir_lookup(engine->tree, SENDCP_ROOT_DIR_ID, (const u8 *)name, len,
				    &location);

	if (err == -ENOENT && engine->parent)
		err = sendcp_dir_lookup(engine->parent, SENDCP_ROOT_DIR_ID, (const u8 *)name, len,
					&location);
	if (err == -ENOENT)
		return 0;
	return err ? err : 1;
}

/*
 * o<ino>-<generation>-<n> with the first n that is not taken. Each n refused is an entry of a root
 * directory, which bounds the loop.
 */
static int orphan_name(struct sendcp_engine *engine, u64 ino, u64 generation, char *name,
		       size_t size)
{
	u64 n;
	int len;
	int ret;

	for (n = 0;; n++) {
		len = snprintf(name, size, "o%llu-%llu-%llu", (unsigned long long)ino,
			       (unsigned long long)generation, (unsigned long long)n);
		ret = is_taken(engine, name, len);
		if (ret <= 0)
			return ret ? ret : len;
	}
}

int sendcp_orphan_name(struct sendcp_engine *engine, u64 ino, u64 generation,
		       struct sendcp_path *path)
{
	char name[72];
	int len = orphan_name(engine, ino, generation, name, sizeof(name));

	if (len < 0)
		return len;
	sendcp_path_clear(path);
	return sendcp_path_append(engine, path, (u8 *)name, len);
}

static int orphan_step(struct sendcp_engine *engine, u64 ino, u64 generation,
		       struct sendcp_path *path)
{
	char name[72];
	int len = orphan_name(engine, ino, generation, name, sizeof(name));

	if (len < 0)
		return len;
	len = prepend_name(engine, path, (u8 *)name, len);
	return len ? len : 1;
}

/* In front of @path: the first name of *@id in @tree. *@id becomes the directory it is in. */
static int name_step(struct sendcp_engine *engine, struct sendcp_tree *tree,
		     struct sendcp_inode_id *id, const struct sendcp_name *name,
		     struct sendcp_path *path)
{
	int err = prepend_name(engine, path, name->bytes, name->len);

	if (err)
		return err;
	id->ino = name->dir;
	return sendcp_dir_generation(engine, tree, name->dir, &id->generation);
}

static int first_name(struct sendcp_engine *engine, struct sendcp_tree *tree, u64 ino,
		      struct sendcp_name *name)
{
	int err = sendcp_first_ref(tree, ino, name);

	return err == -ENOENT ? sendcp_send_fail(engine, SENDCP_ERR_INCONSISTENT) : err;
}

/* Below send_progress it is the subvolume's name that counts, from there on the parent's. */
int sendcp_name_now(struct sendcp_engine *engine, const struct sendcp_inode_id *id,
		    struct sendcp_name *name, struct sendcp_tree **tree)
{
	u64 dir_generation = 0;
	int ret = sendcp_exists_now(engine, id->ino, id->generation);

	if (ret <= 0)
		return ret ? ret : 1;
	*tree = id->ino < engine->state.send_progress ? engine->tree : engine->parent;
	ret = first_name(engine, *tree, id->ino, name);
	if (ret || !engine->parent)
		return ret;
	ret = sendcp_dir_generation(engine, *tree, name->dir, &dir_generation);
	if (ret)
		return ret;
	return sendcp_is_overwritten(engine, name, dir_generation, id->ino, id->generation);
}

/* A directory that waits is orphanized once at most, so it was not before if it is now. */
static bool has_orphan_name(const struct sendcp_engine *engine, const struct sendcp_move *move)
{
	const struct sendcp_naming *naming = &engine->naming;

	return move->orphanized &&
	       !(naming->before_orphanized &&
		 sendcp_inode_set_has(&naming->orphanized, move->dir.ino, move->dir.generation));
}

/* One step towards the root. 1: an orphan name, directly in the root, ends the path. */
static int step_up(struct sendcp_engine *engine, struct sendcp_inode_id *id,
		   struct sendcp_path *path)
{
	const struct sendcp_moves *moves = &engine->deferred.moves;
	const struct sendcp_move *move = sendcp_moves_find(moves, id->ino);
	struct sendcp_tree *tree = engine->parent;
	struct sendcp_name name;
	int orphaned;

	if (sendcp_moves_rmdir_pending(moves, id->ino, id->generation))
		orphaned = 1;
	else if (move)
		orphaned = has_orphan_name(engine, move) ? 1 :
			first_name(engine, tree, id->ino, &name);
	else
		orphaned = sendcp_name_now(engine, id, &name, &tree);
	if (orphaned < 0)
		return orphaned;
	if (orphaned)
		return orphan_step(engine, id->ino, id->generation, path);
	return name_step(engine, tree, id, &name, path);
}

static bool is_current(const struct sendcp_engine *engine, u64 ino, u64 generation)
{
	return engine->state.kind != SENDCP_KIND_NONE && ino == engine->state.ino &&
	       generation == engine->state.generation;
}

/*
 * The current inode's path is kept, since most commands need it, and cleared by the commands that
 * may change it. It is in checkpoints, too, so that a resumed send uses the same one.
 */
int sendcp_path_of(struct sendcp_engine *engine, u64 ino, u64 generation, struct sendcp_path *path)
{
	struct sendcp_inode_id id = { .ino = ino, .generation = generation };
	bool is_it = is_current(engine, ino, generation);
	int ret = 0;

	if (is_it && engine->current_path.len) {
		sendcp_path_copy(path, &engine->current_path);
		return 0;
	}
	sendcp_path_clear(path);
	/* Every step adds at least a byte to the path, whose length is bounded. */
	while (id.ino != SENDCP_ROOT_DIR_ID && !ret)
		ret = step_up(engine, &id, path);
	if (ret < 0)
		return ret;
	if (is_it)
		sendcp_path_copy(&engine->current_path, path);
	return 0;
}

int sendcp_current_path(struct sendcp_engine *engine, struct sendcp_path *path)
{
	return sendcp_path_of(engine, engine->state.ino, engine->state.generation, path);
}

int sendcp_path_in_tree(struct sendcp_engine *engine, struct sendcp_tree *tree, u64 ino,
			struct sendcp_path *path)
{
	struct sendcp_name name;
	u64 generation;
	int err;

	sendcp_path_clear(path);
	while (ino != SENDCP_ROOT_DIR_ID) {
		err = sendcp_first_ref(tree, ino, &name);
		if (err == -ENOENT)
			return sendcp_send_fail(engine, SENDCP_ERR_INCONSISTENT);
		if (!err)
			err = prepend_name(engine, path, name.bytes, name.len);
		if (!err)
			err = sendcp_dir_generation(engine, tree, name.dir, &generation);
		if (err)
			return err;
		ino = name.dir;
	}
	return 0;
}
