// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Handing a checkpoint to the caller.
 */
#include <linux/uaccess.h>
#include <sendcp/engine.h>

#include "checkpoint_out.h"

int sendcp_checkpoint_put(struct sendcp_send *args, const void *checkpoint, size_t size, u64 offset,
			  bool copy)
{
	BUILD_BUG_ON(SENDCP_CHECKPOINT_MAX != SENDCP_CHECKPOINT_SIZE_MAX);
	args->new_checkpoint_size = size;
	args->offset = offset;
	if (size > args->new_checkpoint_capacity)
		return -EMSGSIZE;
	/* More is not taken back either. */
	if (size > SENDCP_CHECKPOINT_MAX)
		return -E2BIG;
	if (copy && copy_to_user(u64_to_user_ptr(args->new_checkpoint), checkpoint, size))
		return -EFAULT;
	return 0;
}

int sendcp_checkpoint_out(struct sendcp_file *sfile, struct sendcp_send *args)
{
	void *checkpoint;
	size_t size;
	int ret;

	ret = sendcp_engine_checkpoint(sfile->engine, &checkpoint, &size);
	if (ret) {
		sfile->error = *sendcp_engine_error(sfile->engine);
		return ret;
	}
	ret = sendcp_checkpoint_put(args, checkpoint, size, sendcp_engine_offset(sfile->engine),
				    true);
	if (ret)
		sendcp_free(checkpoint);
	else
		sendcp_file_keep(sfile, checkpoint, size);
	return ret;
}
