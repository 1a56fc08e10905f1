/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The module's own workers: they close files, and free the batches of killed callers.
 */
#ifndef SENDCP_MODULE_WORKER_H
#define SENDCP_MODULE_WORKER_H

#include <linux/workqueue.h>

/* Lives as long as the module. */
extern struct workqueue_struct *sendcp_workqueue;

#endif
