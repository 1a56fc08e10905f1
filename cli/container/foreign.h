/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files that other programs compressed or encrypted, recognised by their first bytes: sendcp does
 * not read them, but can say how they are unpacked.
 */
#ifndef CLI_CONTAINER_FOREIGN_H
#define CLI_CONTAINER_FOREIGN_H

#include <stddef.h>
#include <sendcp/platform.h>

/* So many bytes are enough. */
#define FOREIGN_HEAD 64u

struct foreign {
	/* As in "it is compressed with gzip". */
	const char *how;
	/* The command that writes what is in FILE to standard output. */
	const char *command;
};

/* NULL: none of them, as far as these bytes show. */
const struct foreign *foreign_find(const u8 *bytes, size_t size);

#endif
