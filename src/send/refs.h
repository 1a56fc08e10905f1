/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The names of the current inode, collected from its ref items.
 *
 * They go to engine->naming. No command is queued between the first of them and
 * scp_process_names(), so the lists are in no checkpoint: they are collected again instead.
 */
#ifndef SCP_SEND_REFS_H
#define SCP_SEND_REFS_H

#include <sendcp/platform.h>

struct scp_engine;
struct scp_tree;

/* Adds the names of the change's item; one that is both new and deleted is neither. */
int scp_collect_refs(struct scp_engine *engine);
/* 1: the change is one although the items are the same: a directory has another generation. */
int scp_refs_differ(struct scp_engine *engine);
/* All names of the current inode in @tree; @gone: as names it loses. */
int scp_collect_all_refs(struct scp_engine *engine, struct scp_tree *tree, bool gone);
/* Sets the state back to the change from which on names were collected: to be collected again. */
void scp_back_to_names(struct scp_engine *engine);
/* Forgets what was collected. */
void scp_refs_clear(struct scp_engine *engine);

#endif
