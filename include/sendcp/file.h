/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Contents of files, read through a volume's devices alone: extent items, checksums, other mirrors.
 *
 * For hosts that have no mounted filesystem to read from. Decompression is the host's
 * (scp_host_ops.decompress). Not part of the kernel module.
 */
#ifndef SENDCP_FILE_H
#define SENDCP_FILE_H

#include <sendcp/host.h>
#include <sendcp/volume.h>

struct scp_file_reader;

/*
 * Keeps the extent that was read last, expanded, and a window of bytes read ahead: reading a file
 * in order, in whatever pieces, reads and expands each extent once. Both are known by disk
 * address, so on a mounted filesystem a reader is good for one commit only. NULL: out of memory.
 */
struct scp_file_reader *scp_file_reader_open(struct scp_volume *volume);
/* Must be closed before its volume. NULL is allowed. */
void scp_file_reader_close(struct scp_file_reader *reader);

/*
 * As scp_host_ops.read_file: all of @range into @buffer, holes and all after the last extent as
 * zeros, or a negative errno and @error with the place in the file.
 * range->generation is not looked at.
 */
int scp_file_read(struct scp_file_reader *reader, const struct scp_file_range *range,
		  void *buffer, struct scp_error *error);

#endif
