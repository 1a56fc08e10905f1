/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Contents of files, read through a volume's devices alone: extent items, checksums, other mirrors.
 *
 * For hosts that have no mounted filesystem to read from. Decompression is the host's
 * (sendcp_host_ops.decompress). Not part of the kernel module.
 */
#ifndef SENDCP_FILE_H
#define SENDCP_FILE_H

#include <sendcp/host.h>
#include <sendcp/volume.h>

struct sendcp_file_reader;

/*
 * Keeps the extent that was read last, expanded, and a window of bytes read ahead: reading a file
 * in order, in whatever pieces, reads and expands each extent once. Both are known by disk
 * address, so on a mounted filesystem a reader is good for one commit only. NULL: out of memory.
 */
struct sendcp_file_reader *sendcp_file_reader_open(struct sendcp_volume *volume);
/* Must be closed before its volume. NULL is allowed. */
void sendcp_file_reader_close(struct sendcp_file_reader *reader);

/*
 * As sendcp_host_ops.read_file: all of @range into @buffer, holes and all after the last extent as
 * zeros, or a negative errno and @error with the place in the file. Only extents are looked at: not
 * range->generation, nor if there is such an inode. One that is not there reads as zeros.
 */
int sendcp_file_read(struct sendcp_file_reader *reader, const struct sendcp_file_range *range,
		     void *buffer, struct sendcp_error *error);

#endif
