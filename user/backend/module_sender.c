// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The sender that is the kernel module: a fill is a SENDCP_IOC_SEND.
 *
 * All that lasts from call to call is the last checkpoint, which is kept here.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sendcp/cancel.h>

#include "backend/sender_internal.h"

/* Most checkpoints are a few KiB. */
#define CHECKPOINT_CAPACITY (16u << 10)

struct checkpoint {
	u8 *data;
	size_t size;
	size_t capacity;
};

struct module_sender {
	struct sender sender;
	const struct module_access *access;
	struct module_request request;
	int fd;
	/* After the last command made; size 0 at the beginning. */
	struct checkpoint current;
	/* The module puts the next checkpoint here. */
	struct checkpoint next;
	/* Stream bytes before ->current. */
	u64 offset;
	struct sendcp_error error;
};

static struct module_sender *module_of(const struct sender *sender)
{
	return (struct module_sender *)sender;
}

static int no_memory(struct sendcp_error *error)
{
	sendcp_error_clear(error);
	error->reason = SENDCP_ERR_NO_MEMORY;
	error->err = -ENOMEM;
	return -ENOMEM;
}

/* Its contents are lost. */
static int checkpoint_reserve(struct checkpoint *checkpoint, size_t capacity)
{
	u8 *data = malloc(capacity);

	if (!data)
		return -ENOMEM;
	free(checkpoint->data);
	checkpoint->data = data;
	checkpoint->size = 0;
	checkpoint->capacity = capacity;
	return 0;
}

static u64 address(const void *at)
{
	return (u64)(uintptr_t)at;
}

static void prepare(const struct module_sender *module, const struct sendcp_fill *fill,
		    struct sendcp_failure *failure, struct sendcp_send *args)
{
	const struct module_request *request = &module->request;

	*failure = (struct sendcp_failure){ .size = sizeof(*failure) };
	*args = (struct sendcp_send){
		.size = sizeof(*args),
		.flags = request->flags,
		.protocol = request->protocol,
		.subvolume_fd = request->subvolume_fd,
		.parent_fd = request->parent_fd,
		.output_fd = -1,
		.device_count = request->device_count,
		.clone_count = request->clone_count,
		.device_fds = address(request->device_fds),
		.clone_fds = request->clone_count ? address(request->clone_fds) : 0,
		.buffer = address(fill->buffer),
		.buffer_size = fill->size,
		.checkpoint = module->current.size ? address(module->current.data) : 0,
		.checkpoint_size = module->current.size,
		.new_checkpoint = address(module->next.data),
		.new_checkpoint_capacity = module->next.capacity,
		.error = address(failure),
	};
	if (fill->flags & SENDCP_FILL_ONE_COMMAND)
		args->flags |= SENDCP_ONE_COMMAND;
	if (fill->flags & SENDCP_FILL_SPLIT_WRITES)
		args->flags |= SENDCP_SPLIT_WRITES;
	if (fill->flags & SENDCP_FILL_REVALIDATE)
		args->flags |= SENDCP_REVALIDATE;
}

/* It returns early when @cancel is set. */
static int call(const struct module_sender *module, struct sendcp_send *args,
		const struct sendcp_cancel *cancel)
{
	struct sendcp_cancel_wait wait;
	int err = EINTR;

	if (sendcp_cancel_wait_begin(&wait, cancel))
		err = module->access->ioctl(module->access, module->fd, SENDCP_IOC_SEND, args) ?
		      errno : 0;
	sendcp_cancel_wait_end(&wait);
	return err;
}

/* Only ever more, so that asking ends; and more than needed, since checkpoints grow slowly. */
static int grow(struct module_sender *module, u64 needed)
{
	u64 capacity = sendcp_min(needed + needed / 2, SENDCP_CHECKPOINT_MAX);

	if (needed <= module->next.capacity || needed > SENDCP_CHECKPOINT_MAX)
		return sendcp_module_error_say(EMSGSIZE,
					       "the size of a checkpoint that it reports is "
					       "impossible", &module->error);
	return checkpoint_reserve(&module->next, (size_t)capacity) ? no_memory(&module->error) : 0;
}

/* Numbers that would be followed beyond what was given are not taken from anybody. */
static bool plausible(const struct sendcp_send *args, const struct module_sender *module)
{
	return args->filled <= args->buffer_size && args->new_checkpoint_size &&
	       args->new_checkpoint_size <= module->next.capacity &&
	       args->offset == module->offset + args->filled &&
	       (args->filled || args->result & SENDCP_RESULT_END);
}

static int adopt_result(struct module_sender *module, const struct sendcp_send *args,
			struct sendcp_fill *fill)
{
	struct checkpoint made = module->next;

	if (!plausible(args, module))
		return sendcp_module_error_say(EPROTO, "what it answers does not fit together",
					       &module->error);
	made.size = (size_t)args->new_checkpoint_size;
	module->next = module->current;
	module->current = made;
	module->offset = args->offset;
	fill->filled = (size_t)args->filled;
	fill->end = args->result & SENDCP_RESULT_END;
	return 0;
}

static int module_fill(struct sender *sender, struct sendcp_fill *fill,
		       const struct sendcp_cancel *cancel)
{
	struct module_sender *module = module_of(sender);
	struct sendcp_failure failure;
	struct sendcp_send args;
	int ret, err;

	fill->filled = 0;
	fill->end = false;
	/* adopt_result() swaps current and next, so this one may still have to be made. */
	if (!module->next.capacity && checkpoint_reserve(&module->next, CHECKPOINT_CAPACITY))
		return no_memory(&module->error);
	do {
		prepare(module, fill, &failure, &args);
		err = call(module, &args, cancel);
		if (!err)
			return adopt_result(module, &args, fill);
		if (err != EMSGSIZE)
			return sendcp_module_error_take(&failure, err, &module->error);
		ret = grow(module, args.new_checkpoint_size);
	} while (!ret);
	return ret;
}

static int module_checkpoint(struct sender *sender, void **blob, size_t *size)
{
	struct module_sender *module = module_of(sender);

	*blob = NULL;
	*size = module->current.size;
	if (!module->current.size)
		return sendcp_module_error_say(ENODATA, "nothing has been made yet",
					       &module->error);
	*blob = sendcp_alloc(*size);
	if (!*blob)
		return no_memory(&module->error);
	memcpy(*blob, module->current.data, *size);
	return 0;
}

static u64 module_offset(const struct sender *sender)
{
	return module_of(sender)->offset;
}

static const struct sendcp_error *module_error(const struct sender *sender)
{
	return &module_of(sender)->error;
}

static void module_close(struct sender *sender)
{
	struct module_sender *module = module_of(sender);

	if (module->fd >= 0)
		close(module->fd);
	sendcp_module_request_release(&module->request);
	free(module->current.data);
	free(module->next.data);
	free(module);
}

static const struct sender_ops module_ops = {
	.fill = module_fill,
	.checkpoint = module_checkpoint,
	.offset = module_offset,
	.error = module_error,
	.close = module_close,
};

static int adopt_checkpoint(struct module_sender *module, const void *data, size_t size,
			    struct sendcp_error *error)
{
	struct sendcp_checkpoint_info info;
	int ret = sendcp_checkpoint_info(data, size, &info, error);

	if (ret)
		return ret;
	if (checkpoint_reserve(&module->current, sendcp_max(size, CHECKPOINT_CAPACITY)))
		return no_memory(error);
	memcpy(module->current.data, data, size);
	module->current.size = size;
	module->offset = info.offset;
	return 0;
}

static int open_device(struct module_sender *module, struct sendcp_error *error)
{
	static const struct sendcp_failure silent;

	module->fd = module->access->open(module->access);
	return module->fd < 0 ? sendcp_module_error_take(&silent, errno, error) : 0;
}

int sendcp_module_sender_open(const struct module_access *access, struct module_request *request,
			      const void *checkpoint, size_t checkpoint_size, struct sender **out,
			      struct sendcp_error *error)
{
	struct module_sender *module = calloc(1, sizeof(*module));
	int ret;

	*out = NULL;
	if (!module) {
		sendcp_module_request_release(request);
		return no_memory(error);
	}
	module->sender.ops = &module_ops;
	module->access = access;
	module->request = *request;
	module->fd = -1;
	sendcp_error_clear(&module->error);
	ret = checkpoint ? adopt_checkpoint(module, checkpoint, checkpoint_size, error) : 0;
	if (!ret)
		ret = open_device(module, error);
	if (ret)
		module_close(&module->sender);
	else
		*out = &module->sender;
	return ret;
}
