// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Making a file of zstd frames end well where it was cut.
 */
#include <errno.h>
#include <unistd.h>

#include "resume/append/blocks.h"
#include "util/fileio.h"

/* The last block, raw, of no bytes. */
static const u8 empty_last_block[] = { 1, 0, 0 };

static size_t put_little(u8 *to, u64 value, size_t size)
{
	for (size_t i = 0; i < size; i++)
		to[i] = (u8)(value >> 8 * i);
	return size;
}

/* A header with the size of the contents has to be right after the cut. */
static int correct_size(int fd, const struct blocks_cut *cut)
{
	u8 bytes[8];

	if (cut->close != BLOCKS_LACKS_END || !cut->size_width)
		return 0;
	put_little(bytes, cut->plain - cut->frame_plain, cut->size_width);
	return write_at(fd, bytes, cut->size_width, cut->size_file);
}

static int write_end(int fd, const struct blocks_result *result, u64 *size)
{
	const struct blocks_cut *cut = &result->cut;
	u8 bytes[sizeof(empty_last_block) + sizeof(result->sum)];
	size_t length = 0;

	if (cut->close == BLOCKS_LACKS_END)
		for (; length < sizeof(empty_last_block); length++)
			bytes[length] = empty_last_block[length];
	if (cut->close != BLOCKS_CLOSED && cut->has_sum)
		length += put_little(bytes + length, result->sum, sizeof(result->sum));
	*size = cut->file + length;
	return write_at(fd, bytes, length, cut->file);
}

/* The contents after the cut are removed durably before the header leaves them out. */
int blocks_close(int fd, const struct blocks_result *result, u64 *size)
{
	if (ftruncate(fd, (off_t)result->cut.file) || fdatasync(fd) ||
	    correct_size(fd, &result->cut) || write_end(fd, result, size) || fdatasync(fd))
		return -errno;
	return 0;
}
