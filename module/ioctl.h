/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The two ways to get a stream out, once a call's arguments and files are there.
 *
 * Both fill the outward part of @args, put the new checkpoint where @args says, and return 0 when
 * anything was made. @checkpoint is the one handed in.
 */
#ifndef SENDCP_MODULE_IOCTL_H
#define SENDCP_MODULE_IOCTL_H

#include "sendcp_file.h"

/* SENDCP_IOC_SEND: into the caller's buffer. */
int sendcp_send_to_buffer(struct sendcp_file *sfile, struct sendcp_send *args,
			  const void *checkpoint);
/* SENDCP_IOC_STREAM: into an open file. */
int sendcp_send_to_file(struct sendcp_file *sfile, struct sendcp_send *args,
			const void *checkpoint);

/* The device's one entry. */
long sendcp_ioctl(struct file *file, unsigned int command, unsigned long argument);

#endif
