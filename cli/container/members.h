/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writing members of an archive, each of them whole: it can be cut after any, and continued.
 *
 * Functions return 0 or a negative errno.
 */
#ifndef CLI_CONTAINER_MEMBERS_H
#define CLI_CONTAINER_MEMBERS_H

#include <sendcp/platform.h>

#include "container/sink.h"
#include "journal/container_spec.h"

struct members;

/* Members go to @below, which must outlive them. Exits without memory. */
struct members *members_open(enum archive_kind kind, struct sink *below);
/* An archive that was not finished stays without its end. */
void members_free(struct members *members);

/* @number is different for each member of an archive. */
int members_add(struct members *members, const char *name, u64 number, const void *data,
		size_t size);
/* The archive's end. */
int members_finish(struct members *members);

#endif
