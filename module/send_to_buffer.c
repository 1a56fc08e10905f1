// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * SENDCP_IOC_SEND: whole commands into the caller's buffer, and the checkpoint after them.
 */
#include "buffer.h"
#include "ioctl.h"
#include "checkpoint_out.h"

static u32 fill_flags(const struct sendcp_send *args)
{
	return (args->flags & SENDCP_ONE_COMMAND ? SCP_FILL_ONE_COMMAND : 0) |
	       (args->flags & SENDCP_SPLIT_WRITES ? SCP_FILL_SPLIT_WRITES : 0) |
	       (args->flags & SENDCP_REVALIDATE ? SCP_FILL_REVALIDATE : 0);
}

static int hand_over(struct session *session, struct sendcp_send *args)
{
	int ret = handover_checkpoint(session, args);

	/* The engine is past what nobody will ever get. */
	if (ret)
		session_drop_engine(session);
	return ret;
}

static int fill_buffer(struct session *session, struct sendcp_send *args, const void *checkpoint,
		       struct scp_fill *fill)
{
	int ret;

	session->call->made = &fill->filled;
	ret = session_arm(session, args, checkpoint, args->checkpoint_size);
	if (ret)
		return ret;
	ret = scp_engine_fill(session->engine, fill);
	if (!ret)
		return hand_over(session, args);
	session->error = *scp_engine_error(session->engine);
	/* Made and void: the engine has passed that, and must be made anew. */
	if (scp_engine_is_void(session->engine))
		session_drop_engine(session);
	return ret;
}

int send_to_buffer(struct session *session, struct sendcp_send *args, const void *checkpoint)
{
	struct user_buffer buffer = { NULL };
	struct scp_fill fill = { .flags = fill_flags(args) };
	int ret;

	if (args->output_fd != -1 || args->skip)
		return -EINVAL;
	ret = buffer_pin(&buffer, args->buffer, args->buffer_size);
	if (ret)
		return ret;
	fill.buffer = buffer.data;
	fill.size = buffer.size;
	ret = fill_buffer(session, args, checkpoint, &fill);
	buffer_unpin(&buffer, true);
	if (ret)
		return ret;
	args->filled = fill.filled;
	args->result = fill.end ? SENDCP_RESULT_END : 0;
	return 0;
}
