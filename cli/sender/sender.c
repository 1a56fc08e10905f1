// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The part of a sender that both kinds have in common.
 */
#include <errno.h>

#include "host/read_failure.h"
#include "sender/internal.h"
#include "util/signals.h"

static int open_kind(const struct send_job *job, size_t index, const void *checkpoint,
		     size_t checkpoint_size, struct sender **out, struct scp_error *error)
{
	const struct module_access *module = source_module(job->source);
	struct module_request request;
	int ret;

	if (!module)
		return in_process_sender_open(job, index, checkpoint, checkpoint_size, out,
					      error);
	ret = module_request_make(job, index, &request, error);
	if (ret)
		return ret;
	return module_sender_open(module, &request, checkpoint, checkpoint_size, out, error);
}

int sender_open(const struct send_job *job, size_t index, const void *checkpoint,
		size_t checkpoint_size, struct sender **out, struct scp_error *error)
{
	int ret;

	*out = NULL;
	scp_error_clear(error);
	ret = open_kind(job, index, checkpoint, checkpoint_size, out, error);
	if (!ret)
		(*out)->source = job->source;
	return ret;
}

void sender_close(struct sender *sender)
{
	if (sender)
		sender->ops->close(sender);
}

int sender_fill(struct sender *sender, struct scp_fill *fill)
{
	int ret;

	do
		ret = sender->ops->fill(sender, fill);
	while (ret == -EINTR && !signals_stopped());
	scp_error_clear(&sender->failure);
	if (ret && ret != -EINTR && sender->source) {
		sender->failure = *sender->ops->error(sender);
		read_failure_explain(sender->source, &sender->failure);
	}
	return ret;
}

int sender_checkpoint(struct sender *sender, void *buffer, size_t size, size_t *needed)
{
	scp_error_clear(&sender->failure);
	return sender->ops->checkpoint(sender, buffer, size, needed);
}

u64 sender_offset(const struct sender *sender)
{
	return sender->ops->offset(sender);
}

const struct scp_error *sender_error(const struct sender *sender)
{
	return sender->failure.reason == SCP_NONE ? sender->ops->error(sender) : &sender->failure;
}
