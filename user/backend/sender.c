// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The part of a sender that both kinds have in common.
 */
#include <errno.h>
#include <sendcp/cancel.h>

#include "backend/read_failure.h"
#include "backend/sender_internal.h"

static int open_kind(const struct sender_input *input, const void *checkpoint,
		     size_t checkpoint_size, struct sender **out, struct sendcp_error *error)
{
	const struct module_access *module = sendcp_source_module(input->source);
	struct module_request request;
	int ret;

	if (!module)
		return sendcp_in_process_sender_open(input, checkpoint, checkpoint_size, out,
						     error);
	ret = sendcp_module_request_make(input, &request, error);
	if (ret)
		return ret;
	return sendcp_module_sender_open(module, &request, checkpoint, checkpoint_size, out, error);
}

int sendcp_sender_open(const struct sender_input *input, const void *checkpoint,
		       size_t checkpoint_size, struct sender **out, struct sendcp_error *error)
{
	int ret;

	*out = NULL;
	sendcp_error_clear(error);
	ret = open_kind(input, checkpoint, checkpoint_size, out, error);
	if (!ret)
		(*out)->source = input->source;
	return ret;
}

void sendcp_sender_close(struct sender *sender)
{
	if (sender)
		sender->ops->close(sender);
}

int sendcp_sender_fill(struct sender *sender, struct sendcp_fill *fill,
		       const struct sendcp_cancel *cancel)
{
	int ret;

	do
		ret = sender->ops->fill(sender, fill, cancel);
	while (ret == -EINTR && !sendcp_cancelled(cancel));
	sendcp_error_clear(&sender->failure);
	if (ret && ret != -EINTR && sender->source) {
		sender->failure = *sender->ops->error(sender);
		sendcp_read_failure_explain(sender->source, &sender->failure);
	}
	return ret;
}

int sendcp_sender_checkpoint(struct sender *sender, void **blob, size_t *size)
{
	sendcp_error_clear(&sender->failure);
	return sender->ops->checkpoint(sender, blob, size);
}

u64 sendcp_sender_offset(const struct sender *sender)
{
	return sender->ops->offset(sender);
}

const struct sendcp_error *sendcp_sender_error(const struct sender *sender)
{
	return sender->failure.reason == SENDCP_ERR_NONE ? sender->ops->error(sender) :
		&sender->failure;
}
