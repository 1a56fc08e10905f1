/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Paths: where inodes are at the receiver at this moment.
 *
 * Answers hold until the next command about names, so they are not kept, but for the current
 * inode's. Every @path is the caller's, usually one of the engine's scratch paths.
 */
#ifndef SENDCP_SEND_PATH_H
#define SENDCP_SEND_PATH_H

#include "encode/encode.h"

struct sendcp_engine;
struct sendcp_inode_id;
struct sendcp_name;
struct sendcp_tree;

/* Makes @path empty: the subvolume's root, or "not known yet". */
void sendcp_path_clear(struct sendcp_path *path);
/* Compares bytes, not names: "dir/file" begins with "di", too. */
bool sendcp_path_begins_with(const struct sendcp_path *path, const struct sendcp_path *beginning);
/* Copies only the bytes in use. */
void sendcp_path_copy(struct sendcp_path *to, const struct sendcp_path *from);
/* @path += "/" name (just the name under the root). -ENAMETOOLONG. */
int sendcp_path_append(struct sendcp_engine *engine, struct sendcp_path *path, const u8 *name,
		       u16 len);
/* The name an inode has before it has one: see docs/architecture.md. */
int sendcp_orphan_name(struct sendcp_engine *engine, u64 ino, u64 generation,
		       struct sendcp_path *path);
/*
 * The name by which @id, not waiting for anything, is known now, and the tree its directory's
 * generation is to be taken from. 1: it is known by its orphan name.
 */
int sendcp_name_now(struct sendcp_engine *engine, const struct sendcp_inode_id *id,
		    struct sendcp_name *name, struct sendcp_tree **tree);
/* The path of (ino, generation) at the receiver now. */
int sendcp_path_of(struct sendcp_engine *engine, u64 ino, u64 generation, struct sendcp_path *path);
/* The same for the current inode, remembered in engine.current_path. */
int sendcp_current_path(struct sendcp_engine *engine, struct sendcp_path *path);
/* Path of an inode in another tree, as it is there. */
int sendcp_path_in_tree(struct sendcp_engine *engine, struct sendcp_tree *tree, u64 ino,
			struct sendcp_path *path);

#endif
