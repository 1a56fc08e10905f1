/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Paths: where inodes are at the receiver at this moment.
 *
 * Answers hold until the next command about names, so they are not kept, but for the current
 * inode's. Every @path is the caller's, usually one of the engine's scratch paths.
 */
#ifndef SCP_SEND_PATH_H
#define SCP_SEND_PATH_H

#include "encode/encode.h"

struct scp_engine;
struct scp_inode_id;
struct scp_name;
struct scp_tree;

/* Makes @path empty: the subvolume's root, or "not known yet". */
void scp_path_clear(struct scp_path *path);
/* Compares bytes, not names: "dir/file" begins with "di", too. */
bool scp_path_begins_with(const struct scp_path *path, const struct scp_path *beginning);
/* Copies only the bytes in use. */
void scp_path_copy(struct scp_path *to, const struct scp_path *from);
/* @path += "/" name (just the name under the root). -ENAMETOOLONG. */
int scp_path_append(struct scp_engine *engine, struct scp_path *path, const u8 *name, u16 len);
/* The name an inode has before it has one: see docs/architecture.md. */
int scp_orphan_name(struct scp_engine *engine, u64 ino, u64 generation, struct scp_path *path);
/*
 * The name by which @id, not waiting for anything, is known now, and the tree its directory's
 * generation is to be taken from. 1: it is known by its orphan name.
 */
int scp_name_now(struct scp_engine *engine, const struct scp_inode_id *id, struct scp_name *name,
		 struct scp_tree **tree);
/* The path of (ino, generation) at the receiver now. */
int scp_path_of(struct scp_engine *engine, u64 ino, u64 generation, struct scp_path *path);
/* The same for the current inode, remembered in engine.current_path. */
int scp_current_path(struct scp_engine *engine, struct scp_path *path);
/* Path of an inode in another tree, as it is there. */
int scp_path_in_tree(struct scp_engine *engine, struct scp_tree *tree, u64 ino,
		     struct scp_path *path);

#endif
