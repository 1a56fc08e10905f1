// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The sender that is an engine in this process: direct and image backends.
 */
#include <errno.h>
#include <stdlib.h>

#include "backend/sender_internal.h"

struct in_process {
	struct sender sender;
	struct sendcp_engine *engine;
};

static struct sendcp_engine *engine_of(const struct sender *sender)
{
	return ((const struct in_process *)sender)->engine;
}

int sendcp_sender_engine(const struct sender_input *input, const void *checkpoint,
			 size_t checkpoint_size, struct sendcp_engine **out,
			 struct sendcp_error *error)
{
	int ret;

	sendcp_error_clear(error);
	ret = sendcp_engine_open(sendcp_source_volume(input->source), &input->request, out, error);
	if (ret || !checkpoint)
		return ret;
	ret = sendcp_engine_rearm(*out, checkpoint, checkpoint_size);
	if (!ret)
		return 0;
	*error = *sendcp_engine_error(*out);
	sendcp_engine_close(*out);
	*out = NULL;
	return ret;
}

/* The engine asks its source whether to stop. */
static int in_process_fill(struct sender *sender, struct sendcp_fill *fill,
			   const struct sendcp_cancel *cancel)
{
	return sendcp_engine_fill(engine_of(sender), fill);
}

static int in_process_checkpoint(struct sender *sender, void **blob, size_t *size)
{
	return sendcp_engine_checkpoint(engine_of(sender), blob, size);
}

static u64 in_process_offset(const struct sender *sender)
{
	return sendcp_engine_offset(engine_of(sender));
}

static const struct sendcp_error *in_process_error(const struct sender *sender)
{
	return sendcp_engine_error(engine_of(sender));
}

static void in_process_close(struct sender *sender)
{
	sendcp_engine_close(engine_of(sender));
	free(sender);
}

static const struct sender_ops in_process_ops = {
	.fill = in_process_fill,
	.checkpoint = in_process_checkpoint,
	.offset = in_process_offset,
	.error = in_process_error,
	.close = in_process_close,
};

int sendcp_in_process_sender_open(const struct sender_input *input, const void *checkpoint,
				  size_t checkpoint_size, struct sender **out,
				  struct sendcp_error *error)
{
	struct in_process *made = calloc(1, sizeof(*made));
	int ret;

	if (!made) {
		error->reason = SENDCP_ERR_NO_MEMORY;
		error->err = -ENOMEM;
		return -ENOMEM;
	}
	made->sender.ops = &in_process_ops;
	ret = sendcp_sender_engine(input, checkpoint, checkpoint_size, &made->engine, error);
	if (ret) {
		free(made);
		return ret;
	}
	*out = &made->sender;
	return 0;
}
