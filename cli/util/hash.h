/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The hash of a part of a stream: XXH3-128, in canonical byte order.
 */
#ifndef CLI_UTIL_HASH_H
#define CLI_UTIL_HASH_H

#include <stddef.h>
#include <sendcp/platform.h>

#define HASH_SIZE 16

/* Of bytes that are all there. */
void hash_of(const void *data, size_t size, u8 result[HASH_SIZE]);

/* Of bytes as they come. */
struct hash {
	struct XXH3_state_s *state;
};

/* Nothing has come yet. Exits without memory. */
void hash_init(struct hash *hash);
/* A struct of zeros is taken too. */
void hash_clear(struct hash *hash);
/* As if nothing had come. */
void hash_restart(struct hash *hash);
void hash_add(struct hash *hash, const void *data, size_t size);
/* Of all that has come so far; more may. */
void hash_result(const struct hash *hash, u8 result[HASH_SIZE]);

#endif
