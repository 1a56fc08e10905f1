/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The module's own workers: for closing files, and for what killed callers leave behind.
 */
#ifndef SENDCP_MODULE_WORKER_H
#define SENDCP_MODULE_WORKER_H

#include <linux/workqueue.h>

/* Lives as long as the module. */
extern struct workqueue_struct *sendcp_workqueue;

#endif
