/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The state of one open /dev/sendcp: the volume with its cached tree blocks, and the engine at the
 * checkpoint of the last ioctl.
 *
 * It is a cache and nothing more. The arguments of an ioctl say all that is needed; when the engine
 * here fits them it continues, otherwise a new one is opened and re-armed from the checkpoint.
 */
#ifndef SENDCP_MODULE_SENDCP_FILE_H
#define SENDCP_MODULE_SENDCP_FILE_H

#include <linux/mutex.h>

#include <sendcp/engine.h>
#include "data_read.h"
#include "files.h"

/* The context of one ioctl; freed before the ioctl returns. */
struct sendcp_ioctl_ctx {
	struct sendcp_files files;
	struct sendcp_data_reader reader;
	/* jiffies when it began. */
	unsigned long began;
	/* Points to how much was made: once there is something, a signal ends the call. */
	const size_t *made;
};

struct sendcp_file {
	/* One call at a time. */
	struct mutex lock;
	struct sendcp_host host;
	struct sendcp_volume *volume;
	struct sendcp_engine *engine;
	/* Volume and engine were opened for these. */
	dev_t filesystem;
	dev_t *devices;
	struct sendcp_request request;
	u64 *clones;
	/* The checkpoint handed out last; the engine is at it. */
	void *checkpoint;
	size_t checkpoint_size;
	/* For how long a signal that does not kill lets a call try to make its first command. */
	unsigned long patience;
	/* Of the ioctl that is running; NULL between two. */
	struct sendcp_ioctl_ctx *ctx;
	/* Why the last call failed, if the engine knows. */
	struct sendcp_error error;
};

struct sendcp_file *sendcp_file_new(void);
void sendcp_file_free(struct sendcp_file *sfile);

/*
 * Sets ->engine for what @args and the call's files say, at @checkpoint (@size 0: the beginning).
 * Fills ->error on failure.
 */
int sendcp_file_arm(struct sendcp_file *sfile, const struct sendcp_send *args,
		    const void *checkpoint, size_t size);

/* The call ended with @ret. */
void sendcp_file_called(struct sendcp_file *sfile, int ret);

/* The engine is at @checkpoint, which was handed out: taken over, sendcp_alloc'd. */
void sendcp_file_keep(struct sendcp_file *sfile, void *checkpoint, size_t size);
/* The engine is at no checkpoint that anyone has: the next call begins anew. */
void sendcp_file_drop_engine(struct sendcp_file *sfile);

#endif
