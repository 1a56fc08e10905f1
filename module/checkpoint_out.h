/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Handing a checkpoint to the caller.
 */
#ifndef SENDCP_MODULE_CHECKPOINT_OUT_H
#define SENDCP_MODULE_CHECKPOINT_OUT_H

#include "sendcp_file.h"

/*
 * Takes the checkpoint where the engine is and copies it to the caller; @sfile keeps it as well.
 * Sets ->new_checkpoint_size and ->offset. -EMSGSIZE: it does not fit; -EFAULT; what
 * sendcp_engine_checkpoint() gives, with @sfile's error.
 */
int sendcp_checkpoint_out(struct sendcp_file *sfile, struct sendcp_send *args);

/*
 * The same with a checkpoint taken before: @checkpoint of @size bytes, at stream byte @offset.
 * Without @copy: would it fit?
 */
int sendcp_checkpoint_put(struct sendcp_send *args, const void *checkpoint, size_t size, u64 offset,
			  bool copy);

#endif
