/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Many reads of devices at once.
 */
#ifndef USER_BACKEND_DEVICE_QUEUE_H
#define USER_BACKEND_DEVICE_QUEUE_H

#include "backend/internal.h"

struct device_queue;

/* NULL: out of memory. */
struct device_queue *sendcp_device_queue_new(void);
void sendcp_device_queue_free(struct device_queue *queue);
/* Does the reads and sets each one's result. */
void sendcp_device_queue_read(struct device_queue *queue, const struct device_list *devices,
			      struct sendcp_io *ios, unsigned int count,
			      const struct sendcp_cancel *interrupt);

#endif
