// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The frame of every ioctl: permission, one at a time, arguments in and out, files taken and given
 * back.
 */
#include <linux/capability.h>
#include <linux/err.h>
#include <linux/jiffies.h>

#include "arguments.h"
#include "ioctl.h"

typedef int (*sendcp_send_fn)(struct sendcp_file *sfile, struct sendcp_send *args,
			      const void *checkpoint);

/* Nothing may keep a filesystem busy once this has returned. */
static void ctx_end(struct sendcp_file *sfile, struct sendcp_ioctl_ctx *ctx)
{
	sfile->ctx = NULL;
	sendcp_data_read_close(&ctx->reader);
	sendcp_files_put(&ctx->files);
	sendcp_free(ctx);
}

static int ctx_begin(struct sendcp_file *sfile, const struct sendcp_send *args)
{
	struct sendcp_ioctl_ctx *ctx = sendcp_zalloc(sizeof(*ctx));
	int ret;

	if (!ctx)
		return -ENOMEM;
	ctx->began = jiffies;
	sfile->ctx = ctx;
	ret = sendcp_files_get(args, &ctx->files);
	if (ret) {
		ctx_end(sfile, ctx);
		return ret;
	}
	ctx->reader.mount = ctx->files.subvolume.file->f_path.mnt;
	return 0;
}

static int run_locked(struct sendcp_file *sfile, struct sendcp_send *args, sendcp_send_fn work)
{
	void *checkpoint = sendcp_args_checkpoint(args);
	int ret;

	if (IS_ERR(checkpoint))
		return PTR_ERR(checkpoint);
	ret = ctx_begin(sfile, args);
	if (!ret) {
		ret = work(sfile, args, checkpoint);
		ctx_end(sfile, sfile->ctx);
	}
	sendcp_free(checkpoint);
	return ret;
}

/* A call that failed says why, and how much space is missing; one that did something says what. */
static int report(const struct sendcp_file *sfile, struct sendcp_send *args, void __user *to,
		  int ret)
{
	int fault;

	if (ret)
		args->offset = 0;
	if (ret && ret != -EMSGSIZE)
		args->new_checkpoint_size = 0;
	fault = sendcp_args_put(args, to);

	if (ret && !fault)
		fault = sendcp_args_put_error(args, ret, &sfile->error);
	return fault ? fault : ret;
}

static long run(struct sendcp_file *sfile, void __user *argument, sendcp_send_fn work)
{
	struct sendcp_send args;
	int ret;

	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	ret = sendcp_args_get(&args, argument);
	if (ret)
		return ret;
	if (mutex_lock_interruptible(&sfile->lock))
		return -EINTR;
	sendcp_error_clear(&sfile->error);
	ret = run_locked(sfile, &args, work);
	/* The system must not call again by itself: the caller decides from where. */
	if (ret == -ERESTARTSYS)
		ret = -EINTR;
	sendcp_file_called(sfile, ret);
	ret = report(sfile, &args, argument, ret);
	mutex_unlock(&sfile->lock);
	return ret;
}

long sendcp_ioctl(struct file *file, unsigned int command, unsigned long argument)
{
	struct sendcp_file *sfile = file->private_data;
	void __user *user = (void __user *)argument;

	switch (command) {
	case SENDCP_IOC_SEND:
		return run(sfile, user, sendcp_send_to_buffer);
	case SENDCP_IOC_STREAM:
		return run(sfile, user, sendcp_send_to_file);
	case SENDCP_IOC_INFO:
		return sendcp_args_info(user);
	default:
		return -ENOTTY;
	}
}
