// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * SENDCP_IOC_SEND: whole commands into the caller's buffer, and the checkpoint after them.
 */
#include "buffer.h"
#include "ioctl.h"
#include "checkpoint_out.h"

static u32 fill_flags(const struct sendcp_send *args)
{
	return (args->flags & SENDCP_ONE_COMMAND ? SENDCP_FILL_ONE_COMMAND : 0) |
	       (args->flags & SENDCP_SPLIT_WRITES ? SENDCP_FILL_SPLIT_WRITES : 0) |
	       (args->flags & SENDCP_REVALIDATE ? SENDCP_FILL_REVALIDATE : 0);
}

static int hand_over(struct sendcp_file *sfile, struct sendcp_send *args)
{
	int ret = sendcp_checkpoint_out(sfile, args);

	/* The engine has passed commands that the caller did not get. */
	if (ret)
		sendcp_file_drop_engine(sfile);
	return ret;
}

static int fill_buffer(struct sendcp_file *sfile, struct sendcp_send *args, const void *checkpoint,
		       struct sendcp_fill *fill)
{
	int ret;

	sfile->ctx->made = &fill->filled;
	ret = sendcp_file_arm(sfile, args, checkpoint, args->checkpoint_size);
	if (ret)
		return ret;
	ret = sendcp_engine_fill(sfile->engine, fill);
	if (!ret)
		return hand_over(sfile, args);
	sfile->error = *sendcp_engine_error(sfile->engine);
	/* Made and void: the engine has passed those commands, so a new one has to be opened. */
	if (sendcp_engine_is_void(sfile->engine))
		sendcp_file_drop_engine(sfile);
	return ret;
}

int sendcp_send_to_buffer(struct sendcp_file *sfile, struct sendcp_send *args,
			  const void *checkpoint)
{
	struct sendcp_buffer buffer = { NULL };
	struct sendcp_fill fill = { .flags = fill_flags(args) };
	int ret;

	if (args->output_fd != -1 || args->skip)
		return -EINVAL;
	ret = sendcp_buffer_pin(&buffer, args->buffer, args->buffer_size);
	if (ret)
		return ret;
	fill.buffer = buffer.data;
	fill.size = buffer.size;
	ret = fill_buffer(sfile, args, checkpoint, &fill);
	sendcp_buffer_unpin(&buffer, true);
	if (ret)
		return ret;
	args->filled = fill.filled;
	args->result = fill.end ? SENDCP_RESULT_END : 0;
	return 0;
}
