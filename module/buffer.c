// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Pinning and mapping the caller's buffer.
 */
#include <linux/highmem.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>

#include <sendcp/platform.h>
#include <uapi/sendcp.h>
#include "buffer.h"

/* Pages pinned between two checks whether the caller was killed. */
#define PIN_AT_ONCE 512ul

static int pin_pages(struct sendcp_buffer *buffer, unsigned long start, unsigned long wanted)
{
	while (buffer->page_count < wanted) {
		unsigned long left = wanted - buffer->page_count;
		int got = pin_user_pages_fast(start + (buffer->page_count << PAGE_SHIFT),
					      min(left, PIN_AT_ONCE), FOLL_WRITE,
					      buffer->pages + buffer->page_count);

		if (got <= 0)
			return got ? got : -EFAULT;
		buffer->page_count += got;
		if (fatal_signal_pending(current))
			return -EINTR;
	}
	return 0;
}

/*
 * Pages of files must not be written to without their filesystem, and shared memory is made of such
 * pages; only anonymous memory is left.
 */
static bool all_anonymous(const struct sendcp_buffer *buffer)
{
	unsigned long i;

	for (i = 0; i < buffer->page_count; i++)
		if (!PageAnon(buffer->pages[i]))
			return false;
	return true;
}

static int pin_and_map(struct sendcp_buffer *buffer, unsigned long start, unsigned long wanted)
{
	int ret = pin_pages(buffer, start, wanted);

	if (ret)
		return ret;
	if (!all_anonymous(buffer))
		return -EFAULT;
	buffer->mapping = vmap(buffer->pages, wanted, VM_MAP, PAGE_KERNEL);
	return buffer->mapping ? 0 : -ENOMEM;
}

/* Charges @wanted pages to RLIMIT_MEMLOCK until sendcp_buffer_unpin(). */
static int reserve_pages(struct sendcp_buffer *buffer, unsigned long wanted)
{
	int ret = account_locked_vm(current->mm, wanted, true);

	if (ret)
		return ret;
	buffer->charged = wanted;
	buffer->pages = sendcp_alloc(wanted * sizeof(*buffer->pages));
	if (buffer->pages)
		return 0;
	account_locked_vm(current->mm, wanted, false);
	return -ENOMEM;
}

static unsigned long pages_spanned(u64 address, u64 size)
{
	return (offset_in_page(address) + size + PAGE_SIZE - 1) >> PAGE_SHIFT;
}

int sendcp_buffer_pin(struct sendcp_buffer *buffer, u64 address, u64 size)
{
	unsigned long start = address;
	unsigned long wanted;
	int ret;

	size = min_t(u64, size, SENDCP_BUFFER_MAX);
	if (!size)
		return 0;
	if (start != address || !access_ok(u64_to_user_ptr(address), size))
		return -EFAULT;
	wanted = pages_spanned(address, size);
	ret = reserve_pages(buffer, wanted);
	if (ret)
		return ret;
	buffer->size = size;
	ret = pin_and_map(buffer, start & PAGE_MASK, wanted);
	if (!ret) {
		buffer->data = buffer->mapping + offset_in_page(start);
		return 0;
	}
	sendcp_buffer_unpin(buffer, false);
	return ret;
}

void sendcp_buffer_unpin(struct sendcp_buffer *buffer, bool dirty)
{
	if (!buffer->pages)
		return;
	if (buffer->mapping) {
		flush_kernel_vmap_range(buffer->mapping, buffer->page_count << PAGE_SHIFT);
		vunmap(buffer->mapping);
	}
	unpin_user_pages_dirty_lock(buffer->pages, buffer->page_count, dirty);
	sendcp_free(buffer->pages);
	/* The charge is for all pages wanted, even if not all of them could be pinned. */
	account_locked_vm(current->mm, buffer->charged, false);
	memset(buffer, 0, sizeof(*buffer));
}
