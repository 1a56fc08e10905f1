/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Is the mounted subvolume still what was to be sent? And how calls of the engine begin and end.
 */
#ifndef SENDCP_SEND_REVALIDATE_H
#define SENDCP_SEND_REVALIDATE_H

#include <sendcp/platform.h>

struct sendcp_engine;

/* Nanoseconds: reading superblocks interrupts the other work of disks. */
#define SENDCP_REVALIDATE_INTERVAL 1000000000ULL

enum sendcp_revalidate {
	/* The root items if that was a second ago; the filesystem itself in any case. */
	SENDCP_REVALIDATE_IF_DUE,
	SENDCP_REVALIDATE_NOW,
	/* After a commit: nothing that was changed before can be missed. */
	SENDCP_REVALIDATE_COMMITTED,
};

/* 0, -ESTALE and one of the three reasons, or what keeps it from being known. */
int sendcp_revalidate(struct sendcp_engine *engine, enum sendcp_revalidate how);
/* Did a call fail with @err for one of those three? */
bool sendcp_is_stale(const struct sendcp_engine *engine, int err);
/*
 * Reading a file failed with @err and volume->error: returns the failure to report instead, because
 * the subvolume was changed, or because it was not.
 */
int sendcp_explain_read(struct sendcp_engine *engine, int err);
/* The beginning of each call of the engine: not 0 if void bytes were made before. */
int sendcp_call_begin(struct sendcp_engine *engine);
/* The end of a call that failed with @err (0: it did not). Returns the call's result. */
int sendcp_call_failed(struct sendcp_engine *engine, int err);
/* The same where commands were passed over that are not delivered. */
int sendcp_call_lost(struct sendcp_engine *engine, int err);

#endif
