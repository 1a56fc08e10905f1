// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Reading file contents through the filesystem, by inode number.
 *
 * What a task closes is only gone when it returns to userspace, which a call that sends a million
 * files does not do for hours; and an unmount right after a call is to find nothing open. So files
 * are closed by a worker, many at a time, and waited for.
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
#include "fs/fs.h"

struct closer {
	struct work_struct work;
	struct contents *contents;
};

static void close_all(struct work_struct *work)
{
	struct closer *closer = container_of(work, struct closer, work);
	struct contents *contents = closer->contents;

	while (contents->closing_count)
		__fput_sync(contents->closing[--contents->closing_count]);
}

static void close_waiting(struct contents *contents)
{
	struct closer closer = { .contents = contents };

	if (!contents->closing_count)
		return;
	INIT_WORK_ONSTACK(&closer.work, close_all);
	queue_work(sendcp_workqueue, &closer.work);
	flush_work(&closer.work);
	destroy_work_on_stack(&closer.work);
}

static void let_go(struct contents *contents)
{
	if (!contents->file)
		return;
	if (contents->closing_count == CONTENTS_CLOSING)
		close_waiting(contents);
	contents->closing[contents->closing_count++] = contents->file;
	contents->file = NULL;
}

void contents_close(struct contents *contents)
{
	let_go(contents);
	close_waiting(contents);
}

static int any_dentry_does(void *context, struct dentry *dentry)
{
	return 1;
}

static struct file *open_inode(struct vfsmount *mount, const struct scp_file_range *range,
			       u64 root)
{
	struct inode_handle handle = {
		.inode = range->inode,
		.root = root,
		.generation = lower_32_bits(range->generation),
	};
	struct path path = { .mnt = mount };
	struct file *file;

	path.dentry = exportfs_decode_fh(mount, (struct fid *)&handle, INODE_HANDLE_WORDS,
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
static int open_range(struct contents *contents, const struct scp_file_range *range, u64 root)
{
	struct file *file;

	if (contents->file && contents->root == root && contents->inode == range->inode &&
	    contents->generation == range->generation)
		return 0;
	let_go(contents);
	file = open_inode(contents->mount, range, root);
	if (IS_ERR(file))
		return PTR_ERR(file);
	contents->file = file;
	contents->root = root;
	contents->inode = range->inode;
	contents->generation = range->generation;
	return 0;
}

/* A read-only snapshot's file that ends early is no longer what its inode says: EIO. */
int contents_read(struct contents *contents, const struct scp_file_range *range, void *buffer)
{
	loff_t position = range->offset;
	size_t done = 0;
	int ret;

	ret = open_range(contents, range, range->tree->id);
	while (!ret && done < range->length) {
		ssize_t got = kernel_read(contents->file, buffer + done, range->length - done,
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
