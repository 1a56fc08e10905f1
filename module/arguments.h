/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The ioctls' arguments: copied in and checked, copied out.
 */
#ifndef SENDCP_MODULE_ARGUMENTS_H
#define SENDCP_MODULE_ARGUMENTS_H

#include <linux/uaccess.h>
#include <uapi/sendcp.h>

#include <sendcp/error.h>

/* Copies the struct at @from, of the size in its first field, and clears its outward part. */
int sendcp_args_get(struct sendcp_send *args, void __user *from);
/* Writes the outward part back, as far as the caller's struct has it. */
int sendcp_args_put(const struct sendcp_send *args, void __user *to);

/* The checkpoint handed in, sendcp_alloc'd; NULL if there is none. Or an error pointer. */
void *sendcp_args_checkpoint(const struct sendcp_send *args);

/* Why the call failed with @err, if the caller wants to know: its struct sendcp_failure. */
int sendcp_args_put_error(const struct sendcp_send *args, int err,
			  const struct sendcp_error *error);

/* SENDCP_IOC_INFO. */
long sendcp_args_info(void __user *to);

#endif
