/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * File contents read without the kernel's btrfs: extent items, checksums, decompression.
 */
#ifndef CLI_HOST_EXTENTS_H
#define CLI_HOST_EXTENTS_H

#include <sendcp/host.h>

struct extent_reader;

/* NULL: out of memory. */
struct extent_reader *extent_reader_new(void);
void extent_reader_free(struct extent_reader *reader);

/* scp_host_ops.read_file for a host that has device bytes only. */
int extent_reader_read(struct extent_reader *reader, const struct scp_file_range *range,
		       void *buffer, struct scp_error *error);

#endif
