/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The two kinds of sender: their operations.
 */
#ifndef USER_BACKEND_SENDER_INTERNAL_H
#define USER_BACKEND_SENDER_INTERNAL_H

#include "backend/module.h"
#include "backend/sender.h"

/* Each as the function of sender.h that calls it. */
struct sender_ops {
	int (*fill)(struct sender *sender, struct sendcp_fill *fill,
		    const struct sendcp_cancel *cancel);
	int (*checkpoint)(struct sender *sender, void **blob, size_t *size);
	u64 (*offset)(const struct sender *sender);
	const struct sendcp_error *(*error)(const struct sender *sender);
	void (*close)(struct sender *sender);
};

/* First member of each kind. */
struct sender {
	const struct sender_ops *ops;
	/* sender.c: the source, and why the last fill failed; SENDCP_ERR_NONE: ask ->error. */
	struct sendcp_source *source;
	struct sendcp_error failure;
};

/* in_process.c */
int sendcp_in_process_sender_open(const struct sender_input *input, const void *checkpoint,
				  size_t checkpoint_size, struct sender **out,
				  struct sendcp_error *error);

#endif
