// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The module's life, and the life of an open /dev/sendcp.
 */
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>

#include <uapi/sendcp.h>
#include "device_read.h"
#include "ioctl.h"
#include "platform.h"
#include "worker.h"

static int sendcp_open(struct inode *inode, struct file *file)
{
	struct sendcp_file *sfile = sendcp_file_new();

	if (!sfile)
		return -ENOMEM;
	file->private_data = sfile;
	return 0;
}

static int sendcp_release(struct inode *inode, struct file *file)
{
	sendcp_file_free(file->private_data);
	return 0;
}

static const struct file_operations sendcp_operations = {
	.owner = THIS_MODULE,
	.open = sendcp_open,
	.release = sendcp_release,
	.unlocked_ioctl = sendcp_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.llseek = noop_llseek,
};

static struct miscdevice sendcp_miscdevice = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "sendcp",
	.fops = &sendcp_operations,
	.mode = 0600,
};

struct workqueue_struct *sendcp_workqueue;

static int __init sendcp_init(void)
{
	int ret;

	sendcp_workqueue = alloc_workqueue("sendcp", WQ_UNBOUND, 0);
	if (!sendcp_workqueue)
		return -ENOMEM;
	ret = misc_register(&sendcp_miscdevice);
	if (ret)
		destroy_workqueue(sendcp_workqueue);
	return ret;
}

/* Every user of the module's code holds a reference, up to a worker's last steps. */
static void __exit sendcp_exit(void)
{
	misc_deregister(&sendcp_miscdevice);
	sendcp_bdev_read_drain();
	destroy_workqueue(sendcp_workqueue);
	sendcp_platform_release();
}

module_init(sendcp_init);
module_exit(sendcp_exit);

MODULE_DESCRIPTION("Resumable btrfs send");
MODULE_AUTHOR("The sendcp authors");
MODULE_LICENSE("GPL");
MODULE_VERSION(SENDCP_VERSION);
MODULE_SOFTDEP("pre: crc32c");
