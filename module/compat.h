/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The differences between the kernels this builds for, 5.10 and later. Nothing else in the module
 * asks for a version.
 */
#ifndef SENDCP_MODULE_COMPAT_H
#define SENDCP_MODULE_COMPAT_H

#include <linux/bio.h>
#include <linux/blkdev.h>
#include <linux/uio.h>
#include <linux/version.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(5, 11, 0)
#include <crypto/sha.h>
#else
#include <crypto/sha2.h>
#endif

/* BLAKE2b became a library function when the crypto API's went. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 19, 0)
#define SENDCP_BLAKE2B_LIBRARY 1
#endif

/* A bio that reads. There is always one: they come from a reserve. */
static inline struct bio *sendcp_bio_alloc(struct block_device *bdev, unsigned short vecs)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(5, 18, 0)
	return bio_alloc(bdev, vecs, REQ_OP_READ, GFP_KERNEL);
#else
	struct bio *bio = bio_alloc(GFP_KERNEL, vecs);

	bio_set_dev(bio, bdev);
	bio->bi_opf = REQ_OP_READ;
	return bio;
#endif
}

#endif
