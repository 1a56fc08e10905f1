// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What stays between calls, and when it may be used again.
 */
#include <linux/btrfs.h>
#include <linux/jiffies.h>
#include <linux/ratelimit.h>
#include <linux/sched/signal.h>

#include "device_read.h"
#include "sendcp_file.h"
#include "fs/fs.h"

#define PATIENCE_MIN (HZ / 10)
#define PATIENCE_MAX (60 * HZ)

static int host_read(void *host, struct scp_io *ios, unsigned int count)
{
	struct session *session = host;

	return device_read(session->call->files.devices, ios, count);
}

static int host_read_file(void *host, const struct scp_file_range *range, void *buffer,
			  struct scp_error *error)
{
	struct session *session = host;
	int ret = contents_read(&session->call->contents, range, buffer);

	if (!ret)
		return 0;
	scp_error_clear(error);
	error->reason = SCP_DATA_READ;
	if (ret == -EINTR || ret == -ERESTARTSYS)
		error->reason = SCP_INTERRUPTED;
	else if (ret == -ENOMEM)
		error->reason = SCP_NO_MEMORY;
	error->err = ret;
	error->root = range->tree->id;
	error->inode = range->inode;
	error->offset = range->offset;
	return ret;
}

/*
 * A task that gets signals faster than a call makes its first command must still get somewhere. So
 * those that do not kill wait a moment for it, and longer each time that was in vain.
 */
static int host_interrupted(void *host)
{
	struct session *session = host;
	const struct call *call = session->call;

	cond_resched();
	if (!signal_pending(current))
		return 0;
	if (fatal_signal_pending(current))
		return -EINTR;
	if (*call->made)
		return -EINTR;
	return time_after(jiffies, call->began + session->patience) ? -EINTR : 0;
}

/*
 * By btrfs's own ioctl, which takes no argument. It writes dirty pages out first: before that a
 * write leaves no trace in the trees.
 */
static int host_commit(void *host)
{
	struct session *session = host;
	struct file *file = session->call->files.subvolume.file;
	long ret = file->f_op->unlocked_ioctl(file, BTRFS_IOC_SYNC, 0);

	return ret == -EROFS ? 0 : ret;
}

static void host_warn(void *host, const struct scp_error *what)
{
	char line[256];

	pr_warn_ratelimited("sendcp: another copy served: %s\n",
			    scp_error_format(what, line, sizeof(line)));
}

static const struct scp_host_ops host_ops = {
	.read = host_read,
	.read_file = host_read_file,
	.interrupted = host_interrupted,
	.warn = host_warn,
	.commit = host_commit,
};

struct session *session_new(void)
{
	struct session *session = scp_zalloc(sizeof(*session));

	if (!session)
		return NULL;
	mutex_init(&session->lock);
	session->host.ops = &host_ops;
	session->host.private = session;
	session->host.live = true;
	session->patience = PATIENCE_MIN;
	return session;
}

void session_drop_engine(struct session *session)
{
	scp_engine_close(session->engine);
	session->engine = NULL;
	scp_free(session->checkpoint);
	session->checkpoint = NULL;
	session->checkpoint_size = 0;
	scp_free(session->clones);
	session->clones = NULL;
}

static void drop_volume(struct session *session)
{
	session_drop_engine(session);
	scp_volume_close(session->volume);
	session->volume = NULL;
	scp_free(session->devices);
	session->devices = NULL;
}

void session_free(struct session *session)
{
	drop_volume(session);
	mutex_destroy(&session->lock);
	scp_free(session);
}

void session_called(struct session *session, int ret)
{
	if (ret == -EINTR)
		session->patience = min_t(unsigned long, 2 * session->patience, PATIENCE_MAX);
	else
		session->patience = PATIENCE_MIN;
}

void session_keep(struct session *session, void *checkpoint, size_t size)
{
	scp_free(session->checkpoint);
	session->checkpoint = checkpoint;
	session->checkpoint_size = size;
}

static dev_t device_number(const struct file *device)
{
	return file_inode(device)->i_rdev;
}

static dev_t filesystem_number(const struct call_files *files)
{
	return file_inode(files->subvolume.file)->i_sb->s_dev;
}

/* The volume is of these devices and this mount. */
static bool volume_fits(const struct session *session)
{
	const struct call_files *files = &session->call->files;
	u32 i;

	if (!session->volume || session->filesystem != filesystem_number(files) ||
	    session->host.device_count != files->device_count)
		return false;
	for (i = 0; i < files->device_count; i++)
		if (session->devices[i] != device_number(files->devices[i]))
			return false;
	/* The devices may have got another filesystem since. */
	return files_match_fsid(files, session->volume->fsid) == 1;
}

static int remember_devices(struct session *session)
{
	const struct call_files *files = &session->call->files;
	u32 i;

	session->devices = scp_alloc(files->device_count * sizeof(*session->devices));
	if (!session->devices)
		return -ENOMEM;
	for (i = 0; i < files->device_count; i++)
		session->devices[i] = device_number(files->devices[i]);
	session->filesystem = filesystem_number(files);
	session->host.device_count = files->device_count;
	return 0;
}

static int open_volume(struct session *session)
{
	int ret;

	if (volume_fits(session))
		return 0;
	drop_volume(session);
	ret = remember_devices(session);
	if (!ret)
		ret = scp_volume_open(&session->host, &session->volume, &session->error);
	if (session->error.reason == SCP_DEVICE_FOREIGN)
		return -EXDEV;
	if (ret)
		return ret;
	ret = files_match_fsid(&session->call->files, session->volume->fsid);
	return ret < 0 ? ret : ret ? 0 : -EXDEV;
}

static bool engine_fits(const struct session *session, const struct scp_request *request,
			const void *checkpoint, size_t size)
{
	const struct scp_request *made = &session->request;

	return session->engine && made->protocol == request->protocol &&
	       made->flags == request->flags && made->subvolume == request->subvolume &&
	       made->parent == request->parent && made->clone_count == request->clone_count &&
	       (!made->clone_count || !memcmp(session->clones, request->clone_sources,
					      made->clone_count * sizeof(*session->clones))) &&
	       size && session->checkpoint_size == size &&
	       !memcmp(session->checkpoint, checkpoint, size);
}

static int list_clones(const struct call_files *files, u64 **clones)
{
	u32 i;

	*clones = NULL;
	if (!files->clone_count)
		return 0;
	*clones = scp_alloc(files->clone_count * sizeof(**clones));
	if (!*clones)
		return -ENOMEM;
	for (i = 0; i < files->clone_count; i++)
		(*clones)[i] = files->clones[i].root;
	return 0;
}

static int open_engine(struct session *session, const struct scp_request *request,
		       const void *checkpoint, size_t size)
{
	int ret;

	ret = scp_engine_open(session->volume, request, &session->engine, &session->error);
	if (ret || !size)
		return ret;
	ret = scp_engine_rearm(session->engine, checkpoint, size);
	if (ret)
		session->error = *scp_engine_error(session->engine);
	return ret;
}

int session_arm(struct session *session, const struct sendcp_send *args, const void *checkpoint,
		size_t size)
{
	const struct call_files *files = &session->call->files;
	struct scp_request request = {
		.protocol = args->protocol,
		.flags = args->flags & (SCP_SEND_NO_FILE_DATA | SCP_SEND_OMIT_HEADER |
					SCP_SEND_OMIT_END | SCP_SEND_COMPRESSED),
		.subvolume = files->subvolume.root,
		.parent = files->parent.file ? files->parent.root : 0,
		.clone_count = files->clone_count,
	};
	u64 *clones;
	int ret;

	scp_error_clear(&session->error);
	ret = list_clones(files, &clones);
	if (ret)
		return ret;
	request.clone_sources = clones;
	ret = open_volume(session);
	if (ret || engine_fits(session, &request, checkpoint, size)) {
		scp_free(clones);
		return ret;
	}
	session_drop_engine(session);
	session->clones = clones;
	session->request = request;
	ret = open_engine(session, &request, checkpoint, size);
	if (session->error.reason == SCP_DEVICES_CHANGED)
		drop_volume(session);
	else if (ret)
		session_drop_engine(session);
	return ret;
}
