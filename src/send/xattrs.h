/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Extended attributes of the current inode.
 */
#ifndef SCP_SEND_XATTRS_H
#define SCP_SEND_XATTRS_H

struct scp_engine;

/* Queues the inode's capabilities, if any, even unchanged ones: CHOWN dropped them. */
int scp_send_capability(struct scp_engine *engine);
/* A step of SCP_PHASE_XATTR: entry state.entry of the item state.item. */
int scp_step_xattr(struct scp_engine *engine);

#endif
