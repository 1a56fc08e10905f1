// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Paths: where an inode is at the receiver at this moment of the stream.
 *
 * Inodes come in increasing number, so a directory may come after what is in it. Whatever has not
 * had its turn stands under its orphan name in the subvolume's root; the mark tells which is which.
 */
#include "send/engine_private.h"

void scp_path_clear(struct scp_path *path)
{
	path->len = 0;
}

bool scp_path_equal(const struct scp_path *a, const struct scp_path *b)
{
	return a->len == b->len && !memcmp(a->bytes, b->bytes, a->len);
}

void scp_path_copy(struct scp_path *to, const struct scp_path *from)
{
	to->len = from->len;
	memcpy(to->bytes, from->bytes, from->len);
}

int scp_path_append(struct scp_engine *engine, struct scp_path *path, const u8 *name, u16 len)
{
	u16 slash = path->len ? 1 : 0;

	if ((u32)path->len + slash + len > SCP_PATH_MAX)
		return scp_send_fail(engine, SCP_PATH_LENGTH);
	if (slash)
		path->bytes[path->len++] = '/';
	memcpy(path->bytes + path->len, name, len);
	path->len += len;
	return 0;
}

/* Puts @name in front of a path that is built from its end. */
static int prepend(struct scp_engine *engine, struct scp_path *path, const u8 *name, u16 len)
{
	u16 slash = path->len ? 1 : 0;

	if ((u32)path->len + slash + len > SCP_PATH_MAX)
		return scp_send_fail(engine, SCP_PATH_LENGTH);
	memmove(path->bytes + len + slash, path->bytes, path->len);
	memcpy(path->bytes, name, len);
	if (slash)
		path->bytes[len] = '/';
	path->len += len + slash;
	return 0;
}

/*
 * o<ino>-<generation>-<n> with the first n that no entry of the root directory has. Each n refused
 * is an entry of that directory, which bounds the loop.
 */
static int orphan_name(struct scp_engine *engine, u64 ino, u64 generation, char *name, size_t size)
{
	struct scp_key location;
	u64 n;
	int len;
	int err;

	for (n = 0;; n++) {
		len = snprintf(name, size, "o%llu-%llu-%llu", (unsigned long long)ino,
			       (unsigned long long)generation, (unsigned long long)n);
		err = scp_dir_lookup(engine->tree, SCP_ROOT_DIR_ID, (u8 *)name, len, &location);
		if (err == -ENOENT)
			return len;
		if (err)
			return err;
	}
}

int scp_orphan_name(struct scp_engine *engine, u64 ino, u64 generation, struct scp_path *path)
{
	char name[72];
	int len = orphan_name(engine, ino, generation, name, sizeof(name));

	if (len < 0)
		return len;
	scp_path_clear(path);
	return scp_path_append(engine, path, (u8 *)name, len);
}

/* An inode that must be there, since something names it. */
static int generation_of(struct scp_engine *engine, struct scp_tree *tree, u64 ino, u64 *generation)
{
	struct scp_inode inode;
	int err = scp_inode_get(tree, ino, &inode);

	if (err == -ENOENT)
		return scp_send_fail(engine, SCP_INCONSISTENT);
	if (!err)
		*generation = inode.generation;
	return err;
}

/* One step towards the root: the name of *@ino, and its directory. 1: an orphan name ends the path. */
static int step_up(struct scp_engine *engine, u64 *ino, u64 *generation, struct scp_path *path)
{
	struct scp_name name;
	char orphan[72];
	int err;

	if (*ino >= engine->state.mark) {
		err = orphan_name(engine, *ino, *generation, orphan, sizeof(orphan));
		if (err < 0)
			return err;
		err = prepend(engine, path, (u8 *)orphan, err);
		return err ? err : 1;
	}
	err = scp_first_ref(engine->tree, *ino, &name);
	if (err == -ENOENT)
		return scp_send_fail(engine, SCP_INCONSISTENT);
	if (err)
		return err;
	err = prepend(engine, path, name.bytes, name.len);
	if (err)
		return err;
	*ino = name.dir;
	return generation_of(engine, engine->tree, name.dir, generation);
}

static bool is_current(const struct scp_engine *engine, u64 ino, u64 generation)
{
	return engine->state.kind != SCP_KIND_NONE && ino == engine->state.ino &&
	       generation == engine->state.generation;
}

int scp_path_of(struct scp_engine *engine, u64 ino, u64 generation, struct scp_path *path)
{
	bool current = is_current(engine, ino, generation);
	int err = 0;

	if (current && engine->state.path.len) {
		scp_path_copy(path, &engine->state.path);
		return 0;
	}
	scp_path_clear(path);
	/* Every step adds at least a byte to the path, whose length is bounded. */
	while (ino != SCP_ROOT_DIR_ID && !err)
		err = step_up(engine, &ino, &generation, path);
	if (err < 0)
		return err;
	if (current)
		scp_path_copy(&engine->state.path, path);
	return 0;
}

int scp_current_path(struct scp_engine *engine, struct scp_path *path)
{
	return scp_path_of(engine, engine->state.ino, engine->state.generation, path);
}

int scp_path_in_tree(struct scp_engine *engine, struct scp_tree *tree, u64 ino,
		     struct scp_path *path)
{
	struct scp_name name;
	int err;

	scp_path_clear(path);
	while (ino != SCP_ROOT_DIR_ID) {
		err = scp_first_ref(tree, ino, &name);
		if (err == -ENOENT)
			return scp_send_fail(engine, SCP_INCONSISTENT);
		if (!err)
			err = prepend(engine, path, name.bytes, name.len);
		if (err)
			return err;
		ino = name.dir;
	}
	return 0;
}
