// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Many reads of devices at once, through the kernel's asynchronous I/O, which for files opened with
 * O_DIRECT really is asynchronous.
 *
 * It is an optimisation only: a read that it does not complete is done again the plain way, which
 * then reports the error.
 */
#include <libaio.h>
#include <stdlib.h>

#include "backend/device_queue.h"

/* Reads in flight at once. */
#define QUEUE_DEPTH 64u
/* Result of a read that was not completed. */
#define NOT_DONE (-EAGAIN)

struct device_queue {
	/* 0: the kernel gives us none. */
	io_context_t context;
	struct iocb blocks[QUEUE_DEPTH];
};

struct device_queue *sendcp_device_queue_new(void)
{
	struct device_queue *queue = calloc(1, sizeof(*queue));

	if (queue && io_setup(QUEUE_DEPTH, &queue->context))
		queue->context = 0;
	return queue;
}

void sendcp_device_queue_free(struct device_queue *queue)
{
	if (queue && queue->context)
		io_destroy(queue->context);
	free(queue);
}

/* Returns how many are in flight. */
static unsigned int submit(struct device_queue *queue, const struct device_list *devices,
			   struct sendcp_io *ios, unsigned int count)
{
	struct iocb *list[QUEUE_DEPTH];
	unsigned int i;
	int sent;

	for (i = 0; i < count; i++) {
		list[i] = &queue->blocks[i];
		io_prep_pread(list[i], devices->devices[ios[i].device].fd, ios[i].buffer,
			      ios[i].length, (long long)ios[i].offset);
		list[i]->data = &ios[i];
	}
	sent = io_submit(queue->context, count, list);
	return sent > 0 ? (unsigned int)sent : 0;
}

/* The buffers belong to the devices until every read has ended, so signals do not end the wait. */
static void collect(struct device_queue *queue, unsigned int pending)
{
	struct io_event events[QUEUE_DEPTH];
	int done;
	int i;

	while (pending) {
		done = io_getevents(queue->context, 1, pending, events, NULL);
		if (done == -EINTR)
			continue;
		if (done <= 0) {
			/* Not possible with a valid context; destroying it waits for the reads. */
			io_destroy(queue->context);
			queue->context = 0;
			return;
		}
		for (i = 0; i < done; i++) {
			struct sendcp_io *io = events[i].data;

			if (events[i].res == io->length)
				io->result = 0;
		}
		pending -= (unsigned int)done;
	}
}

static void read_batch(struct device_queue *queue, const struct device_list *devices,
		       struct sendcp_io *ios, unsigned int count,
		       const struct sendcp_cancel *interrupt)
{
	unsigned int i;

	for (i = 0; i < count; i++)
		ios[i].result = NOT_DONE;
	if (count > 1 && queue->context)
		collect(queue, submit(queue, devices, ios, count));
	for (i = 0; i < count; i++) {
		if (ios[i].result != NOT_DONE)
			continue;
		ios[i].result = sendcp_read_fully(devices->devices[ios[i].device].fd, ios[i].buffer,
						  ios[i].length, ios[i].offset, interrupt);
	}
}

void sendcp_device_queue_read(struct device_queue *queue, const struct device_list *devices,
			      struct sendcp_io *ios, unsigned int count,
			      const struct sendcp_cancel *interrupt)
{
	while (count) {
		unsigned int run = (unsigned int)sendcp_min(count, QUEUE_DEPTH);

		read_batch(queue, devices, ios, run, interrupt);
		ios += run;
		count -= run;
	}
}
