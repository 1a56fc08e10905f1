/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Shared by the files of sender/: the two kinds of sender.
 */
#ifndef CLI_SENDER_INTERNAL_H
#define CLI_SENDER_INTERNAL_H

#include "sender/module.h"
#include "sender/sender.h"

/* Each as the function of sender.h that calls it. */
struct sender_ops {
	int (*fill)(struct sender *sender, struct scp_fill *fill);
	int (*checkpoint)(struct sender *sender, void *buffer, size_t size, size_t *needed);
	u64 (*offset)(const struct sender *sender);
	const struct scp_error *(*error)(const struct sender *sender);
	void (*close)(struct sender *sender);
};

/* First member of each kind. */
struct sender {
	const struct sender_ops *ops;
	/* sender.c: the source, and why the last fill failed; SCP_NONE: ask ->error. */
	struct source *source;
	struct scp_error failure;
};

/* in_process.c */
int in_process_sender_open(const struct send_job *job, size_t index, const void *checkpoint,
			   size_t checkpoint_size, struct sender **out, struct scp_error *error);

#endif
