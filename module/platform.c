// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The kernel's side of include/sendcp/platform.h: memory charged to the caller's control group,
 * checksums from the kernel's libraries.
 */
#include <crypto/hash.h>
#include <linux/crc32c.h>
#include <linux/ktime.h>
#include <linux/math64.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/sort.h>
#include <linux/xxhash.h>
#include <sendcp/ondisk.h>
#include <sendcp/platform.h>

#include "compat.h"
#include "platform.h"

#ifdef SENDCP_BLAKE2B_LIBRARY
#include <crypto/blake2b.h>
#endif

#define DIGEST_SIZE 32

/* More than this kvmalloc() takes for a mistake, and says so. */
static void *allocate(size_t size, gfp_t flags)
{
	if (size > INT_MAX)
		return NULL;
	return kvmalloc(size ? size : 1, GFP_KERNEL_ACCOUNT | __GFP_NOWARN | flags);
}

void *sendcp_alloc(size_t size)
{
	return allocate(size, 0);
}

void *sendcp_zalloc(size_t size)
{
	return allocate(size, __GFP_ZERO);
}

void *sendcp_realloc(void *block, size_t old, size_t size)
{
	void *grown = sendcp_alloc(size);

	if (!grown)
		return NULL;
	if (block) {
		memcpy(grown, block, min(old, size));
		kvfree(block);
	}
	return grown;
}

void sendcp_free(void *block)
{
	kvfree(block);
}

/* Whole pages: kmalloc aligns powers of two and whole pages, vmalloc aligns everything. */
void *sendcp_alloc_aligned(size_t size)
{
	return allocate(PAGE_ALIGN(size ? size : 1), 0);
}

void sendcp_free_aligned(void *block, size_t size)
{
	kvfree(block);
}

void sendcp_sort(void *items, size_t count, size_t size, int (*compare)(const void *a,
									const void *b))
{
	sort(items, count, size, compare, NULL);
}

u64 sendcp_now(void)
{
	return ktime_get_ns();
}

u64 sendcp_div(u64 value, u32 divisor, u32 *remainder)
{
	u32 rest;
	u64 quotient = div_u64_rem(value, divisor, &rest);

	if (remainder)
		*remainder = rest;
	return quotient;
}

u32 sendcp_crc32c(u32 crc, const void *data, size_t size)
{
	return crc32c(crc, data, size);
}

#ifdef SENDCP_BLAKE2B_LIBRARY

static int blake2b_digest(const void *data, size_t size, u8 *out)
{
	blake2b(NULL, 0, data, size, out, DIGEST_SIZE);
	return 0;
}

void sendcp_platform_release(void)
{
}

#else

/* Looked for when the first filesystem needs it, kept until the module goes. */
static struct crypto_shash *blake2b_hash;

static struct crypto_shash *blake2b_get(void)
{
	struct crypto_shash *known = READ_ONCE(blake2b_hash);
	struct crypto_shash *made;

	if (known)
		return known;
	made = crypto_alloc_shash("blake2b-256", 0, 0);
	if (IS_ERR(made))
		return made;
	known = cmpxchg(&blake2b_hash, NULL, made);
	if (!known)
		return made;
	crypto_free_shash(made);
	return known;
}

static int blake2b_digest(const void *data, size_t size, u8 *out)
{
	struct crypto_shash *hash = blake2b_get();

	if (IS_ERR(hash))
		return PTR_ERR(hash) == -ENOMEM ? -ENOMEM : -EOPNOTSUPP;
	return crypto_shash_tfm_digest(hash, data, size, out);
}

void sendcp_platform_release(void)
{
	crypto_free_shash(blake2b_hash);
}

#endif

int sendcp_checksum(u16 type, const void *data, size_t size, u8 *out)
{
	switch (type) {
	case SENDCP_CSUM_CRC32C:
		sendcp_put_le32(out, ~sendcp_crc32c(~0u, data, size));
		return 0;
	case SENDCP_CSUM_XXHASH64:
		sendcp_put_le64(out, xxh64(data, size, 0));
		return 0;
	case SENDCP_CSUM_SHA256:
		sha256(data, size, out);
		return 0;
	case SENDCP_CSUM_BLAKE2B:
		return blake2b_digest(data, size, out);
	default:
		return -EINVAL;
	}
}
