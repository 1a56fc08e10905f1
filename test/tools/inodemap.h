/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A hash map from the inode numbers of one tree to those of the other.
 */
#ifndef TEST_INODEMAP_H
#define TEST_INODEMAP_H

#include <stddef.h>
#include <stdint.h>

struct inodemap {
	struct { uint64_t key, value; } *slots;
	size_t size;
	size_t used;
};

/*
 * The value of @key (never 0). If there is none yet, @value becomes it and 0 is returned. Exits
 * when memory runs out: this is a test tool.
 */
uint64_t inodemap_get_or_set(struct inodemap *map, uint64_t key, uint64_t value);
void inodemap_free(struct inodemap *map);

#endif
