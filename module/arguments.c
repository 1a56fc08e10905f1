// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The ioctls' arguments: copied in and checked, copied out.
 */
#include <linux/build_bug.h>
#include <linux/kernel.h>
#include <linux/string.h>
#include <sendcp/engine.h>

#include "arguments.h"

static_assert(sizeof(struct sendcp_send) == SENDCP_SEND_SIZE_V1);
static_assert(sizeof(struct sendcp_failure) == SENDCP_FAILURE_SIZE_V1);
static_assert(sizeof(struct sendcp_info) == SENDCP_INFO_SIZE_V1);
static_assert(SENDCP_NO_FILE_DATA == SENDCP_SEND_NO_FILE_DATA);
static_assert(SENDCP_OMIT_HEADER == SENDCP_SEND_OMIT_HEADER);
static_assert(SENDCP_OMIT_END == SENDCP_SEND_OMIT_END);
static_assert(SENDCP_COMPRESSED == SENDCP_SEND_COMPRESSED);
static_assert(SENDCP_DATA_ZERO == SENDCP_SEND_DATA_ZERO);
static_assert(SENDCP_DATA_SKIP == SENDCP_SEND_DATA_SKIP);

/* The size in a struct's first field, if it is one a caller may use. */
static int get_size(const void __user *from, u32 least, u32 *size)
{
	if (get_user(*size, (const u32 __user *)from))
		return -EFAULT;
	if (*size < least)
		return -EINVAL;
	return *size > PAGE_SIZE ? -E2BIG : 0;
}

int sendcp_args_get(struct sendcp_send *args, void __user *from)
{
	u32 size;
	int ret;

	ret = get_size(from, SENDCP_SEND_SIZE_V1, &size);
	if (!ret)
		ret = copy_struct_from_user(args, sizeof(*args), from, size);
	if (ret)
		return ret;
	/* Another thread may have changed it between the two reads. */
	args->size = size;
	if (args->flags & ~SENDCP_FLAGS_ALL || args->reserved)
		return -EINVAL;
	args->new_checkpoint_size = 0;
	args->filled = 0;
	args->offset = 0;
	args->new_skip = 0;
	args->result = 0;
	return 0;
}

int sendcp_args_put(const struct sendcp_send *args, void __user *to)
{
	size_t from = offsetof(struct sendcp_send, new_checkpoint_size);
	size_t length = min_t(size_t, args->size, sizeof(*args)) - from;

	return copy_to_user(to + from, (const u8 *)args + from, length) ? -EFAULT : 0;
}

void *sendcp_args_checkpoint(const struct sendcp_send *args)
{
	void *checkpoint;

	if (!args->checkpoint_size)
		return args->checkpoint ? ERR_PTR(-EINVAL) : NULL;
	if (args->checkpoint_size > SENDCP_CHECKPOINT_MAX)
		return ERR_PTR(-E2BIG);
	checkpoint = sendcp_alloc(args->checkpoint_size);
	if (!checkpoint)
		return ERR_PTR(-ENOMEM);
	if (!copy_from_user(checkpoint, u64_to_user_ptr(args->checkpoint), args->checkpoint_size))
		return checkpoint;
	sendcp_free(checkpoint);
	return ERR_PTR(-EFAULT);
}

#define REASON_NAME(name, err, text) #name,
static const char *const reason_names[] = { SENDCP_REASONS(REASON_NAME) };
#undef REASON_NAME

static void describe(struct sendcp_failure *out, const struct sendcp_error *error)
{
	out->bytenr = error->bytenr;
	out->root = error->root;
	out->inode = error->inode;
	out->offset = error->offset;
	out->device = error->device;
	if (error->reason == SENDCP_ERR_NONE)
		return;
	strscpy(out->reason, reason_names[error->reason], sizeof(out->reason));
	strscpy(out->detail, error->detail, sizeof(out->detail));
}

int sendcp_args_put_error(const struct sendcp_send *args, int err, const struct sendcp_error *error)
{
	void __user *to = u64_to_user_ptr(args->error);
	struct sendcp_failure out = { .err = -err };
	u32 size;
	int ret;

	if (!args->error)
		return 0;
	ret = get_size(to, SENDCP_FAILURE_SIZE_V1, &size);
	if (ret)
		return ret;
	out.size = min_t(u32, size, sizeof(out));
	describe(&out, error);
	return copy_to_user(to, &out, out.size) ? -EFAULT : 0;
}

long sendcp_args_info(void __user *to)
{
	struct sendcp_info info = {
		.abi_version = SENDCP_ABI_VERSION,
		.protocol_min = SENDCP_PROTOCOL_MIN,
		.protocol_max = SENDCP_PROTOCOL_MAX,
		.flags = SENDCP_FLAGS_ALL,
		.buffer_min = { sendcp_buffer_min(1), sendcp_buffer_min(2) },
		.compat_kernel = SENDCP_COMPAT_KERNEL,
		.version = SENDCP_VERSION,
	};
	u32 size;
	int ret;

	ret = get_size(to, SENDCP_INFO_SIZE_V1, &size);
	if (ret)
		return ret;
	info.size = min_t(u32, size, sizeof(info));
	if (copy_to_user(to, &info, info.size) || clear_user(to + info.size, size - info.size))
		return -EFAULT;
	return 0;
}
