// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A hash map from inode number to inode number, open addressing, at most half full.
 */
#include "inodemap.h"

#include <stdio.h>
#include <stdlib.h>

static size_t find(const struct inodemap *map, uint64_t key)
{
	size_t i = key * 0x9e3779b97f4a7c15ull >> 20 & (map->size - 1);

	while (map->slots[i].key && map->slots[i].key != key)
		i = (i + 1) & (map->size - 1);
	return i;
}

static void grow(struct inodemap *map)
{
	struct inodemap bigger = { .size = map->size ? map->size * 2 : 1024, .used = map->used };

	bigger.slots = calloc(bigger.size, sizeof(*bigger.slots));
	if (!bigger.slots) {
		perror("inodemap");
		exit(2);
	}
	for (size_t i = 0; i < map->size; i++)
		if (map->slots[i].key)
			bigger.slots[find(&bigger, map->slots[i].key)] = map->slots[i];
	free(map->slots);
	*map = bigger;
}

uint64_t inodemap_get_or_set(struct inodemap *map, uint64_t key, uint64_t value)
{
	size_t i;

	if (map->used * 2 >= map->size)
		grow(map);
	i = find(map, key);
	if (map->slots[i].key)
		return map->slots[i].value;
	map->slots[i].key = key;
	map->slots[i].value = value;
	map->used++;
	return 0;
}

void inodemap_free(struct inodemap *map)
{
	free(map->slots);
}
