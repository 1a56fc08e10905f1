// SPDX-License-Identifier: GPL-2.0-or-later
/* A defect for `make analyze` to find: memory is used after it was freed. */
#include <stdlib.h>

int defect(void);

int defect(void)
{
	int *number = calloc(1, sizeof(*number));

	free(number);
	return *number;
}
