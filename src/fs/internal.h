/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Shared by the files of fs/ alone.
 */
#ifndef SCP_FS_INTERNAL_H
#define SCP_FS_INTERNAL_H

#include "fs/fs.h"
#include "volume/internal.h"

/* chunk_tree.c */
/* Replaces volume->chunks by what @super's chunk tree says; unchanged on failure. */
int scp_chunks_load(struct scp_volume *volume, const struct scp_disk_super *super);
/* Seeds must be named in the chunk tree; all other devices are foreign. */
int scp_devices_revalidate(struct scp_volume *volume);

/* retry.c */
/*
 * 1: a newer superblock was taken over; else what to return, the failure @err if nothing changed.
 */
int scp_retry_refresh(struct scp_volume *volume, int err, int *tries);

/* tree.c */
/* Looks the root up without refreshing; see scp_tree_reopen(). */
int scp_tree_lookup(struct scp_tree *tree);

#endif
