/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading back a part of a container, between two places where it could have been cut.
 */
#ifndef CLI_CONTAINER_RANGE_H
#define CLI_CONTAINER_RANGE_H

#include <stdbool.h>
#include <sendcp/platform.h>

#include "journal/container_spec.h"

typedef void (*range_take_fn)(void *context, const void *data, size_t size);

/*
 * Gives the plain bytes that @fd's bytes from @from to @to hold to @take, and how many they were to
 * *@plain. Returns 1 if that part is whole, 0 if it is damaged or is something else, or a negative
 * errno: it could not be read.
 */
int range_read(int fd, const struct container_spec *container, u64 from, u64 to, range_take_fn take,
	       void *context, u64 *plain);

#endif
