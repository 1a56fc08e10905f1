// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The sender that is an engine in this process: direct and image backends.
 */
#include <errno.h>
#include <stdlib.h>

#include "backend/sender_internal.h"

struct in_process {
	struct sender sender;
	struct scp_engine *engine;
};

static struct scp_engine *engine_of(const struct sender *sender)
{
	return ((const struct in_process *)sender)->engine;
}

int sender_engine(const struct sender_input *input, const void *checkpoint,
		  size_t checkpoint_size, struct scp_engine **out, struct scp_error *error)
{
	int ret;

	scp_error_clear(error);
	ret = scp_engine_open(source_volume(input->source), &input->request, out, error);
	if (ret || !checkpoint)
		return ret;
	ret = scp_engine_rearm(*out, checkpoint, checkpoint_size);
	if (!ret)
		return 0;
	*error = *scp_engine_error(*out);
	scp_engine_close(*out);
	*out = NULL;
	return ret;
}

/* The engine asks its source whether to stop. */
static int in_process_fill(struct sender *sender, struct scp_fill *fill,
			   const struct cancel *cancel)
{
	return scp_engine_fill(engine_of(sender), fill);
}

static int in_process_checkpoint(struct sender *sender, void **blob, size_t *size)
{
	return scp_engine_checkpoint(engine_of(sender), blob, size);
}

static u64 in_process_offset(const struct sender *sender)
{
	return scp_engine_offset(engine_of(sender));
}

static const struct scp_error *in_process_error(const struct sender *sender)
{
	return scp_engine_error(engine_of(sender));
}

static void in_process_close(struct sender *sender)
{
	scp_engine_close(engine_of(sender));
	free(sender);
}

static const struct sender_ops in_process_ops = {
	.fill = in_process_fill,
	.checkpoint = in_process_checkpoint,
	.offset = in_process_offset,
	.error = in_process_error,
	.close = in_process_close,
};

int in_process_sender_open(const struct sender_input *input, const void *checkpoint,
			   size_t checkpoint_size, struct sender **out, struct scp_error *error)
{
	struct in_process *made = calloc(1, sizeof(*made));
	int ret;

	if (!made) {
		error->reason = SCP_NO_MEMORY;
		error->err = -ENOMEM;
		return -ENOMEM;
	}
	made->sender.ops = &in_process_ops;
	ret = sender_engine(input, checkpoint, checkpoint_size, &made->engine, error);
	if (ret) {
		free(made);
		return ret;
	}
	*out = &made->sender;
	return 0;
}
