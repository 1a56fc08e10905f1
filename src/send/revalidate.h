/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Is the mounted subvolume still what was to be sent? And how calls of the engine begin and end.
 */
#ifndef SCP_SEND_REVALIDATE_H
#define SCP_SEND_REVALIDATE_H

#include <sendcp/platform.h>

struct scp_engine;

/* Nanoseconds: reading superblocks interrupts the other work of disks. */
#define SCP_REVALIDATE_INTERVAL 1000000000ULL

enum scp_revalidate {
	/* The root items if that was a second ago; the filesystem itself in any case. */
	SCP_REVALIDATE_IF_DUE,
	SCP_REVALIDATE_NOW,
	/* After a commit: nothing that was changed before can be missed. */
	SCP_REVALIDATE_COMMITTED,
};

/* 0, -ESTALE and one of the three reasons, or what keeps it from being known. */
int scp_revalidate(struct scp_engine *engine, enum scp_revalidate how);
/* Did a call fail with @err for one of those three? */
bool scp_is_stale(const struct scp_engine *engine, int err);
/*
 * Reading a file failed with @err and volume->error: returns the failure to report instead, because
 * the subvolume was changed, or because it was not.
 */
int scp_explain_read(struct scp_engine *engine, int err);
/* The beginning of each call of the engine: not 0 if void bytes were made before. */
int scp_call_begin(struct scp_engine *engine);
/* The end of a call that failed with @err (0: it did not). Returns the call's result. */
int scp_call_failed(struct scp_engine *engine, int err);
/* The same where commands were passed over that are not delivered. */
int scp_call_lost(struct scp_engine *engine, int err);

#endif
