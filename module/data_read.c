// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Reading file contents through the filesystem, by inode number.
 *
 * A file that a task closes stays open until the task returns to userspace, which may be hours
 * later when an ioctl sends a million files; but an unmount right after an ioctl has to find
 * nothing open. So files are closed by a worker, many at a time, and waited for.
 */
#include <linux/cred.h>
#include <linux/exportfs.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/sched/signal.h>
#include <linux/workqueue.h>

#include "data_read.h"
#include "handle.h"
#include "worker.h"

struct sendcp_closer {
	struct work_struct work;
	struct sendcp_data_reader *reader;
};

static void close_all(struct work_struct *work)
{
	struct sendcp_closer *closer = container_of(work, struct sendcp_closer, work);
	struct sendcp_data_reader *reader = closer->reader;

	while (reader->closing_count)
		__fput_sync(reader->closing[--reader->closing_count]);
}

static void close_waiting(struct sendcp_data_reader *reader)
{
	struct sendcp_closer closer = { .reader = reader };

	if (!reader->closing_count)
		return;
	INIT_WORK_ONSTACK(&closer.work, close_all);
	queue_work(sendcp_workqueue, &closer.work);
	flush_work(&closer.work);
	destroy_work_on_stack(&closer.work);
}

static void queue_close(struct sendcp_data_reader *reader)
{
	if (!reader->file)
		return;
	if (reader->closing_count == SENDCP_CLOSING_MAX)
		close_waiting(reader);
	reader->closing[reader->closing_count++] = reader->file;
	reader->file = NULL;
}

void sendcp_data_read_close(struct sendcp_data_reader *reader)
{
	queue_close(reader);
	close_waiting(reader);
}

static int any_dentry_does(void *context, struct dentry *dentry)
{
	return 1;
}

static struct file *open_inode(struct vfsmount *mount, const struct sendcp_file_range *range)
{
	struct sendcp_inode_handle handle = {
		.inode = range->inode,
		.root = range->root,
		.generation = lower_32_bits(range->generation),
	};
	struct path path = { .mnt = mount };
	struct file *file;

	path.dentry = exportfs_decode_fh(mount, (struct fid *)&handle, SENDCP_INODE_HANDLE_WORDS,
					 FILEID_BTRFS_WITHOUT_PARENT, any_dentry_does, NULL);
	if (IS_ERR(path.dentry))
		return ERR_CAST(path.dentry);
	if (d_is_reg(path.dentry))
		file = dentry_open(&path, O_RDONLY | O_NOATIME | O_LARGEFILE, current_cred());
	else
		file = ERR_PTR(-EIO);
	dput(path.dentry);
	return file;
}

/* One file is kept: a send reads a file to its end before it comes to the next one. */
static int open_range(struct sendcp_data_reader *reader, const struct sendcp_file_range *range)
{
	struct file *file;

	if (reader->file && reader->root == range->root && reader->inode == range->inode &&
	    reader->generation == range->generation)
		return 0;
	queue_close(reader);
	file = open_inode(reader->mount, range);
	if (IS_ERR(file))
		return PTR_ERR(file);
	reader->file = file;
	reader->root = range->root;
	reader->inode = range->inode;
	reader->generation = range->generation;
	return 0;
}

/* A read-only snapshot's file that ends early is no longer what its inode says: EIO. */
int sendcp_data_read(struct sendcp_data_reader *reader, const struct sendcp_file_range *range,
		     void *buffer)
{
	loff_t position = range->offset;
	size_t done = 0;
	int ret;

	ret = open_range(reader, range);
	while (!ret && done < range->length) {
		ssize_t got = kernel_read(reader->file, buffer + done, range->length - done,
					  &position);

		if (got <= 0)
			ret = got ? got : -EIO;
		else
			done += got;
		if (fatal_signal_pending(current))
			ret = -EINTR;
		cond_resched();
	}
	return ret;
}
