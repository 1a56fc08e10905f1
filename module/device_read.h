/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading block devices in a way that a killed caller need not wait for.
 */
#ifndef SENDCP_MODULE_DEVICE_READ_H
#define SENDCP_MODULE_DEVICE_READ_H

#include <sendcp/host.h>

struct file;

/*
 * Does all of @count reads at once; ->device indexes @devices, open block device files. Sets each
 * one's result. -EINTR: the caller was killed, results mean nothing; -ENOMEM.
 */
int sendcp_bdev_read(struct file *const *devices, struct sendcp_io *ios, unsigned int count);

/* Waits until no bio's end runs in the module's code any more. */
void sendcp_bdev_read_drain(void);

#endif
