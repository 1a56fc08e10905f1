/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The names of the current inode, collected from its ref items.
 *
 * They go to engine->naming. No command is queued between the first of them and
 * sendcp_process_names(), so the lists are in no checkpoint: they are collected again instead.
 */
#ifndef SENDCP_SEND_REFS_H
#define SENDCP_SEND_REFS_H

#include <sendcp/platform.h>

struct sendcp_engine;
struct sendcp_tree;

/* Adds the names of the change's item; one that is both new and deleted is neither. */
int sendcp_collect_refs(struct sendcp_engine *engine);
/* 1: the change is one although the items are the same: a directory has another generation. */
int sendcp_refs_differ(struct sendcp_engine *engine);
/* All names of the current inode in @tree; @gone: as names it loses. */
int sendcp_collect_all_refs(struct sendcp_engine *engine, struct sendcp_tree *tree, bool gone);
/* Sets the state back to the change from which on names were collected: to be collected again. */
void sendcp_back_to_names(struct sendcp_engine *engine);
/* Forgets what was collected. */
void sendcp_refs_clear(struct sendcp_engine *engine);

#endif
