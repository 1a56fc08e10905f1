// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Userspace's side of include/sendcp/platform.h: memory from libc, checksums from libraries that
 * are fast at them.
 */
#include <gcrypt.h>
#include <isa-l/crc.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>
#include <xxhash.h>
#include <sendcp/ondisk.h>
#include <sendcp/platform.h>

#define PAGE 4096u
/* libisal counts bytes in an int; a multiple of its widest vector loop. */
#define CRC_RUN (1u << 30)

void *sendcp_alloc(size_t size)
{
	return malloc(size ? size : 1);
}

void *sendcp_zalloc(size_t size)
{
	return calloc(1, size ? size : 1);
}

void *sendcp_realloc(void *block, size_t old, size_t size)
{
	return realloc(block, size ? size : 1);
}

void sendcp_free(void *block)
{
	free(block);
}

void *sendcp_alloc_aligned(size_t size)
{
	void *block;

	if (posix_memalign(&block, PAGE, size ? size : PAGE))
		return NULL;
	return block;
}

void sendcp_free_aligned(void *block, size_t size)
{
	free(block);
}

/*
 * glibc's qsort() may take memory, past sendcp_alloc(). That is harmless: it goes without if there
 * is none, so nothing fails; lists sorted here are never larger than two megabytes.
 */
void sendcp_sort(void *items, size_t count, size_t size, int (*compare)(const void *a,
									const void *b))
{
	/* It must not be given NULL, which an empty list may be. */
	if (count)
		qsort(items, count, size, compare);
}

u64 sendcp_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (u64)now.tv_sec * 1000000000 + (u64)now.tv_nsec;
}

u64 sendcp_div(u64 value, u32 divisor, u32 *remainder)
{
	if (remainder)
		*remainder = value % divisor;
	return value / divisor;
}

u32 sendcp_crc32c(u32 crc, const void *data, size_t size)
{
	const u8 *at = data;

	while (size) {
		int run = (int)sendcp_min(size, CRC_RUN);

		/* The library only reads; its prototype just lacks the const. */
		crc = crc32_iscsi((unsigned char *)(uintptr_t)at, run, crc);
		at += run;
		size -= run;
	}
	return crc;
}

/* Engines run in several threads; the library must be set up once before any of them uses it. */
static pthread_once_t gcrypt_once = PTHREAD_ONCE_INIT;

/* Secure memory is for keys; there are none here, and locking memory would need privileges. */
static void init_gcrypt(void)
{
	if (gcry_control(GCRYCTL_INITIALIZATION_FINISHED_P))
		return;
	gcry_check_version(NULL);
	gcry_control(GCRYCTL_DISABLE_SECMEM, 0);
	gcry_control(GCRYCTL_INITIALIZATION_FINISHED, 0);
}

static int gcrypt_checksum(int algorithm, const void *data, size_t size, u8 *out)
{
	pthread_once(&gcrypt_once, init_gcrypt);
	if (gcry_md_test_algo(algorithm))
		return -EOPNOTSUPP;
	gcry_md_hash_buffer(algorithm, out, data, size);
	return 0;
}

int sendcp_checksum(u16 type, const void *data, size_t size, u8 *out)
{
	switch (type) {
	case SENDCP_CSUM_CRC32C:
		sendcp_put_le32(out, ~sendcp_crc32c(~0u, data, size));
		return 0;
	case SENDCP_CSUM_XXHASH64:
		sendcp_put_le64(out, XXH64(data, size, 0));
		return 0;
	case SENDCP_CSUM_SHA256:
		return gcrypt_checksum(GCRY_MD_SHA256, data, size, out);
	case SENDCP_CSUM_BLAKE2B:
		return gcrypt_checksum(GCRY_MD_BLAKE2B_256, data, size, out);
	default:
		return -EINVAL;
	}
}
