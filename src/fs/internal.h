/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Shared by the files of fs/ alone.
 */
#ifndef SENDCP_FS_INTERNAL_H
#define SENDCP_FS_INTERNAL_H

#include "fs/fs.h"
#include "volume/internal.h"

/* chunk_tree.c */
/* Replaces volume->chunks by what @super's chunk tree says; unchanged on failure. */
int sendcp_chunks_load(struct sendcp_volume *volume, const struct sendcp_disk_super *super);
/* Seeds must be named in the chunk tree; all other devices are foreign. */
int sendcp_devices_revalidate(struct sendcp_volume *volume);

/* retry.c */
/*
 * 1: a newer superblock was taken over; else what to return, the failure @err if nothing changed.
 */
int sendcp_retry_refresh(struct sendcp_volume *volume, int err, int *tries);

/* tree.c */
/* Looks the root up without refreshing; see sendcp_tree_reopen(). */
int sendcp_tree_lookup(struct sendcp_tree *tree);

#endif
