/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The caller's buffer, pinned and mapped for one call, so that the stream is made where it is
 * wanted.
 *
 * Its owner may write to it meanwhile: nothing that was put there may be believed afterwards.
 */
#ifndef SENDCP_MODULE_BUFFER_H
#define SENDCP_MODULE_BUFFER_H

#include <linux/mm_types.h>
#include <linux/types.h>

struct sendcp_buffer {
	/* The kernel's address of its first byte; NULL when it has none. */
	void *data;
	size_t size;
	struct page **pages;
	void *mapping;
	unsigned long page_count;
	/* Pages charged to RLIMIT_MEMLOCK. */
	unsigned long charged;
};

/*
 * Pins @size bytes at user address @address, at most SENDCP_BUFFER_MAX of them. -EFAULT: not
 * writable, not anonymous; -ENOMEM: also when RLIMIT_MEMLOCK does not allow it.
 */
int sendcp_buffer_pin(struct sendcp_buffer *buffer, u64 address, u64 size);
/* @dirty: something was put there. */
void sendcp_buffer_unpin(struct sendcp_buffer *buffer, bool dirty);

#endif
