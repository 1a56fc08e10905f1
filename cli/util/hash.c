// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The hash of a part of a stream.
 */
#include <string.h>
#include <xxhash.h>

#include "util/alloc.h"
#include "util/hash.h"

static void to_bytes(XXH128_hash_t from, u8 result[HASH_SIZE])
{
	XXH128_canonical_t canonical;

	XXH128_canonicalFromHash(&canonical, from);
	memcpy(result, canonical.digest, HASH_SIZE);
}

void hash_of(const void *data, size_t size, u8 result[HASH_SIZE])
{
	to_bytes(XXH3_128bits(data, size), result);
}

void hash_init(struct hash *hash)
{
	hash->state = xobject(XXH3_createState());
	hash_restart(hash);
}

void hash_clear(struct hash *hash)
{
	XXH3_freeState(hash->state);
	hash->state = NULL;
}

void hash_restart(struct hash *hash)
{
	XXH3_128bits_reset(hash->state);
}

void hash_add(struct hash *hash, const void *data, size_t size)
{
	XXH3_128bits_update(hash->state, data, size);
}

void hash_result(const struct hash *hash, u8 result[HASH_SIZE])
{
	to_bytes(XXH3_128bits_digest(hash->state), result);
}
