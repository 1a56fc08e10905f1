// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The state of an open /dev/sendcp, and when a later ioctl may use it again.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/btrfs.h>
#include <linux/jiffies.h>
#include <linux/ratelimit.h>
#include <linux/sched/signal.h>

#include "device_read.h"
#include "sendcp_file.h"

#define PATIENCE_MIN (HZ / 10)
#define PATIENCE_MAX (60 * HZ)

static int host_read(void *host, struct sendcp_io *ios, unsigned int count)
{
	struct sendcp_file *sfile = host;

	return sendcp_bdev_read(sfile->ctx->files.devices, ios, count);
}

static int host_read_file(void *host, const struct sendcp_file_range *range, void *buffer,
			  struct sendcp_error *error)
{
	struct sendcp_file *sfile = host;
	int ret = sendcp_data_read(&sfile->ctx->reader, range, buffer);

	if (!ret)
		return 0;
	sendcp_error_clear(error);
	error->reason = SENDCP_ERR_DATA_READ;
	if (ret == -EINTR || ret == -ERESTARTSYS)
		error->reason = SENDCP_ERR_INTERRUPTED;
	else if (ret == -ENOMEM)
		error->reason = SENDCP_ERR_NO_MEMORY;
	error->err = ret;
	error->root = range->root;
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
	struct sendcp_file *sfile = host;
	const struct sendcp_ioctl_ctx *ctx = sfile->ctx;

	cond_resched();
	if (!signal_pending(current))
		return 0;
	if (fatal_signal_pending(current))
		return -EINTR;
	if (*ctx->made)
		return -EINTR;
	return time_after(jiffies, ctx->began + sfile->patience) ? -EINTR : 0;
}

/*
 * By btrfs's own ioctl, which takes no argument. It writes dirty pages out first: before that a
 * write leaves no trace in the trees.
 */
static int host_commit(void *host)
{
	struct sendcp_file *sfile = host;
	struct file *file = sfile->ctx->files.subvolume.file;
	long ret = file->f_op->unlocked_ioctl(file, BTRFS_IOC_SYNC, 0);

	return ret == -EROFS ? 0 : ret;
}

static void host_warn(void *host, const struct sendcp_error *what)
{
	char line[256];

	pr_warn_ratelimited("%s\n", sendcp_warning_format(what, line, sizeof(line)));
}

static const struct sendcp_host_ops host_ops = {
	.read = host_read,
	.read_file = host_read_file,
	.interrupted = host_interrupted,
	.warn = host_warn,
	.commit = host_commit,
};

struct sendcp_file *sendcp_file_new(void)
{
	struct sendcp_file *sfile = sendcp_zalloc(sizeof(*sfile));

	if (!sfile)
		return NULL;
	mutex_init(&sfile->lock);
	sfile->host.ops = &host_ops;
	sfile->host.private = sfile;
	sfile->host.mounted = true;
	sfile->patience = PATIENCE_MIN;
	return sfile;
}

void sendcp_file_drop_engine(struct sendcp_file *sfile)
{
	sendcp_engine_close(sfile->engine);
	sfile->engine = NULL;
	sendcp_free(sfile->checkpoint);
	sfile->checkpoint = NULL;
	sfile->checkpoint_size = 0;
	sendcp_free(sfile->clones);
	sfile->clones = NULL;
}

static void drop_volume(struct sendcp_file *sfile)
{
	sendcp_file_drop_engine(sfile);
	sendcp_volume_close(sfile->volume);
	sfile->volume = NULL;
	sendcp_free(sfile->devices);
	sfile->devices = NULL;
}

void sendcp_file_free(struct sendcp_file *sfile)
{
	drop_volume(sfile);
	mutex_destroy(&sfile->lock);
	sendcp_free(sfile);
}

void sendcp_file_called(struct sendcp_file *sfile, int ret)
{
	if (ret == -EINTR)
		sfile->patience = min_t(unsigned long, 2 * sfile->patience, PATIENCE_MAX);
	else
		sfile->patience = PATIENCE_MIN;
}

void sendcp_file_keep(struct sendcp_file *sfile, void *checkpoint, size_t size)
{
	sendcp_free(sfile->checkpoint);
	sfile->checkpoint = checkpoint;
	sfile->checkpoint_size = size;
}

static dev_t device_number(const struct file *device)
{
	return file_inode(device)->i_rdev;
}

static dev_t filesystem_number(const struct sendcp_files *files)
{
	return file_inode(files->subvolume.file)->i_sb->s_dev;
}

/* The volume is of these devices and this mount. */
static bool volume_fits(const struct sendcp_file *sfile)
{
	const struct sendcp_files *files = &sfile->ctx->files;
	struct sendcp_volume_info info;
	u32 i;

	if (!sfile->volume || sfile->filesystem != filesystem_number(files) ||
	    sfile->host.device_count != files->device_count)
		return false;
	for (i = 0; i < files->device_count; i++)
		if (sfile->devices[i] != device_number(files->devices[i]))
			return false;
	/* The devices may have got another filesystem since. */
	sendcp_volume_info(sfile->volume, &info);
	return sendcp_files_match_fsid(files, info.fsid) == 1;
}

static int remember_devices(struct sendcp_file *sfile)
{
	const struct sendcp_files *files = &sfile->ctx->files;
	u32 i;

	sfile->devices = sendcp_alloc(files->device_count * sizeof(*sfile->devices));
	if (!sfile->devices)
		return -ENOMEM;
	for (i = 0; i < files->device_count; i++)
		sfile->devices[i] = device_number(files->devices[i]);
	sfile->filesystem = filesystem_number(files);
	sfile->host.device_count = files->device_count;
	return 0;
}

static int open_volume(struct sendcp_file *sfile)
{
	struct sendcp_volume_info info;
	int ret;

	if (volume_fits(sfile))
		return 0;
	drop_volume(sfile);
	ret = remember_devices(sfile);
	if (!ret)
		ret = sendcp_volume_open(&sfile->host, &sfile->volume, &sfile->error);
	if (sfile->error.reason == SENDCP_ERR_DEVICE_FOREIGN)
		return -EXDEV;
	if (ret)
		return ret;
	sendcp_volume_info(sfile->volume, &info);
	ret = sendcp_files_match_fsid(&sfile->ctx->files, info.fsid);
	return ret < 0 ? ret : ret ? 0 : -EXDEV;
}

static bool engine_fits(const struct sendcp_file *sfile, const struct sendcp_request *request,
			const void *checkpoint, size_t size)
{
	const struct sendcp_request *made = &sfile->request;

	return sfile->engine && made->protocol == request->protocol &&
	       made->flags == request->flags && made->subvolume == request->subvolume &&
	       made->parent == request->parent && made->clone_count == request->clone_count &&
	       (!made->clone_count || !memcmp(sfile->clones, request->clone_sources,
					      made->clone_count * sizeof(*sfile->clones))) &&
	       size && sfile->checkpoint_size == size &&
	       !memcmp(sfile->checkpoint, checkpoint, size);
}

static int list_clones(const struct sendcp_files *files, u64 **clones)
{
	u32 i;

	*clones = NULL;
	if (!files->clone_count)
		return 0;
	*clones = sendcp_alloc(files->clone_count * sizeof(**clones));
	if (!*clones)
		return -ENOMEM;
	for (i = 0; i < files->clone_count; i++)
		(*clones)[i] = files->clones[i].root;
	return 0;
}

static int open_engine(struct sendcp_file *sfile, const struct sendcp_request *request,
		       const void *checkpoint, size_t size)
{
	int ret;

	ret = sendcp_engine_open(sfile->volume, request, &sfile->engine, &sfile->error);
	if (ret || !size)
		return ret;
	ret = sendcp_engine_rearm(sfile->engine, checkpoint, size);
	if (ret)
		sfile->error = *sendcp_engine_error(sfile->engine);
	return ret;
}

int sendcp_file_arm(struct sendcp_file *sfile, const struct sendcp_send *args,
		    const void *checkpoint, size_t size)
{
	const struct sendcp_files *files = &sfile->ctx->files;
	struct sendcp_request request = {
		.protocol = args->protocol,
		.flags = args->flags & (SENDCP_SEND_NO_FILE_DATA | SENDCP_SEND_OMIT_HEADER |
					SENDCP_SEND_OMIT_END | SENDCP_SEND_COMPRESSED |
					SENDCP_SEND_DATA_ZERO | SENDCP_SEND_DATA_SKIP),
		.subvolume = files->subvolume.root,
		.parent = files->parent.file ? files->parent.root : 0,
		.clone_count = files->clone_count,
	};
	u64 *clones;
	int ret;

	sendcp_error_clear(&sfile->error);
	ret = list_clones(files, &clones);
	if (ret)
		return ret;
	request.clone_sources = clones;
	ret = open_volume(sfile);
	if (ret || engine_fits(sfile, &request, checkpoint, size)) {
		sendcp_free(clones);
		return ret;
	}
	sendcp_file_drop_engine(sfile);
	sfile->clones = clones;
	sfile->request = request;
	ret = open_engine(sfile, &request, checkpoint, size);
	if (sfile->error.reason == SENDCP_ERR_DEVICES_CHANGED)
		drop_volume(sfile);
	else if (ret)
		sendcp_file_drop_engine(sfile);
	return ret;
}
