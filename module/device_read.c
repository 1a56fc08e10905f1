// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Reading block devices in a way that a killed caller need not wait for.
 *
 * A device may take arbitrarily long, and the memory it was given must stay until it is done. So
 * reads go into memory of the batch's own, which belongs to the last one to use it: the caller, who
 * copies the bytes out, or a worker after the last bio if the caller was killed meanwhile.
 */
#include <linux/atomic.h>
#include <linux/completion.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/highmem.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>

#include "compat.h"
#include "device_read.h"
#include "worker.h"

/* Engines read tree blocks and stored extents: nothing near as long. */
#define LENGTH_MAX (256u << 10)

struct sendcp_read_part {
	struct sendcp_read_batch *batch;
	void *data;
	int result;
	/* Held for the bio of a caller that was killed. */
	struct file *device;
};

enum sendcp_batch_state {
	BATCH_AWAITED,
	BATCH_ABANDONED,
	BATCH_DONE,
};

struct sendcp_read_batch {
	/* Bios on their way, and the caller while it sends them. */
	atomic_t pending;
	/* The last one frees the batch: the caller, or a worker if the caller was killed. */
	atomic_t state;
	struct completion done;
	struct work_struct work;
	unsigned int count;
	struct sendcp_read_part parts[];
};

static void batch_free(struct sendcp_read_batch *batch)
{
	unsigned int i;

	for (i = 0; i < batch->count; i++) {
		kvfree(batch->parts[i].data);
		if (batch->parts[i].device)
			fput(batch->parts[i].device);
	}
	kvfree(batch);
}

/* The workqueue outlives this function, so the module may go as soon as it returns. */
static void batch_free_abandoned(struct work_struct *work)
{
	batch_free(container_of(work, struct sendcp_read_batch, work));
	module_put(THIS_MODULE);
}

static struct sendcp_read_batch *batch_new(unsigned int count)
{
	struct sendcp_read_batch *batch;

	batch = kvzalloc(struct_size(batch, parts, count), GFP_KERNEL_ACCOUNT);
	if (!batch)
		return NULL;
	atomic_set(&batch->pending, 1);
	atomic_set(&batch->state, BATCH_AWAITED);
	init_completion(&batch->done);
	INIT_WORK(&batch->work, batch_free_abandoned);
	batch->count = count;
	return batch;
}

/* Also called from a bio's end, in any context. */
static void batch_part_done(struct sendcp_read_batch *batch)
{
	if (!atomic_dec_and_test(&batch->pending))
		return;
	if (atomic_xchg(&batch->state, BATCH_DONE) == BATCH_ABANDONED)
		queue_work(sendcp_workqueue, &batch->work);
	else
		complete(&batch->done);
}

static void part_end(struct bio *bio)
{
	struct sendcp_read_part *part = bio->bi_private;

	part->result = blk_status_to_errno(bio->bi_status);
	bio_put(bio);
	batch_part_done(part->batch);
}

static struct page *page_of(const void *address)
{
	return is_vmalloc_addr(address) ? vmalloc_to_page(address) : virt_to_page(address);
}

/* Memory that comes in whole pages, a page at a time: it need not be contiguous. */
static int bio_add_memory(struct bio *bio, u8 *data, u32 length)
{
	while (length) {
		u32 piece = min_t(u32, length, PAGE_SIZE);

		if (bio_add_page(bio, page_of(data), piece, 0) != piece)
			return -EIO;
		data += piece;
		length -= piece;
	}
	return 0;
}

static bool beyond_end(const struct file *device, const struct sendcp_io *io)
{
	u64 size = i_size_read(device->f_mapping->host);

	return io->offset > size || io->length > size - io->offset;
}

/* On failure no bio is on its way; else part_end() comes, maybe before this returns. */
static int part_send(struct sendcp_read_batch *batch, struct sendcp_read_part *part,
		     const struct file *device, const struct sendcp_io *io)
{
	struct bio *bio;

	if (io->length > LENGTH_MAX || beyond_end(device, io))
		return -EIO;
	part->data = sendcp_alloc_aligned(io->length);
	if (!part->data)
		return -ENOMEM;
	if (is_vmalloc_addr(part->data))
		flush_kernel_vmap_range(part->data, io->length);
	bio = sendcp_bio_alloc(I_BDEV(device->f_mapping->host),
			       DIV_ROUND_UP(io->length, PAGE_SIZE));
	part->batch = batch;
	/* A caller waits for these; readahead of files may come later. */
	bio->bi_opf |= REQ_META | REQ_PRIO;
	bio->bi_iter.bi_sector = io->offset >> SECTOR_SHIFT;
	bio->bi_private = part;
	bio->bi_end_io = part_end;
	if (bio_add_memory(bio, part->data, io->length)) {
		bio_put(bio);
		return -EIO;
	}
	atomic_inc(&batch->pending);
	submit_bio(bio);
	return 0;
}

static void send_all(struct sendcp_read_batch *batch, struct file *const *devices,
		     const struct sendcp_io *ios)
{
	struct blk_plug plug;
	unsigned int i;

	blk_start_plug(&plug);
	for (i = 0; i < batch->count; i++) {
		int ret = part_send(batch, &batch->parts[i], devices[ios[i].device], &ios[i]);

		/* Those that were sent get their result when their bio ends. */
		if (ret)
			batch->parts[i].result = ret;
	}
	blk_finish_plug(&plug);
	batch_part_done(batch);
}

/* -ENOMEM is the whole batch's: nobody is to take it for a device's fault. */
static int collect_results(struct sendcp_read_batch *batch, struct sendcp_io *ios)
{
	unsigned int i;

	for (i = 0; i < batch->count; i++) {
		const struct sendcp_read_part *part = &batch->parts[i];

		if (part->result == -ENOMEM)
			return -ENOMEM;
		ios[i].result = part->result;
		if (part->result)
			continue;
		if (is_vmalloc_addr(part->data))
			invalidate_kernel_vmap_range(part->data, ios[i].length);
		memcpy(ios[i].buffer, part->data, ios[i].length);
	}
	return 0;
}

/*
 * Leaves the batch to its last bio. The devices stay open for that long, since nothing else keeps
 * the block layer from taking one apart; and the module stays.
 */
static void batch_abandon(struct sendcp_read_batch *batch, struct file *const *devices,
			  const struct sendcp_io *ios)
{
	unsigned int i;

	for (i = 0; i < batch->count; i++)
		batch->parts[i].device = get_file(devices[ios[i].device]);
	__module_get(THIS_MODULE);
	if (atomic_xchg(&batch->state, BATCH_ABANDONED) != BATCH_DONE)
		return;
	/* It was done just before, and the last bio is about to complete it. */
	wait_for_completion(&batch->done);
	batch_free(batch);
	module_put(THIS_MODULE);
}

int sendcp_bdev_read(struct file *const *devices, struct sendcp_io *ios, unsigned int count)
{
	struct sendcp_read_batch *batch = batch_new(count);
	int ret;

	if (!batch)
		return -ENOMEM;
	send_all(batch, devices, ios);
	if (wait_for_completion_killable(&batch->done)) {
		batch_abandon(batch, devices, ios);
		return -EINTR;
	}
	ret = collect_results(batch, ios);
	batch_free(batch);
	return ret;
}

/*
 * The module has no users and no abandoned batch by now, but the last bio's end may have been
 * preempted in its last steps. Kernels on which that is possible have a grace period for it.
 */
void sendcp_bdev_read_drain(void)
{
	synchronize_rcu_tasks();
}
