/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The only door from the engine to the world it is compiled into.
 *
 * Everything below src/ sees libc (or the kernel) through this header alone, so that the same
 * files build into the command line and into the module. The functions declared here are
 * implemented once per world: user/platform.c for userspace, module/platform.c for the kernel.
 */
#ifndef SENDCP_PLATFORM_H
#define SENDCP_PLATFORM_H

#ifdef __KERNEL__

#include <linux/types.h>
#include <linux/kernel.h>
#include <linux/string.h>
#include <linux/errno.h>
#include <linux/stat.h>
#include <asm/byteorder.h>

#else

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
/* __le16, __le32, __le64: values as they are on the disk and in the stream; convert before use. */
#include <linux/types.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
/* As the kernel has them on every architecture, so that %llu fits in both worlds. */
typedef unsigned long long u64;
typedef long long s64;

#ifdef __CHECKER__
#define __force __attribute__((force))
#else
#define __force
#endif

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define le16_to_cpu(x) ((__force u16)(__le16)(x))
#define le32_to_cpu(x) ((__force u32)(__le32)(x))
#define le64_to_cpu(x) ((__force u64)(__le64)(x))
#else
#define le16_to_cpu(x) __builtin_bswap16((__force u16)(__le16)(x))
#define le32_to_cpu(x) __builtin_bswap32((__force u32)(__le32)(x))
#define le64_to_cpu(x) __builtin_bswap64((__force u64)(__le64)(x))
#endif
#define cpu_to_le16(x) ((__force __le16)le16_to_cpu((__force __le16)(u16)(x)))
#define cpu_to_le32(x) ((__force __le32)le32_to_cpu((__force __le32)(u32)(x)))
#define cpu_to_le64(x) ((__force __le64)le64_to_cpu((__force __le64)(u64)(x)))

#ifndef __packed
#define __packed __attribute__((packed))
#endif
#ifndef ARRAY_SIZE
#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#endif

/* Linux numbers these two; every libc this builds with has them. */
#ifndef EUCLEAN
#define EUCLEAN 117
#endif
#ifndef ESTALE
#define ESTALE 116
#endif

#endif /* __KERNEL__ */

#define SENDCP_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))

static inline u64 sendcp_min(u64 a, u64 b)
{
	return a < b ? a : b;
}

static inline u64 sendcp_max(u64 a, u64 b)
{
	return a > b ? a : b;
}

/* @align must be a power of two. Wraps for values within @align of 2^64, as the kernel's does. */
static inline u64 sendcp_round_up(u64 value, u64 align)
{
	return (value + align - 1) & ~(align - 1);
}

static inline u64 sendcp_round_down(u64 value, u64 align)
{
	return value & ~(align - 1);
}

static inline bool sendcp_is_aligned(u64 value, u64 align)
{
	return !(value & (align - 1));
}

/* Unaligned little-endian loads and stores at any address. */
static inline u16 sendcp_get_le16(const void *p)
{
	__le16 v;

	memcpy(&v, p, sizeof(v));
	return le16_to_cpu(v);
}

static inline u32 sendcp_get_le32(const void *p)
{
	__le32 v;

	memcpy(&v, p, sizeof(v));
	return le32_to_cpu(v);
}

static inline u64 sendcp_get_le64(const void *p)
{
	__le64 v;

	memcpy(&v, p, sizeof(v));
	return le64_to_cpu(v);
}

static inline void sendcp_put_le16(void *p, u16 value)
{
	__le16 v = cpu_to_le16(value);

	memcpy(p, &v, sizeof(v));
}

static inline void sendcp_put_le32(void *p, u32 value)
{
	__le32 v = cpu_to_le32(value);

	memcpy(p, &v, sizeof(v));
}

static inline void sendcp_put_le64(void *p, u64 value)
{
	__le64 v = cpu_to_le64(value);

	memcpy(p, &v, sizeof(v));
}

/*
 * Memory. All may return NULL, and every caller turns that into -ENOMEM. Blocks from
 * sendcp_alloc/sendcp_zalloc/sendcp_realloc are freed with sendcp_free, which takes NULL too.
 * sendcp_realloc keeps the first @old bytes; on failure the old block stays valid.
 * sendcp_alloc_aligned returns memory whose address is a multiple of 4096, so that a host can read
 * a device into it without a bounce buffer; it is freed with sendcp_free_aligned.
 */
void *sendcp_alloc(size_t size);
void *sendcp_zalloc(size_t size);
void *sendcp_realloc(void *block, size_t old, size_t size);
void sendcp_free(void *block);
void *sendcp_alloc_aligned(size_t size);
void sendcp_free_aligned(void *block, size_t size);

/*
 * Sorts @count items of @size bytes each in ascending order. @compare returns less than 0 if *@a
 * comes before *@b, 0 if either may come first: equal ones are left in no particular order. Cannot
 * fail.
 */
void sendcp_sort(void *items, size_t count, size_t size, int (*compare)(const void *a,
									const void *b));

/* Nanoseconds of a clock that only goes forward; where it begins means nothing. */
u64 sendcp_now(void);

/* Quotient and remainder of a 64-bit value, for worlds without a native 64-bit division. */
u64 sendcp_div(u64 value, u32 divisor, u32 *remainder);

/*
 * CRC-32C (Castagnoli, reflected) over @size bytes, continued from @crc, with neither initial nor
 * final inversion: callers pass the seed their format wants and invert themselves.
 */
u32 sendcp_crc32c(u32 crc, const void *data, size_t size);

/*
 * The checksums a btrfs may use, digest in the on-disk byte order, @out at least 32 bytes.
 * -EOPNOTSUPP: this world has no such algorithm; -EINVAL: no such type.
 */
int sendcp_checksum(u16 type, const void *data, size_t size, u8 *out);

#endif
