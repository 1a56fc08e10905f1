/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What stays between the calls of one open /dev/sendcp: the volume with its cached tree blocks, and
 * the engine as it was left.
 *
 * It is a cache and nothing more. A call says all it wants; when that is what the last call left
 * here the engine just goes on, otherwise it is made anew and re-armed from the checkpoint.
 */
#ifndef SENDCP_MODULE_SENDCP_FILE_H
#define SENDCP_MODULE_SENDCP_FILE_H

#include <linux/mutex.h>

#include <sendcp/engine.h>
#include "data_read.h"
#include "files.h"

/* What a call has; it ends with it. */
struct call {
	struct call_files files;
	struct contents contents;
	/* jiffies when it began. */
	unsigned long began;
	/* Points to how much was made: once there is something, a signal ends the call. */
	const size_t *made;
};

struct session {
	/* One call at a time. */
	struct mutex lock;
	struct scp_host host;
	struct scp_volume *volume;
	struct scp_engine *engine;
	/* What volume and engine were made for. */
	dev_t filesystem;
	dev_t *devices;
	struct scp_request request;
	u64 *clones;
	/* The checkpoint handed out last, at which the engine stands. */
	void *checkpoint;
	size_t checkpoint_size;
	/* For how long a signal that does not kill lets a call try to make its first command. */
	unsigned long patience;
	/* The call that is on; NULL between calls. */
	struct call *call;
	/* Why the last call failed, if the engine knows. */
	struct scp_error error;
};

struct session *session_new(void);
void session_free(struct session *session);

/*
 * Sets ->engine for what @args and the call's files say, at @checkpoint (@size 0: the beginning).
 * Fills ->error on failure.
 */
int session_arm(struct session *session, const struct sendcp_send *args, const void *checkpoint,
		size_t size);

/* The call ended with @ret. */
void session_called(struct session *session, int ret);

/* The engine stands at @checkpoint, which is handed out: taken over, scp_alloc'd. */
void session_keep(struct session *session, void *checkpoint, size_t size);
/* The engine is at no checkpoint that anyone has: the next call begins anew. */
void session_drop_engine(struct session *session);

#endif
