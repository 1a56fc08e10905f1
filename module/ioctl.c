// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What every call does around its work: who may, one at a time, arguments in and out, files taken
 * and given back.
 */
#include <linux/capability.h>
#include <linux/err.h>
#include <linux/jiffies.h>

#include "arguments.h"
#include "ioctl.h"

typedef int (*send_fn)(struct session *session, struct sendcp_send *args, const void *checkpoint);

/* Nothing may keep a filesystem busy once this has returned. */
static void call_end(struct session *session, struct call *call)
{
	session->call = NULL;
	contents_close(&call->contents);
	files_put(&call->files);
	scp_free(call);
}

static int call_begin(struct session *session, const struct sendcp_send *args)
{
	struct call *call = scp_zalloc(sizeof(*call));
	int ret;

	if (!call)
		return -ENOMEM;
	call->began = jiffies;
	session->call = call;
	ret = files_get(args, &call->files);
	if (ret) {
		call_end(session, call);
		return ret;
	}
	call->contents.mount = call->files.subvolume.file->f_path.mnt;
	return 0;
}

static int run_locked(struct session *session, struct sendcp_send *args, send_fn work)
{
	void *checkpoint = arguments_checkpoint(args);
	int ret;

	if (IS_ERR(checkpoint))
		return PTR_ERR(checkpoint);
	ret = call_begin(session, args);
	if (!ret) {
		ret = work(session, args, checkpoint);
		call_end(session, session->call);
	}
	scp_free(checkpoint);
	return ret;
}

/* A call that failed says why, and how much space is missing; one that did something says what. */
static int report(const struct session *session, struct sendcp_send *args, void __user *to, int ret)
{
	int fault;

	if (ret)
		args->offset = 0;
	if (ret && ret != -EMSGSIZE)
		args->new_checkpoint_size = 0;
	fault = arguments_put(args, to);

	if (ret && !fault)
		fault = arguments_put_error(args, ret, &session->error);
	return fault ? fault : ret;
}

static long run(struct session *session, void __user *argument, send_fn work)
{
	struct sendcp_send args;
	int ret;

	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	ret = arguments_get(&args, argument);
	if (ret)
		return ret;
	if (mutex_lock_interruptible(&session->lock))
		return -EINTR;
	scp_error_clear(&session->error);
	ret = run_locked(session, &args, work);
	/* The system must not call again by itself: the caller decides from where. */
	if (ret == -ERESTARTSYS)
		ret = -EINTR;
	session_called(session, ret);
	ret = report(session, &args, argument, ret);
	mutex_unlock(&session->lock);
	return ret;
}

long sendcp_ioctl(struct file *file, unsigned int command, unsigned long argument)
{
	struct session *session = file->private_data;
	void __user *user = (void __user *)argument;

	switch (command) {
	case SENDCP_IOC_SEND:
		return run(session, user, send_to_buffer);
	case SENDCP_IOC_STREAM:
		return run(session, user, send_to_file);
	case SENDCP_IOC_INFO:
		return arguments_info(user);
	default:
		return -ENOTTY;
	}
}
