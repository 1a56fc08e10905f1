/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Extended attributes of the current inode.
 */
#ifndef SENDCP_SEND_XATTRS_H
#define SENDCP_SEND_XATTRS_H

struct sendcp_engine;

/* Queues the inode's capabilities, if any, even unchanged ones: CHOWN dropped them. */
int sendcp_send_capability(struct sendcp_engine *engine);
/* A step of SENDCP_PHASE_XATTR: entry state.entry of the item state.item. */
int sendcp_step_xattr(struct sendcp_engine *engine);

#endif
